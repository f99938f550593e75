import { utf8 } from "../../../src/mqtt/utf8";
import type { NetworkPeer } from "../../support/network-peer";
import type { FrameWriter } from "./fuzz-frame-writer";
import type { FuzzHost } from "./fuzz-host";
import { MQTT_PORT, WEB_PORT } from "./fuzz-settings";

const TOPIC = utf8("witness/of/all");
const FILTER = utf8("witness/of/+");
const UPGRADE = utf8(
	"GET /mqtt HTTP/1.1\r\nHost: 192.168.1.10:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
);
/** Decimal digits of a count. */
const COUNT_DIGITS = 10;
const FRAME_HEADER_BYTES = 2;

/** A correct client that fails unless every received byte is the expected one. */
export class ReferenceClient {
	readonly #host: FuzzHost;
	readonly #frames: FrameWriter;
	readonly #version: 4 | 5;
	readonly #overWebSocket: boolean;
	readonly #id: Uint8Array;
	#socket!: NetworkPeer;
	/** Received bytes that were not expected yet. */
	readonly #output: number[] = [];
	/** The last packet identifier received. */
	#lastId = 0;

	constructor(host: FuzzHost, frames: FrameWriter, version: 4 | 5, overWebSocket: boolean, id: string) {
		this.#host = host;
		this.#frames = frames;
		this.#version = version;
		this.#overWebSocket = overWebSocket;
		this.#id = utf8(id);
	}

	connect(): void {
		const id = this.#id;
		const socket = this.#host.connectAlone(this.#overWebSocket ? WEB_PORT : MQTT_PORT);
		const output = this.#output;
		socket.onData = (bytes) => output.push(...bytes);
		this.#socket = socket;
		this.#lastId = 0;
		output.length = 0;
		if (this.#overWebSocket) {
			socket.write(UPGRADE);
			this.#host.run();
			if (output[9] !== 0x31) throw new Error("no WebSocket");
			output.length = 0;
		}
		const isV5 = this.#version === 5;
		// keep alive of 65,535 s, as the test advances the clock in large steps
		this.#send([
			0x10,
			12 + (isV5 ? 1 : 0) + id.length,
			0,
			4,
			0x4d,
			0x51,
			0x54,
			0x54,
			this.#version,
			2,
			0xff,
			0xff,
			...(isV5 ? [0] : []),
			0,
			id.length,
			...id,
		]);
		const from = this.#overWebSocket ? FRAME_HEADER_BYTES : 0;
		if (output[from] !== 0x20 || output[from + 3] !== 0) throw new Error("no CONNACK");
		output.length = 0;
	}

	subscribe(): void {
		const isV5 = this.#version === 5;
		this.#send([
			0x82,
			5 + (isV5 ? 1 : 0) + FILTER.length,
			0,
			1,
			...(isV5 ? [0] : []),
			0,
			FILTER.length,
			...FILTER,
			2,
		]);
		this.#expect(isV5 ? [0x90, 4, 0, 1, 0, 2] : [0x90, 3, 0, 1, 2]);
	}

	/** Publishes a count. */
	publish(qos: number, count: number): void {
		this.#send(this.#encodePublish(qos, count, (count & 0x7fff) + 1));
	}

	/** Expects the acknowledgement of a publication; for QoS 2 completes the exchange. */
	expectAcknowledgement(qos: number, count: number): void {
		const id = (count & 0x7fff) + 1;
		if (qos === 1) this.#expect([0x40, 2, id >> 8, id & 0xff]);
		if (qos === 2) {
			this.#expect([0x50, 2, id >> 8, id & 0xff]);
			this.#send([0x62, 2, id >> 8, id & 0xff]);
			this.#expect([0x70, 2, id >> 8, id & 0xff]);
		}
	}

	/** Expects a count from another client, and acknowledges it completely. */
	expectMessage(qos: number, count: number): void {
		if (qos !== 0) this.#lastId = this.#lastId === 0xffff ? 1 : this.#lastId + 1;
		const id = this.#lastId;
		this.#expect(this.#encodePublish(qos, count, id));
		if (qos === 1) this.#send([0x40, 2, id >> 8, id & 0xff]);
		if (qos === 2) {
			this.#send([0x50, 2, id >> 8, id & 0xff]);
			this.#expect([0x62, 2, id >> 8, id & 0xff]);
			this.#send([0x70, 2, id >> 8, id & 0xff]);
		}
		this.#expect([]);
	}

	/** Clears the retained message of a topic. */
	clearRetained(topic: Uint8Array): void {
		const isV5 = this.#version === 5;
		const remaining = 2 + topic.length + (isV5 ? 1 : 0);
		const length = remaining < 128 ? [remaining] : [(remaining & 127) | 128, remaining >> 7];
		this.#send([0x31, ...length, topic.length >> 8, topic.length & 255, ...topic, ...(isV5 ? [0] : [])]);
		this.#expect([]);
	}

	/** Discards received bytes: the empty message that cleared the reference clients' topic. */
	discardOutput(): void {
		this.#output.length = 0;
	}

	ping(): void {
		this.#send([0xc0, 0]);
		this.#expect([0xd0, 0]);
	}

	/** Ends the connection with DISCONNECT. */
	disconnect(): void {
		this.#send([0xe0, 0]);
		if (!this.#socket.ended) throw new Error("not closed");
	}

	#encodePublish(qos: number, count: number, id: number): number[] {
		const isV5 = this.#version === 5;
		const bytes = [
			0x30 | (qos << 1),
			2 + TOPIC.length + (qos === 0 ? 0 : 2) + (isV5 ? 1 : 0) + COUNT_DIGITS,
			0,
			TOPIC.length,
		];
		bytes.push(...TOPIC);
		if (qos !== 0) bytes.push(id >> 8, id & 0xff);
		if (isV5) bytes.push(0);
		bytes.push(...utf8(String(count).padStart(COUNT_DIGITS, "0")));
		return bytes;
	}

	#send(bytes: number[]): void {
		if (this.#overWebSocket) {
			const framed = new Uint8Array(bytes.length + 16);
			const end = this.#frames.writeMessage(framed, new Uint8Array(bytes), bytes.length, false);
			this.#socket.write(framed.subarray(0, end));
		} else this.#socket.write(new Uint8Array(bytes));
		this.#host.run();
	}

	/** Fails unless exactly these bytes were received. */
	#expect(bytes: number[]): void {
		const output = this.#output;
		const { ended } = this.#socket;
		// all frames here are shorter than 126 bytes
		const expected = this.#overWebSocket && bytes.length > 0 ? [0x82, bytes.length, ...bytes] : bytes;
		if (ended || output.length !== expected.length || expected.some((byte, i) => output[i] !== byte))
			throw new Error(`a witness got ${ended ? "the end after " : ""}[${output}] instead of [${expected}]`);
		output.length = 0;
	}
}
