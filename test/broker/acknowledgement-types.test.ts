import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as openSocket, type Socket } from "node:net";
import { describe, test } from "node:test";
import type { IDisconnectPacket, IPublishPacket, Packet } from "mqtt-packet";
import { BrokerProcess } from "../cli/broker-process";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { BrokerHarness } from "./support/broker-harness";

type Acknowledgement = "puback" | "pubrec" | "pubrec 0x80" | "pubcomp" | "pubrel";
/** State of the broker's message with packet identifier 1. "released": its PUBREC has arrived. */
type State = "QoS 1" | "QoS 2" | "released" | "unknown";

const IDENTIFIER = 1;
const CODES: Record<Acknowledgement, readonly number[]> = {
	puback: [0x40, 2, 0, IDENTIFIER],
	pubrec: [0x50, 2, 0, IDENTIFIER],
	"pubrec 0x80": [0x50, 3, 0, IDENTIFIER, 0x80],
	pubcomp: [0x70, 2, 0, IDENTIFIER],
	pubrel: [0x62, 2, 0, IDENTIFIER],
};

/**
 * What the broker answers: "-" nothing, "closes", or a packet. A PUBREL belongs to a message of the client,
 * so it is never out of order.
 */
const answers: readonly (readonly [State, Acknowledgement, string])[] = [
	["QoS 1", "puback", "-"],
	["QoS 1", "pubrec", "closes"],
	["QoS 1", "pubrec 0x80", "closes"],
	["QoS 1", "pubcomp", "closes"],
	["QoS 1", "pubrel", "pubcomp"],
	["QoS 2", "puback", "closes"],
	["QoS 2", "pubrec", "pubrel"],
	["QoS 2", "pubrec 0x80", "-"],
	["QoS 2", "pubcomp", "closes"],
	["QoS 2", "pubrel", "pubcomp"],
	["released", "puback", "closes"],
	["released", "pubrec", "pubrel"],
	["released", "pubrec 0x80", "closes"],
	["released", "pubcomp", "-"],
	["unknown", "puback", "-"],
	["unknown", "pubrec", "pubrel"],
	["unknown", "pubrec 0x80", "-"],
	["unknown", "pubcomp", "-"],
	["unknown", "pubrel", "pubcomp"],
];
const cases = ([4, 5] as const).flatMap((version) =>
	answers
		// PUBREC has no reason code in MQTT 3.1.1
		.filter(([, packet]) => version === 5 || packet !== "pubrec 0x80")
		.map((row) => [version, ...row] as const),
);
const persistent = { clean: false, properties: { sessionExpiryInterval: 100 } };

describe("acknowledgements by state and type", () => {
	for (const [version, state, packet, answer] of cases) {
		test(`[MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1] ${version === 4 ? "3.1.1" : "5.0"}, ${state}, ${packet}: ${answer}`, () => {
			const harness = new BrokerHarness();
			const peer = harness.client("peer", version);
			peer.subscribe("t", { qos: 2 });
			if (state !== "unknown") {
				const qos = state === "QoS 1" ? 1 : 2;
				const sender = harness.client("sender");
				sender.publish("t", "1", { qos, messageId: 3 });
				if (qos === 2) sender.send({ cmd: "pubrel", messageId: 3 });
				assert.equal(peer.publishes()[0]?.messageId, IDENTIFIER);
				if (state === "released") peer.sendRaw(Uint8Array.from(CODES.pubrec)).shift("pubrel");
			}
			peer.sendRaw(Uint8Array.from(CODES[packet]));
			assert.equal(peer.closed, answer === "closes", "closed");
			const got = peer.packets.map(({ cmd }) => cmd);
			assert.deepEqual(got, expectedPackets(version, answer));
			if (version === 5 && answer === "closes")
				assert.equal((peer.packets[0] as IDisconnectPacket).reasonCode, 0x82);
			if (version === 5 && (answer === "pubrel" || answer === "pubcomp"))
				assert.equal(
					(peer.packets[0] as Packet & { reasonCode?: number }).reasonCode ?? 0,
					state === "unknown" || answer === "pubcomp" ? 0x92 : 0,
				);
			const completed = answer === "-" || answer === "closes" || state === "unknown";
			assert.equal(harness.broker.usage.queued, completed ? 0 : 1);
		});
	}

	test("after a wrong acknowledgement the session keeps its message and sends it again", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const peer = harness.client("peer", version, persistent);
			peer.subscribe("t", { qos: 1 });
			harness.client("sender").publish("t", "1", { qos: 1, messageId: 3 });
			peer.sendRaw(Uint8Array.from(CODES.pubcomp));
			const again = harness.client("peer", version, persistent);
			assert.deepEqual(
				again.publishes().map(({ messageId, dup }: IPublishPacket) => [messageId, dup]),
				[[IDENTIFIER, true]],
			);
			again.sendRaw(Uint8Array.from(CODES.puback)).sendRaw(Uint8Array.from(CODES.puback));
			assert.ok(!again.closed, "the second one is late, not wrong");
			assert.equal(harness.broker.usage.queued, 0);
		}
	});

	test("a late acknowledgement of a message that waits to be sent again is legal", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const peer = harness.client("peer", version, persistent);
			peer.subscribe("t", { qos: 1 });
			const sender = harness.client("sender");
			for (const messageId of [1, 2]) sender.publish("t", "1", { qos: 1, messageId });
			peer.drop();
			const narrow = { ...persistent, properties: { sessionExpiryInterval: 100, receiveMaximum: 1 } };
			const again = harness.client("peer", 5, narrow);
			assert.equal(again.publishes().length, 1, "the second waits for the first");
			again.sendRaw(Uint8Array.from([0x40, 2, 0, 2]));
			again.sendRaw(Uint8Array.from([0x70, 2, 0, 2]));
			assert.ok(!again.closed);
			again.sendRaw(Uint8Array.from(CODES.puback));
			assert.equal(again.publishes()[0]?.messageId, 2);
		}
	});
});

describe("the same table against", () => {
	test("mosquitto", { skip: mosquittoInstalled ? false : "mosquitto is not installed" }, async () => {
		const mosquitto = await Mosquitto.start();
		try {
			assert.deepEqual(await observed(mosquitto.port), expectedAnswers());
		} finally {
			await mosquitto.stop();
		}
	});

	for (const engine of ["node", "xs"])
		test(`firefly broker --engine ${engine}`, async () => {
			const broker = await BrokerProcess.start(["--port", "0", "--engine", engine]);
			try {
				assert.deepEqual(await observed(broker.ports.mqtt!), expectedAnswers());
			} finally {
				broker.kill();
			}
		});
});

function expectedPackets(version: 4 | 5, answer: string): string[] {
	if (answer === "-") return [];
	if (answer !== "closes") return [answer];
	return version === 5 ? ["disconnect"] : [];
}

function expectedAnswers(): string[] {
	return cases.map(([version, state, packet, answer]) => `${version} ${state} ${packet}: ${answer}`);
}

/** What a broker on a real socket does in each case. */
async function observed(port: number): Promise<string[]> {
	const result: string[] = [];
	for (const [version, state, packet] of cases) {
		const peer = await RawClient.open(port, version, "peer");
		await peer.request(version === 5 ? [0x82, 7, 0, 1, 0, 0, 1, 0x74, 2] : [0x82, 6, 0, 1, 0, 1, 0x74, 2], 9);
		const sender = await RawClient.open(port, 4, "sender");
		if (state !== "unknown") {
			const qos = state === "QoS 1" ? 1 : 2;
			await sender.request([0x30 | (qos << 1), 6, 0, 1, 0x74, 0, 3, 0x31], qos === 1 ? 4 : 5);
			if (qos === 2) await sender.request([0x62, 2, 0, 3], 7);
			await peer.take(3);
			if (state === "released") await peer.request(CODES.pubrec, 6);
		}
		// The answer to PINGREQ tells that no other answer will come.
		peer.send([...CODES[packet], 0xc0, 0]);
		let answer = "";
		for (let type = await peer.next(); type !== 13; type = await peer.next()) {
			if (type === 0) {
				answer = "closes";
				break;
			}
			if (type !== 14) answer = type === 6 ? "pubrel" : "pubcomp";
		}
		result.push(`${version} ${state} ${packet}: ${answer || "-"}`);
		peer.socket.destroy();
		sender.socket.destroy();
	}
	return result;
}

/** A client that writes given bytes and reads packet types. */
class RawClient {
	readonly socket: Socket;
	readonly #types: number[] = [];
	#pending = Buffer.alloc(0);
	#ended = false;
	#wake: () => void = () => {};

	private constructor(socket: Socket) {
		this.socket = socket;
		socket.on("data", (data: Buffer) => {
			this.#pending = Buffer.concat([this.#pending, data]);
			for (let size = this.#packetSize(); size <= this.#pending.length; size = this.#packetSize()) {
				this.#types.push(this.#pending[0]! >> 4);
				this.#pending = this.#pending.subarray(size);
			}
			this.#wake();
		});
		for (const event of ["end", "error", "close"])
			socket.on(event, () => {
				this.#ended = true;
				this.#wake();
			});
	}

	static async open(port: number, version: 4 | 5, id: string): Promise<RawClient> {
		const socket = openSocket(port, "127.0.0.1");
		await once(socket, "connect");
		const client = new RawClient(socket);
		const properties = version === 5 ? [0] : [];
		const body = [0, 4, ...Buffer.from("MQTT"), version, 2, 0, 60, ...properties, 0, id.length];
		await client.request([0x10, body.length + id.length, ...body, ...Buffer.from(id)], 2);
		return client;
	}

	send(bytes: readonly number[]): void {
		this.socket.write(Uint8Array.from(bytes));
	}

	async request(bytes: readonly number[], answer: number): Promise<void> {
		this.send(bytes);
		await this.take(answer);
	}

	async take(type: number): Promise<void> {
		assert.equal(await this.next(), type, "packet type");
	}

	/** The type of the next packet; 0 if the connection has ended. */
	async next(): Promise<number> {
		while (this.#types.length === 0) {
			if (this.#ended) return 0;
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
		return this.#types.shift()!;
	}

	/** Bytes of the first pending packet; all packets here are shorter than 128 bytes. */
	#packetSize(): number {
		return this.#pending.length < 2 ? Number.POSITIVE_INFINITY : 2 + this.#pending[1]!;
	}
}
