import { utf8 } from "../../../src/mqtt/utf8";
import type { Frames } from "./fuzz-frames";
import type { Channel, Net } from "./fuzz-net";
import { MQTT_PORT, WEB_PORT } from "./fuzz-settings";

const TOPIC = utf8("witness/of/all");
const FILTER = utf8("witness/of/+");
const UPGRADE = utf8(
	"GET /mqtt HTTP/1.1\r\nHost: 192.168.1.10:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
);
/** Bytes of a count in decimal. */
const DIGITS = 10;
const HEADER = 2;

/** A client that does all right and wants every byte that it gets to be the one that is due. */
export class Witness {
	readonly #net: Net;
	readonly #frames: Frames;
	readonly #version: 4 | 5;
	readonly #web: boolean;
	readonly #id: Uint8Array;
	#channel!: Channel;
	/** The last packet identifier that came. */
	#lastId = 0;

	constructor(net: Net, frames: Frames, version: 4 | 5, web: boolean, id: string) {
		this.#net = net;
		this.#frames = frames;
		this.#version = version;
		this.#web = web;
		this.#id = utf8(id);
	}

	connect(): void {
		const net = this.#net;
		const id = this.#id;
		const channel = net.connect(this.#web ? WEB_PORT : MQTT_PORT, true);
		this.#channel = channel;
		this.#lastId = 0;
		net.run();
		if (this.#web) {
			channel.give(UPGRADE, 0, UPGRADE.length);
			if (channel.output[9] !== 0x31) throw new Error("no WebSocket");
			channel.output.length = 0;
			net.run();
		}
		const five = this.#version === 5;
		// a keepalive of 65,535 s: the clock makes long leaps
		this.#send([
			0x10,
			12 + (five ? 1 : 0) + id.length,
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
			...(five ? [0] : []),
			0,
			id.length,
			...id,
		]);
		const from = this.#web ? HEADER : 0;
		if (channel.output[from] !== 0x20 || channel.output[from + 3] !== 0) throw new Error("no CONNACK");
		channel.output.length = 0;
		net.run();
	}

	subscribe(): void {
		const five = this.#version === 5;
		this.#send([0x82, 5 + (five ? 1 : 0) + FILTER.length, 0, 1, ...(five ? [0] : []), 0, FILTER.length, ...FILTER, 2]);
		this.#expect(five ? [0x90, 4, 0, 1, 0, 2] : [0x90, 3, 0, 1, 2]);
	}

	/** Publishes a count. */
	publish(qos: number, count: number): void {
		this.#send(this.#publish(qos, count, (count & 0x7fff) + 1));
	}

	/** What answers that has come; for QoS 2 it goes on. */
	acknowledged(qos: number, count: number): void {
		const id = (count & 0x7fff) + 1;
		if (qos === 1) this.#expect([0x40, 2, id >> 8, id & 0xff]);
		if (qos === 2) {
			this.#expect([0x50, 2, id >> 8, id & 0xff]);
			this.#send([0x62, 2, id >> 8, id & 0xff]);
			this.#expect([0x70, 2, id >> 8, id & 0xff]);
		}
	}

	/** The count has come from another; it is acknowledged to the end. */
	receive(qos: number, count: number): void {
		if (qos !== 0) this.#lastId = this.#lastId === 0xffff ? 1 : this.#lastId + 1;
		const id = this.#lastId;
		this.#expect(this.#publish(qos, count, id));
		if (qos === 1) this.#send([0x40, 2, id >> 8, id & 0xff]);
		if (qos === 2) {
			this.#send([0x50, 2, id >> 8, id & 0xff]);
			this.#expect([0x62, 2, id >> 8, id & 0xff]);
			this.#send([0x70, 2, id >> 8, id & 0xff]);
		}
		this.#expect([]);
	}

	/** Empties a topic. */
	clear(topic: Uint8Array): void {
		const five = this.#version === 5;
		const remaining = 2 + topic.length + (five ? 1 : 0);
		const length = remaining < 128 ? [remaining] : [(remaining & 127) | 128, remaining >> 7];
		this.#send([0x31, ...length, topic.length >> 8, topic.length & 255, ...topic, ...(five ? [0] : [])]);
		this.#expect([]);
	}

	/** What has come is not looked at: that the topic of the witnesses was emptied. */
	ignore(): void {
		this.#channel.output.length = 0;
	}

	ping(): void {
		this.#send([0xc0, 0]);
		this.#expect([0xd0, 0]);
	}

	/** Ends the connection properly. */
	disconnect(): void {
		this.#send([0xe0, 0]);
		if (!this.#channel.closed) throw new Error("not closed");
		this.#channel.leave(false);
	}

	#publish(qos: number, count: number, id: number): number[] {
		const five = this.#version === 5;
		const bytes = [0x30 | (qos << 1), 2 + TOPIC.length + (qos === 0 ? 0 : 2) + (five ? 1 : 0) + DIGITS, 0, TOPIC.length];
		bytes.push(...TOPIC);
		if (qos !== 0) bytes.push(id >> 8, id & 0xff);
		if (five) bytes.push(0);
		bytes.push(...utf8(String(count).padStart(DIGITS, "0")));
		return bytes;
	}

	#send(bytes: number[]): void {
		const channel = this.#channel;
		if (this.#web) {
			const framed = new Uint8Array(bytes.length + 16);
			channel.give(framed, 0, this.#frames.message(framed, new Uint8Array(bytes), bytes.length, false));
		} else channel.give(new Uint8Array(bytes), 0, bytes.length);
		this.#net.run();
	}

	/** Fails unless just these bytes have come. */
	#expect(bytes: number[]): void {
		const { output, closed } = this.#channel;
		// frames that are shorter than 126 bytes, as all here are
		const due = this.#web && bytes.length > 0 ? [0x82, bytes.length, ...bytes] : bytes;
		if (closed || output.length !== due.length || due.some((byte, i) => output[i] !== byte))
			throw new Error(`a witness got ${closed ? "the end after " : ""}[${output}] instead of [${due}]`);
		this.#channel.output.length = 0;
	}
}
