import type { IPublishPacket } from "mqtt-packet";
import type { Wait } from "./episode";
import { ANSWER_MS, Guest, SETTLING_MS } from "./guest";
import type { ScriptedClient } from "./scripted-client";

const TOPIC = "sizes/m";
/** `listen.packetSize` where it is left out, bytes. */
const DEFAULT_PACKET_SIZE = 512;
/** By so much a packet is longer than the broker takes, at most; and shorter, bytes. */
const BEYOND = 3;
const BELOW = 6;
/** Pieces in which a packet leaves, at most, and the pause after each, ms. */
const PIECES = 3;
const LONGEST_PAUSE_MS = 150;

/** Messages whose packets are as long as they may be, and a little longer. */
export class Measurer extends Guest {
	#count = 0;

	protected *episode(): Generator<Wait, void, boolean> {
		const { draw } = this;
		const limit = Number(this.listen.packetSize ?? DEFAULT_PACKET_SIZE);
		const readerVersion = draw.pick([4, 5] as const);
		const accepts = readerVersion === 5 && draw.chance(0.3) ? draw.integer(60, limit) : undefined;
		const reader = this.connect(
			readerVersion,
			"measured",
			accepts === undefined ? {} : { properties: { maximumPacketSize: accepts } },
			1,
		);
		yield* this.accepted(reader);
		const id = this.nextId();
		reader.send({ cmd: "subscribe", messageId: id, subscriptions: [{ topic: "sizes/#", qos: 2 }] });
		yield* this.answer(reader, id);
		// With `lastValue: "every"`, what the last episode has left
		yield { ms: SETTLING_MS };
		reader.deliveries.length = 0;
		let author: ScriptedClient | undefined;
		for (let left = draw.integer(3, 6); left > 0; left--) {
			author ??= this.connect(draw.pick([4, 5] as const), "measurer");
			if (author.connackCode === undefined) yield* this.accepted(author);
			const near = accepts !== undefined && draw.chance(0.5) ? accepts : limit;
			const size = near + draw.integer(-BELOW, BEYOND);
			yield* this.#publish(author, reader, size, limit, accepts ?? Infinity);
			if (author.hasEnded) author = undefined;
		}
		author?.send({ cmd: "disconnect" });
		reader.send({ cmd: "disconnect" });
		yield { ms: SETTLING_MS };
	}

	*#publish(
		author: ScriptedClient,
		reader: ScriptedClient,
		size: number,
		limit: number,
		accepts: number,
	): Generator<Wait, void, boolean> {
		const qos = this.draw.pick([0, 1, 2] as const);
		const id = this.nextId();
		const packet = this.#packet(author, size, qos, id);
		yield* this.#send(author, author.encode(packet));
		const expected = reader.encode(packet).length;
		const text = `${size} bytes of ${limit}, QoS ${qos}, from ${author.version} to ${reader.version} (${expected})`;
		if (size > limit) {
			this.owe(yield { ms: ANSWER_MS, until: () => author.hasEnded }, `the end of who sends ${text}`);
			const { version, disconnectCode } = author;
			if (version === 5) this.owe(disconnectCode === 0x95, `DISCONNECT 0x95, not ${disconnectCode}, ${text}`);
			this.owe(reader.deliveries.length === 0, `no message of ${text}`);
			return;
		}
		if (qos > 0) {
			const [code] = yield* this.answer(author, id);
			this.owe(code === 0 || code === 16, `an acknowledgement of ${text}, not ${code}`);
		}
		// The broker may send a little more than it takes, as what MQTT 5.0 has beside a message takes room
		const mayArrive = expected <= accepts;
		const arrives = mayArrive && expected <= limit;
		if (arrives) yield { ms: ANSWER_MS, until: () => reader.deliveries.length > 0 };
		yield { ms: SETTLING_MS };
		this.owe(!author.hasEnded && !reader.hasEnded, `connections that last with ${text}`);
		const got = reader.deliveries.splice(0);
		this.owe(
			got.length >= (arrives ? 1 : 0) && got.length <= (mayArrive ? 1 : 0),
			`${arrives ? "the" : "no"} message of ${text}, not ${got.length}`,
		);
		const isWhole = got.every((each) => each.payload === packet.payload && each.qos === qos);
		this.owe(isWhole, `all of the message of ${text}`);
	}

	/** A PUBLISH of this many bytes. */
	#packet(author: ScriptedClient, size: number, qos: 0 | 1 | 2, messageId: number): IPublishPacket {
		const packet = (length: number): IPublishPacket => ({
			cmd: "publish",
			topic: TOPIC,
			payload: `${++this.#count} `.padEnd(length, "."),
			qos,
			retain: false,
			dup: false,
			...(qos === 0 ? {} : { messageId }),
		});
		return packet(size - author.encode(packet(size)).length + size);
	}

	/** In pieces, with pauses. */
	*#send(client: ScriptedClient, bytes: Buffer): Generator<Wait, void, boolean> {
		let from = 0;
		for (let left = this.draw.integer(1, PIECES); left > 1 && from < bytes.length; left--) {
			const end = this.draw.integer(from + 1, bytes.length);
			client.sendBytes(bytes.subarray(from, end));
			from = end;
			yield { ms: this.draw.integer(1, LONGEST_PAUSE_MS) };
		}
		if (from < bytes.length) client.sendBytes(bytes.subarray(from));
	}
}
