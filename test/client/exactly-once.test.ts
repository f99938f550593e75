/** QoS 2 through a proxy that cuts the connection at every byte, in both directions, to real brokers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectAsync } from "mqtt";
import { subscription } from "../../src/client/client";
import { DUP, QOS2 } from "../../src/mqtt/constants";
import { nodeDevice } from "../support/node-device";
import { ByteCutter } from "./byte-cutter";
import { liveBrokers } from "./live-brokers";
import { RecordingClient, topic } from "./recording-client";

/**
 * What a publisher has to keep over connections, resets and sleep for one message: as an application does.
 */
interface Kept {
	readonly packetId: number;
	phase: "new" | "sent" | "received" | "done";
}

/** Delivers one message over as many connections as it takes. @returns their number */
async function deliver(port: number, version: 4 | 5, clientId: string, payload: string): Promise<number> {
	const message: Kept = { packetId: 5, phase: "new" };
	const bytes = Buffer.from(payload);
	const phase = (): Kept["phase"] => message.phase;
	for (let connections = 1; connections < 10; connections++) {
		await new Promise<void>((resolve) => {
			const node: RecordingClient = new RecordingClient(
				{
					port,
					version,
					clientId,
					cleanStart: false,
					sessionExpiry: version === 5 ? 600 : 0,
					connectTimeout: 2000,
					acknowledgeTimeout: 2000,
				},
				nodeDevice(),
				{
					onOpen: (sessionPresent) => {
						if (sessionPresent) return;
						// The broker owns what it acknowledged with PUBREC; what it did not is new to it.
						if (message.phase === "received") message.phase = "done";
						else message.phase = "new";
					},
					onWritable: () => {
						const { packetId } = message;
						if (phase() === "done") node.client.close();
						else if (phase() === "received") node.client.release(packetId);
						else {
							const flags = phase() === "sent" ? QOS2 | DUP : QOS2;
							const result = node.client.publish(topic, bytes, bytes.length, flags, undefined, packetId);
							if (result > 0) message.phase = "sent";
						}
					},
					onReceived: () => {
						message.phase = "received";
					},
					onAcknowledged: () => {
						message.phase = "done";
						node.client.close();
					},
					onClosed: () => resolve(),
				},
			);
			node.open();
		});
		if (phase() === "done") return connections;
	}
	throw new Error(`${payload} is not delivered`);
}

async function cutEverywhere(port: number, version: 4 | 5): Promise<void> {
	const subscriber = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: version });
	const received: string[] = [];
	let onLast = (): void => {};
	const last = new Promise<void>((resolve) => {
		onLast = resolve;
	});
	subscriber.on("message", (_, payload) => {
		received.push(payload.toString());
		if (received.at(-1) === "last") onLast();
	});
	await subscriber.subscribeAsync("home/#", { qos: 2 });
	const expected: string[] = [];
	for (const direction of ["to the broker", "to the client"] as const) {
		const cutter = new ByteCutter(port);
		const proxied = await cutter.listen();
		cutter.direction = direction;
		const deliverAll = async (name: string): Promise<void> => {
			await deliver(proxied, version, `c-${direction.at(-2)}-${name.split(" ").at(-1)}`, name);
			expected.push(name);
		};
		await cutter.cutEverywhere(deliverAll);
		cutter.close();
	}
	await deliver(port, version, "last", "last");
	await last;
	assert.deepEqual(received, [...expected, "last"]);
	await subscriber.endAsync();
}

/** Receives one message after the other in one session, each over as many connections as it takes. */
class Receiver {
	readonly node: RecordingClient;
	/** The message that is awaited. */
	#awaited = "";
	#released = false;
	#onClosed: () => void = () => {};

	constructor(port: number, version: 4 | 5) {
		this.node = new RecordingClient(
			{
				port,
				version,
				clientId: "receiver",
				cleanStart: false,
				sessionExpiry: version === 5 ? 600 : 0,
				connectTimeout: 2000,
				acknowledgeTimeout: 2000,
			},
			nodeDevice(),
			{
				onOpen: (sessionPresent) => {
					if (!sessionPresent) this.node.client.subscribe([subscription("set/#", { qos: 2 })]);
					else if (this.#awaited === "") this.node.client.close();
				},
				onSubscribed: () => this.node.client.close(),
				onReleased: () => {
					// An earlier message may be released again: its PUBCOMP was lost.
					if (this.node.messages.at(-1)?.payload !== this.#awaited) return;
					this.#released = true;
					this.node.client.close();
				},
				onClosed: () => this.#onClosed(),
			},
		);
	}

	connection(): Promise<void> {
		return new Promise((resolve) => {
			this.#onClosed = resolve;
			this.node.open();
		});
	}

	/** @returns the number of connections */
	async receive(payload: string): Promise<number> {
		this.#awaited = payload;
		this.#released = false;
		for (let connections = 1; connections < 10; connections++) {
			await this.connection();
			if (this.#released) return connections;
		}
		throw new Error(`${payload} is not received`);
	}
}

async function cutReceiverEverywhere(port: number, version: 4 | 5): Promise<void> {
	const publisher = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: version });
	const cutter = new ByteCutter(port);
	const receiver = new Receiver(await cutter.listen(), version);
	await receiver.connection();
	const expected: string[] = [];
	const pass = async (payload: string): Promise<number> => {
		await publisher.publishAsync("set/a", payload, { qos: 2 });
		expected.push(payload);
		return receiver.receive(payload);
	};
	for (const direction of ["to the broker", "to the client"] as const) {
		cutter.direction = direction;
		let repeated = 0;
		await cutter.cutEverywhere(async (name) => {
			repeated += (await pass(name)) > 1 ? 1 : 0;
		});
		assert.ok(repeated > 10, `${repeated} took more than one connection`);
	}
	await pass("last");
	assert.deepEqual(
		receiver.node.messages.map(({ payload }) => payload),
		expected,
	);
	cutter.close();
	await publisher.endAsync();
}

describe("QoS 2, the connection cut at every byte: each message arrives once, in order", () => {
	for (const kind of liveBrokers)
		for (const version of kind.versions)
			for (const [role, run] of [
				["to", cutEverywhere],
				["from", cutReceiverEverywhere],
			] as const)
				test(`${role} ${kind.name}, MQTT ${version === 4 ? "3.1.1" : "5.0"}`, {
					skip: kind.skip,
				}, async () => {
					const broker = await kind.start();
					try {
						await run(broker.port, version);
					} finally {
						await broker.stop();
					}
				});
});
