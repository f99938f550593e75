import assert from "node:assert/strict";
import { connectAsync, type MqttClient } from "mqtt";
import { ByteCutter } from "../client/byte-cutter";
import { BridgedBroker, bridgeSettings, until } from "./bridged-broker";

const topics = [
	{ filter: "up/#", direction: "out", qos: 2, remotePrefix: "far/" },
	{ filter: "down/#", direction: "in", qos: 2, remotePrefix: "far/", localPrefix: "near/" },
];

/** Time after which a marker is published again: of QoS 0, it is lost where the bridge is not connected. */
const MARKER_RETRY_MS = 100;

/** How the bridge is cut. */
interface Cuts {
	/** Keys of `bridge` besides `topics`. */
	readonly config?: object;
	/** Its URL, by port of the loopback; by default MQTT over TCP. */
	url?(port: number): string;
	/** Bytes from cut to cut; 1 by default. */
	readonly step?: number;
	/** Port of the same broker for MQTT over TCP; by default the same. */
	readonly plainPort?: number;
}

/**
 * Passes a message of QoS 2 in one direction for each cut of the connection to the other broker, and checks
 * that each arrives once, in order.
 * @param port of the other broker @param out whether from the bridge's broker
 */
export async function cutConnections(port: number, out: boolean, cuts: Cuts = {}): Promise<void> {
	const { config = {}, url, step = 1, plainPort = port } = cuts;
	const cutter = new ByteCutter(port);
	const cutPort = await cutter.listen();
	const bridged = new BridgedBroker(
		bridgeSettings(cutPort, {
			topics,
			retryMinimum: "10ms",
			retryMaximum: "20ms",
			...(url === undefined ? {} : { url: url(cutPort) }),
			...config,
		}),
	);
	const localPort = await bridged.start();
	await bridged.connected();
	const [from, to] = out ? [localPort, plainPort] : [plainPort, localPort];
	const publisher = await connectAsync(`mqtt://127.0.0.1:${from}`);
	const subscriber = await connectAsync(`mqtt://127.0.0.1:${to}`);
	const received: string[] = [];
	subscriber.on("message", (topic, payload) => {
		if (topic.endsWith("/a")) received.push(payload.toString());
	});
	await subscriber.subscribeAsync(out ? "far/up/a" : "near/down/a", { qos: 2 });
	const markers = new Set<string>();
	let markerCount = 0;
	for (const client of [publisher, subscriber])
		client.on("message", (topic, payload) => {
			if (topic.endsWith("/marker")) markers.add(payload.toString());
		});
	const [here, there] = out ? [publisher, subscriber] : [subscriber, publisher];
	await here.subscribeAsync("near/down/marker");
	await there.subscribeAsync("far/up/marker");
	/** Passes a marker over the bridge, behind all that was sent in this direction before. */
	const mark = async (from: MqttClient, topic: string): Promise<void> => {
		const text = `${markerCount++}`;
		let publishedAt = Number.NEGATIVE_INFINITY;
		await until(
			() => {
				if (markers.has(text)) return true;
				if (performance.now() - publishedAt < MARKER_RETRY_MS) return false;
				publishedAt = performance.now();
				from.publish(topic, text);
				return false;
			},
			() => `no marker on ${topic}: ${bridged.traces.at(-1)}`,
		);
	};
	const expected: string[] = [];
	const pass = async (name: string): Promise<void> => {
		expected.push(name);
		// The exchange before ends at both sides first: mosquitto forgets that a PUBREL was sent if two
		// connections end before PUBCOMP (its state "resend PUBREL" becomes "publish"), and repeats the message.
		// Behind PUBREC, PUBREL and PUBCOMP comes a marker each.
		const { budget } = cutter;
		cutter.budget = Number.POSITIVE_INFINITY;
		await mark(here, "up/marker");
		await mark(there, "far/down/marker");
		await mark(here, "up/marker");
		// This one begins with CONNECT
		cutter.breakAll();
		cutter.budget = budget;
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
			await cutter.cutEverywhere(pass, step);
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
