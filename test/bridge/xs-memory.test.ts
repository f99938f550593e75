import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryNeeded } from "../../cli/config/memory";
import { defaults } from "../../src/config/defaults";
import { ampleCreation, machineOnXS, type XSBench } from "../broker/support/xs-machine";
import { bridgeSettings } from "./bridged-broker";

/** Size of a slot on an ESP32. Chunk bytes are those of this 64-bit host, which are more than on a device. */
const SLOT_BYTES = 16;
/** What a bridge takes with the default pools, connected: six of its buffers are of packetSize, 512 bytes. */
const BRIDGE_LIMIT = 16 * 1024;
/** Slots of the stack, as everywhere on a device. */
const STACK_LIMIT = 420;

const settings = { ...defaults, role: "broker" } as const;
const bridge = bridgeSettings(1883, {
	topics: [
		{ filter: "out/#", qos: 2, remotePrefix: "far/" },
		{ filter: "in/#", direction: "in", qos: 2, localPrefix: "near/", remotePrefix: "far/" },
	],
});

const bench = (): Promise<XSBench> =>
	machineOnXS("xs-bridge-bench", ampleCreation, { folders: ["src/bridge", "src/client"] });

function usedBytes({ machine }: XSBench): number {
	machine.collect();
	const { slots, chunks } = machine.statistics;
	return slots.used * SLOT_BYTES + chunks.used;
}

test("on XS: a bridge stays within its memory and the stack, and what it forwards allocates nothing", async (t) => {
	const alone = await bench();
	alone.call(0, 0);
	const base = usedBytes(alone);
	alone.machine.destroy();
	const bridged = await bench();
	const { machine, call } = bridged;
	assert.equal(call(0, 1), 1, "its session is there before the other broker");
	assert.equal(call(1), 1);
	const size = usedBytes(bridged) - base;
	t.diagnostic(`a bridge: ${size} bytes`);
	assert.ok(size <= BRIDGE_LIMIT, `${size} bytes`);
	const modelled = memoryNeeded({ ...settings, bridge }) - memoryNeeded(settings);
	t.diagnostic(`in the model of check: ${modelled} bytes`);
	assert.ok(size <= modelled && modelled <= 1.15 * size, `${size} bytes, ${modelled} in the model`);
	call(2);
	for (const out of [1, 0])
		for (const qos of [0, 1, 2])
			for (const payload of [5, 300]) {
				call(3, out, qos, payload);
				assert.equal(call(4, out, qos, 50), 50);
				const before = machine.statistics;
				assert.equal(call(4, out, qos, 200), 200);
				const after = machine.statistics;
				const name = `${out ? "out" : "in"}, QoS ${qos}, ${payload} bytes`;
				t.diagnostic(
					`${name}: ${Math.round((after.computrons - before.computrons) / 200)} computrons a message; stack peak ${after.stack.peak}`,
				);
				assert.equal(after.slots.allocated - before.slots.allocated, 0, name);
				assert.equal(after.chunks.allocated - before.chunks.allocated, 0, name);
				assert.ok(after.stack.peak <= STACK_LIMIT, `${after.stack.peak} slots of stack`);
			}
	machine.destroy();
});
