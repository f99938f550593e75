/** QoS 2 through a proxy that cuts the connection at every byte, in both directions, to real brokers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { describe, test } from "node:test";
import { Aedes } from "aedes";
import { connectAsync } from "mqtt";
import { DUP, QOS2 } from "../../src/mqtt/constants";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { nodeDevice } from "../support/node-device";
import { RecordingClient, topic } from "./recording-client";

type Direction = "to the broker" | "to the client";

/** Forwards so many bytes in one direction of the next connection, then destroys both sides. */
class ByteCutter {
	direction: Direction = "to the broker";
	/** Bytes until the cut; Infinity: no cut, as after one. */
	budget = Number.POSITIVE_INFINITY;
	cuts = 0;
	/** Bytes forwarded in that direction on the last connection. */
	forwarded = 0;
	readonly #server: Server;

	constructor(target: number) {
		this.#server = createServer((node) => this.#relay(node, connect(target, "127.0.0.1")));
	}

	async listen(): Promise<number> {
		this.#server.listen(0, "127.0.0.1");
		await once(this.#server, "listening");
		return (this.#server.address() as AddressInfo).port;
	}

	close(): void {
		this.#server.close();
	}

	#relay(node: Socket, broker: Socket): void {
		this.forwarded = 0;
		for (const [from, to, direction] of [
			[node, broker, "to the broker"],
			[broker, node, "to the client"],
		] as const) {
			from.setNoDelay(true);
			from.on("error", () => {});
			from.on("close", () => to.destroy());
			from.on("data", (data) => {
				if (direction !== this.direction) {
					to.write(data);
					return;
				}
				const part = data.subarray(0, this.budget);
				this.budget -= part.length;
				this.forwarded += part.length;
				if (this.budget > 0) to.write(part);
				else {
					this.budget = Number.POSITIVE_INFINITY;
					this.cuts++;
					to.write(part, () => to.end(() => from.destroy()));
				}
			});
		}
	}
}

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
		await deliver(proxied, version, "measure", "measure");
		const bytes = cutter.forwarded;
		expected.push("measure");
		assert.ok(bytes > 10, `${bytes} bytes ${direction}`);
		for (let offset = 1; offset <= bytes; offset++) {
			cutter.budget = offset;
			const name = `${direction} ${offset}`;
			await deliver(proxied, version, `c-${direction.at(-2)}-${offset}`, name);
			expected.push(name);
		}
		assert.equal(cutter.cuts, bytes);
		cutter.close();
	}
	await deliver(port, version, "last", "last");
	await last;
	assert.deepEqual(received, [...expected, "last"]);
	await subscriber.endAsync();
}

describe("QoS 2, the connection cut at every byte: each message arrives once, in order", () => {
	for (const version of [4, 5] as const) {
		test(`mosquitto, MQTT ${version}`, { skip: !mosquittoInstalled }, async () => {
			const mosquitto = await Mosquitto.start();
			try {
				await cutEverywhere(mosquitto.port, version);
			} finally {
				await mosquitto.stop();
			}
		});
	}

	test("aedes, MQTT 3.1.1", async () => {
		const aedes = await Aedes.createBroker();
		const server = createServer(aedes.handle);
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		try {
			await cutEverywhere((server.address() as AddressInfo).port, 4);
		} finally {
			server.close();
			await new Promise<void>((resolve) => aedes.close(() => resolve()));
		}
	});
});
