/** Commands to a sleeping node on XS, through the broker on XS, the broker on Node, and mosquitto. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connectAsync } from "mqtt";
import type { TimedEvent } from "../../sim/report/events";
import { Simulation } from "../../sim/simulation";
import type { SimulationOptions } from "../../sim/simulation-options";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { VirtualCommander } from "./virtual-commander";

const path = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const HOUR = 3_600_000;
const COMMAND = "firefly/desk/command";
const ANSWER = "firefly/desk/answer";

/** Report period that the command `set` asks for, and that of the manifest's third sensor, ms. */
const PERIOD_MS = 30_000;
const SETTINGS = { sensors: [{ name: "battery", every: "30s" }] };

interface Run {
	readonly simulation: Simulation;
	readonly events: TimedEvent[];
	/** Names of the commands that the node has executed. */
	executed(): string[];
}

async function build(
	t: TestContext,
	version: 4 | 5,
	options: Partial<SimulationOptions>,
	onEvent: (event: TimedEvent) => void,
): Promise<Run> {
	const json = JSON.parse(readFileSync(path, "utf8"));
	Object.assign(json.config.firefly, { id: "desk", commands: {} });
	json.config.firefly.broker = { url: options.broker?.href ?? "mqtt://192.168.1.10", version };
	const events: TimedEvent[] = [];
	const simulation = await Simulation.build({
		manifest: { path, json, overrides: {} },
		speed: "max",
		seed: 1,
		engine: "xs",
		...options,
		listener: {
			event: (event) => {
				if (event.node === "broker") return;
				events.push(event);
				onEvent(event);
			},
		},
	});
	t.after(() => simulation.dispose());
	const executed = (): string[] =>
		events.flatMap((event) => (event.type === "command" && event.accepted ? [event.command] : []));
	return { simulation, events, executed };
}

/** Asserts what the node has done: it crashed nowhere, and takes its samples as the command `set` says. */
function assertObeyed(run: Run): void {
	assert.deepEqual(run.executed(), ["identify", "report-now", "set"]);
	assert.deepEqual(
		run.events.filter(({ type }) => type === "crash" || type === "failed"),
		[],
	);
	const samples = run.events.filter((event) => event.type === "sample" && event.sensor === "battery");
	const [before, last] = samples.slice(-2).map(({ time }) => time);
	assert.ok(Math.abs(last - before - PERIOD_MS) < 5000, `${last - before} ms`);
}

const answersOf = (version: 4 | 5): object[] => [
	version === 5
		? { topic: "host/x", payload: { command: "identify", ok: true }, correlation: "c1" }
		: { topic: ANSWER, payload: { command: "identify", ok: true }, correlation: undefined },
	{ topic: ANSWER, payload: { command: "report-now", id: 2, ok: true }, correlation: undefined },
	{ topic: ANSWER, payload: { command: "set", id: 3, ok: true }, correlation: undefined },
];

for (const engine of ["xs", "node"] as const)
	for (const version of [4, 5] as const)
		test(`commands published while the node sleeps, through the broker on ${engine}, MQTT ${version}: executed and answered in the next exchange`, async (t) => {
			let commander: VirtualCommander | undefined;
			let sleeps = 0;
			let exchanges = 0;
			const answeredAfter: number[] = [];
			const run: Run = await build(t, version, { engine }, ({ type }) => {
				if (type === "connected") exchanges++;
				if (type === "command") answeredAfter.push(exchanges);
				if (type !== "sleep" || ++sleeps > 40 || sleeps % 10 !== 0) return;
				if (sleeps === 10) commander = new VirtualCommander(run.simulation, version, [ANSWER, "host/x"]);
				if (sleeps === 20) {
					exchanges = 0;
					commander?.publish(COMMAND, "identify", 1, { topic: "host/x", correlation: "c1" });
					commander?.publish(COMMAND, '{"command":"report-now","id":2}', 2);
				}
				if (sleeps === 30) {
					exchanges = 0;
					commander?.publish(COMMAND, JSON.stringify({ command: "set", id: 3, settings: SETTINGS }), 1);
				}
			});
			await run.simulation.run(HOUR);
			assertObeyed(run);
			assert.deepEqual(answeredAfter, [1, 1, 1], "in the first exchange after they were published");
			assert.deepEqual(commander?.answers, answersOf(version));
		});

describe("through mosquitto", { skip: !mosquittoInstalled && !process.env.FIREFLY_REQUIRE_PEERS }, () => {
	for (const version of [4, 5] as const)
		test(`commands published while the node sleeps, MQTT ${version}: executed and answered`, async (t) => {
			const mosquitto = await Mosquitto.start();
			t.after(() => mosquitto.stop());
			const broker = new URL(`mqtt://127.0.0.1:${mosquitto.port}`);
			const client = await connectAsync(broker.href, { protocolVersion: version });
			t.after(() => client.endAsync(true));
			const answers: object[] = [];
			client.on("message", (topic, payload, packet) =>
				answers.push({
					topic,
					payload: JSON.parse(payload.toString()),
					correlation: packet.properties?.correlationData?.toString(),
				}),
			);
			await client.subscribeAsync([ANSWER, "host/x"], { qos: 1 });
			const commands: [payload: string, qos: 1 | 2, properties?: object][] = [
				["identify", 1, { responseTopic: "host/x", correlationData: Buffer.from("c1") }],
				['{"command":"report-now","id":2}', 2],
				[JSON.stringify({ command: "set", id: 3, settings: SETTINGS }), 1],
			];
			let sleeps = 0;
			let rest = 6;
			const run: Run = await build(t, version, { broker }, ({ type }) => {
				if (type !== "sleep" || ++sleeps < 5) return;
				if (commands.length === 0 && answers.length >= 3) {
					if (rest-- === 0) run.simulation.stop();
					return;
				}
				// The next one once the one before is answered
				if (answers.length < 3 - commands.length) return;
				const [payload, qos, properties] = commands.shift() ?? ["", 1];
				if (payload !== "")
					client.publish(COMMAND, payload, { qos, ...(version === 5 && properties ? { properties } : {}) });
			});
			await run.simulation.run(24 * HOUR);
			assertObeyed(run);
			assert.deepEqual(answers, answersOf(version));
		});
});
