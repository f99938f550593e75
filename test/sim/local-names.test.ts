import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { EngineName } from "../../sim/engine/engine-factory";
import type { TimedEvent } from "../../sim/report/events";
import { runSimulation } from "../../sim/run";
import { Simulation } from "../../sim/simulation";
import type { SimulationOptions } from "../../sim/simulation-options";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const MINUTE = 60_000;
const AWAKE_LIMIT_MS = 8000;
/** Of a name that nobody answers for, as in lwIP. */
const LOOK_UP_MS = 7000;

function options(url: string, events: TimedEvent[], engine: EngineName, listen = {}): SimulationOptions {
	const firefly = {
		id: "node",
		wifi: { ssid: "home" },
		broker: { url },
		time: { server: false },
		listen,
		sensors: [{ name: "t", driver: "virtual", property: "thermometer.temperature", every: "60s" }],
	};
	return {
		manifest: {
			path: MANIFEST,
			json: { include: ["./firmware/manifest.json"], config: { firefly } },
			overrides: {},
		},
		speed: "max",
		seed: 7,
		engine,
		listener: { event: (event) => void events.push(event) },
	};
}

const count = (events: readonly TimedEvent[], type: TimedEvent["type"]): number =>
	events.filter((event) => event.type === type).length;

for (const engine of ["node", "xs"] as const)
	test(`${engine}: the node finds the broker by its announced name, once, and keeps the address`, async () => {
		const events: TimedEvent[] = [];
		await runSimulation({ ...options("mqtt://firefly.local", events, engine), duration: 10 * MINUTE });
		const traces = events.flatMap((event) => (event.type === "trace" ? [event.message] : []));
		assert.deepEqual(traces, ["firefly: announced as mqtt://firefly.local:1883"]);
		const lookUps = events.filter((event) => event.type === "radio" && event.step === "dns");
		assert.equal(lookUps.length, 1);
		assert.equal(count(events, "acknowledged"), count(events, "accepted"));
		assert.ok(count(events, "acknowledged") >= 9);
		assert.equal(count(events, "failed"), 0);
	});

test("nobody answers for the name: the wake ends within awakeLimit, and what waits is sent once one does", async () => {
	const events: TimedEvent[] = [];
	const simulation = await Simulation.build(options("mqtt://firefly.local", events, "node"));
	const [broker] = simulation.boards;
	for (const board of simulation.boards) if (board !== broker) board.powerOn();
	const { scheduler } = simulation;
	const start = scheduler.now;
	scheduler.after(5 * MINUTE, () => broker!.powerOn());
	await simulation.pace.run(start + 60 * MINUTE);
	const wakes = events.filter((event) => event.type === "sleep");
	assert.ok(wakes.length > 5);
	const failed = events.filter((event) => event.type === "failed");
	assert.ok(failed.length > 0);
	for (const { time } of failed) assert.ok(time < start + 20 * MINUTE, "none after the broker is there");
	const awake: number[] = [];
	let wokenAt = start;
	for (const event of events) {
		if (event.type === "wake") wokenAt = event.time;
		if (event.type === "sleep") awake.push(event.time - wokenAt);
	}
	assert.ok(Math.max(...awake) <= AWAKE_LIMIT_MS);
	assert.ok(awake[0] >= LOOK_UP_MS, `asleep after ${awake[0]} ms`);
	assert.equal(wakes.at(-1)!.waiting, 0);
	simulation.dispose();
});

test("a broker that is not to announce itself: the name leads to it all the same", async () => {
	const events: TimedEvent[] = [];
	await runSimulation({
		...options("mqtt://firefly.local", events, "node", { mdns: false }),
		duration: 3 * MINUTE,
	});
	assert.equal(count(events, "failed"), 0);
	assert.equal(count(events, "trace"), 0);
	assert.ok(count(events, "acknowledged") >= 2);
});
