/** QoS 2 over the bridge, the connection to the other broker cut at every byte, in both directions. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectAsync } from "mqtt";
import { ByteCutter } from "../client/byte-cutter";
import { liveBrokers } from "../client/live-brokers";
import { BridgedBroker, bridgeSettings, until } from "./bridged-broker";

const topics = [
	{ filter: "up/#", direction: "out", qos: 2, remotePrefix: "far/" },
	{ filter: "down/#", direction: "in", qos: 2, remotePrefix: "far/", localPrefix: "near/" },
];

const QUIET_MS = 25;

/** Passes a message in one direction for each cut. @param out whether from the bridge's broker */
async function cutEverywhere(port: number, version: 4 | 5, out: boolean): Promise<void> {
	const cutter = new ByteCutter(port);
	const bridged = new BridgedBroker(
		bridgeSettings(await cutter.listen(), { version, topics, retryMinimum: "10ms", retryMaximum: "20ms" }),
	);
	const localPort = await bridged.start();
	await bridged.connected();
	const [from, to] = out ? [localPort, port] : [port, localPort];
	const publisher = await connectAsync(`mqtt://127.0.0.1:${from}`);
	const subscriber = await connectAsync(`mqtt://127.0.0.1:${to}`);
	const received: string[] = [];
	subscriber.on("message", (_, payload) => received.push(payload.toString()));
	await subscriber.subscribeAsync(out ? "far/up/#" : "near/down/#", { qos: 2 });
	const expected: string[] = [];
	const pass = async (name: string): Promise<void> => {
		expected.push(name);
		// The exchange before has ended at both sides: mosquitto forgets that a PUBREL was sent if two
		// connections end before PUBCOMP (its state "resend PUBREL" becomes "publish"), and repeats the message.
		for (let last = -1; last !== cutter.lastPassedAt; ) {
			last = cutter.lastPassedAt;
			await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
		}
		// This one begins with CONNECT
		cutter.breakAll();
		await publisher.publishAsync(out ? "up/a" : "far/down/a", name, { qos: 2 });
		await until(
			() => received.length >= expected.length && bridged.broker.usage.queued === 0,
			() => `${name}: ${received.at(-1)} came last; ${bridged.broker.usage.queued} wait`,
		);
		assert.deepEqual(received.slice(-3), expected.slice(-3));
	};
	try {
		await pass("first");
		for (const direction of ["to the broker", "to the client"] as const) {
			cutter.direction = direction;
			await cutter.cutEverywhere(pass);
		}
		await pass("last");
	} finally {
		publisher.end(true);
		subscriber.end(true);
		bridged.broker.stop();
		cutter.close();
		cutter.breakAll();
	}
	assert.deepEqual(received, expected);
	assert.ok(bridged.traces.length > 20, `${bridged.traces.length} lines about lost connections`);
	assert.equal(bridged.broker.counters.internalErrors, 0);
}

describe("QoS 2 over the bridge, cut at every byte: each message arrives once, in order", () => {
	for (const kind of liveBrokers)
		for (const version of kind.versions)
			for (const out of [true, false])
				test(`${out ? "to" : "from"} ${kind.name}, MQTT ${version === 4 ? "3.1.1" : "5.0"}`, {
					skip: kind.skip,
				}, async () => {
					const broker = await kind.start();
					try {
						await cutEverywhere(broker.port, version, out);
					} finally {
						await broker.stop();
					}
				});
});
