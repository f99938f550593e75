import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Controls } from "../../sim/controls";
import { SimulationCounters } from "../../sim/report/counters";
import type { TimedEvent } from "../../sim/report/events";
import { summarize } from "../../sim/report/summary";
import { DEFAULT_START_TIME, Simulation } from "../../sim/simulation";

const path = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const json = {
	include: ["./firmware/manifest.json", "./firmware/drivers/virtual/manifest.json"],
	config: {
		firefly: {
			id: "shed",
			wifi: { ssid: "shed" },
			broker: { url: "mqtt://192.168.4.2" },
			sensors: [{ name: "t", driver: "virtual", property: "thermometer.temperature", every: "10s" }],
		},
	},
};
const MINUTE = 60_000;

/**
 * Runs three hours, longer than the node waits after failures; `actions` are called after that many minutes.
 */
async function run(actions: Readonly<Record<number, (controls: Controls) => void>>) {
	const counters = new SimulationCounters();
	const events: TimedEvent[] = [];
	const simulation = await Simulation.build({
		manifest: { path, json, overrides: {} },
		speed: "max",
		seed: 1,
		engine: "node",
		listener: {
			event(event) {
				counters.event(event);
				events.push(event);
			},
		},
	});
	const controls = new Controls(simulation);
	for (const [minutes, action] of Object.entries(actions))
		simulation.scheduler.at(DEFAULT_START_TIME + Number(minutes) * MINUTE, () => action(controls));
	await simulation.run(180 * MINUTE);
	simulation.dispose();
	counters.end(simulation.scheduler.now);
	const acknowledgedBetween = (from: number, to: number): number =>
		events.filter(
			({ type, time }) =>
				type === "acknowledged" &&
				time >= DEFAULT_START_TIME + from * MINUTE &&
				time < DEFAULT_START_TIME + to * MINUTE,
		).length;
	return { summary: summarize(counters), events, acknowledgedBetween, controls };
}

describe("what a person does to a running simulation", () => {
	test("an outage of Wi-Fi, then of the broker: nothing arrives meanwhile, everything afterwards", async () => {
		const { summary, acknowledgedBetween } = await run({
			2: (controls) => {
				controls.wifiOutage = true;
				assert.ok(controls.wifiOutage);
			},
			7: (controls) => {
				controls.wifiOutage = false;
			},
			60: (controls) => {
				controls.brokerOutage = true;
				assert.equal(controls.brokerOutage, true);
			},
			65: (controls) => {
				controls.brokerOutage = false;
			},
		});
		assert.deepEqual([acknowledgedBetween(2, 7), acknowledgedBetween(60, 65)], [0, 0]);
		assert.ok(
			acknowledgedBetween(0, 2) > 0 && acknowledgedBetween(7, 60) > 0 && acknowledgedBetween(65, 180) > 0,
		);
		assert.deepEqual(Object.keys(summary.failed).sort(), ["limit", "transport", "wifi"]);
		assert.deepEqual([summary.lost, summary.dropped], [0, 0]);
		assert.ok(summary.waiting <= 1, `${summary.waiting} waiting`);
	});

	test("reset: the node boots for this reason and keeps its reports", async () => {
		const { summary, events } = await run({ 5: (controls) => controls.reset("shed") });
		const boot = events.find(({ type, time }) => type === "boot" && time === DEFAULT_START_TIME + 5 * MINUTE);
		assert.deepEqual(boot, {
			time: DEFAULT_START_TIME + 5 * MINUTE,
			node: "shed",
			type: "boot",
			reason: "reset",
		});
		assert.deepEqual([summary.lost, summary.crashes], [0, 0]);
	});

	test("power: off, nothing happens and reset has no effect; on again, the node boots", async () => {
		const { events } = await run({
			5: (controls) => controls.togglePower("shed"),
			7: (controls) => controls.reset("shed"),
			10: (controls) => controls.togglePower("shed"),
		});
		const of = (from: number, to: number): string[] =>
			events
				.filter(
					({ node, time }) =>
						node === "shed" &&
						time >= DEFAULT_START_TIME + from * MINUTE &&
						time < DEFAULT_START_TIME + to * MINUTE,
				)
				.map(({ type }) => type);
		assert.deepEqual(of(5, 10), ["off"]);
		assert.deepEqual(of(10, 10.05).slice(0, 2), ["boot", "wake"]);
	});
});
