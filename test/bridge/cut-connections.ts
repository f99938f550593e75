import assert from "node:assert/strict";
import { connectAsync } from "mqtt";
import { ByteCutter } from "../client/byte-cutter";
import { BridgedBroker, bridgeSettings, until } from "./bridged-broker";

const topics = [
	{ filter: "up/#", direction: "out", qos: 2, remotePrefix: "far/" },
	{ filter: "down/#", direction: "in", qos: 2, remotePrefix: "far/", localPrefix: "near/" },
];

const QUIET_MS = 25;

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
