/** A node whose reports have QoS 2, each cut or reset at another byte of its exchange, with real brokers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connectAsync } from "mqtt";
import type { RunControls } from "../../sim/report/controls";
import { runSimulation } from "../../sim/run";
import { ByteCutter } from "../client/byte-cutter";
import { liveBrokers } from "../client/live-brokers";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));

interface Outcome {
	/** `seq` of each message that the subscriber received. */
	readonly received: number[];
	readonly delivered: number;
	readonly resets: number;
}

/**
 * Reports until each byte in both directions was the last one of a connection.
 * @param resets whether the node is reset at that moment, too
 */
async function cutEverywhere(port: number, version: 4 | 5, resets: boolean): Promise<Outcome> {
	const id = `node-${version}-${resets}`;
	const subscriber = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: version });
	const received: number[] = [];
	let onMessage = (): void => {};
	subscriber.on("message", (_topic, payload) => {
		received.push(JSON.parse(payload.toString()).seq);
		onMessage();
	});
	await subscriber.subscribeAsync(`firefly/${id}`, { qos: 2 });
	const cutter = new ByteCutter(port);
	const url = `mqtt://127.0.0.1:${await cutter.listen()}`;
	const done = new AbortController();
	let controls: RunControls | undefined;
	let resetCount = 0;
	let delivered = 0;
	cutter.onCut = () => {
		if (!resets) return;
		resetCount++;
		controls?.reset(id);
	};
	let offset = 1;
	cutter.budget = offset;
	/** A report was delivered: the next one's exchange is cut a byte later. */
	const advance = (): void => {
		delivered++;
		const wasCut = cutter.budget === Infinity;
		if (!wasCut && cutter.direction === "to the client") done.abort();
		if (!wasCut) cutter.direction = "to the client";
		offset = wasCut ? offset + 1 : 1;
		cutter.budget = done.signal.aborted ? Infinity : offset;
	};
	await runSimulation({
		manifest: {
			path: MANIFEST,
			json: {
				include: ["./firmware/manifest.json"],
				config: {
					firefly: {
						id,
						topic: "firefly/{id}",
						payload: "json",
						broker: { url, version, cleanStart: false, sessionExpiry: "1d" },
						sensors: [
							{
								name: "temperature",
								driver: "virtual",
								property: "thermometer.temperature",
								every: "60s",
								qos: 2,
							},
						],
					},
				},
			},
			overrides: {},
		},
		duration: undefined,
		speed: "max",
		seed: 1,
		broker: new URL(url),
		engine: "node",
		signal: done.signal,
		begin: (run) => {
			controls = run;
		},
		listener: {
			event: ({ type }) => {
				if (type === "acknowledged") advance();
			},
		},
	});
	if (received.length < delivered)
		await new Promise<void>((resolve) => {
			onMessage = () => {
				if (received.length >= delivered) resolve();
			};
		});
	cutter.close();
	await subscriber.endAsync();
	return { received, delivered, resets: resetCount };
}

describe("a node's reports with QoS 2, its exchange ended at every byte: each arrives once, in order", () => {
	for (const kind of liveBrokers)
		for (const version of kind.versions)
			for (const resets of [false, true])
				test(`${kind.name}, MQTT ${version === 4 ? "3.1.1" : "5.0"}, ${resets ? "the node reset" : "the connection cut"}`, {
					skip: kind.skip,
				}, async (t) => {
					const broker = await kind.start();
					try {
						const outcome = await cutEverywhere(broker.port, version, resets);
						t.diagnostic(`${outcome.delivered} reports, ${outcome.resets} resets`);
						assert.deepEqual(
							outcome.received,
							Array.from({ length: outcome.delivered }, (_, i) => i + 1),
						);
						assert.ok(outcome.delivered > 60);
						assert.equal(outcome.resets > 60, resets);
					} finally {
						await broker.stop();
					}
				});
});
