import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ChipStatistics } from "../../sim/engine/engine";
import { Simulation } from "../../sim/simulation";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const WAKES = 10;
/** Bytes of a slot on a 32-bit device. */
const SLOT_BYTES = 16;
const TARGET = 20 * 1024;

/**
 * Upper bound of RAM on a 32-bit device: peak of slots and peak of chunk bytes, including garbage that is not
 * yet collected, and the deepest stack. Counts of slots are those of the device; chunk bytes are those of a
 * 64-bit machine, which needs up to twice as many. Data in flash (built-ins, preloaded modules, settings) is
 * not RAM.
 */
function bytes({ slotsPeak, chunksPeak, stackPeak }: ChipStatistics): number {
	return slotsPeak * SLOT_BYTES + chunksPeak + stackPeak * SLOT_BYTES;
}

for (const [name, extra, limit] of [
	["the default manifest's sensor", {}, TARGET],
	["the same with commands", { commands: {} }, TARGET],
	// Each of these two takes RAM of its own.
	['the same with payload "history"', { payload: "history" }, 21.5 * 1024],
	["the same with an outbox in flash", { outbox: { storage: "flash" } }, 21.5 * 1024],
] as const)
	test(`${name} uses at most ${limit} bytes of RAM in ${WAKES} wakes`, (t) => measure(t, extra, limit));

/** @param extra keys of `config.firefly` @param limit bytes */
async function measure(t: TestContext, extra: object, limit: number): Promise<void> {
	const json = JSON.parse(readFileSync(MANIFEST, "utf8"));
	Object.assign(json.config.firefly, extra);
	const wakes: ChipStatistics[] = [];
	let acknowledged = 0;
	let reporting = 0;
	const simulation: Simulation = await Simulation.build({
		manifest: { path: MANIFEST, json, overrides: {} },
		speed: "max",
		seed: 1,
		engine: "xs",
		listener: {
			event({ type, node }) {
				assert.notEqual(type, "crash");
				if (node === "broker") return;
				if (type === "acknowledged") acknowledged++;
				if (type !== "sleep") return;
				wakes.push(simulation.node.statistics()!);
				if (acknowledged > 0) reporting++;
				acknowledged = 0;
				if (wakes.length === WAKES) simulation.stop();
			},
		},
	});
	await simulation.run(3_600_000);
	simulation.dispose();
	assert.equal(wakes.length, WAKES);
	// Includes both kinds of wake and the node's first one.
	assert.ok(reporting > 1 && reporting < WAKES);
	const [sendBuffer, receiveBuffer] = [
		json.config.firefly.broker.sendBuffer ?? 512,
		json.config.firefly.broker.receiveBuffer ?? 512,
	];
	assert.ok(sendBuffer >= 512 && receiveBuffer >= 512, "packets up to 512 bytes both ways");
	const largest = wakes.reduce((most, wake) => (bytes(wake) > bytes(most) ? wake : most));
	const smallest = wakes.reduce((least, wake) => (bytes(wake) < bytes(least) ? wake : least));
	for (const [name, { slotsPeak, chunksPeak, stackPeak, computrons }, sum] of [
		["reporting wake", largest, bytes(largest)],
		["silent wake", smallest, bytes(smallest)],
	] as const) {
		t.diagnostic(
			`${name}: ${sum} bytes = ${slotsPeak} slots × ${SLOT_BYTES} + ${chunksPeak} chunk bytes + ${stackPeak} stack slots × ${SLOT_BYTES}; ${computrons} computrons`,
		);
	}
	assert.ok(bytes(largest) <= limit, `${bytes(largest)} bytes`);
}
