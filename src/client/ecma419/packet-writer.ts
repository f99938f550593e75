import {
	DISCONNECT,
	DUP,
	PINGREQ,
	PUBACK,
	PUBCOMP,
	PUBLISH,
	PUBREC,
	PUBREL,
	RETAIN,
	SUBSCRIBE,
	UNSUBSCRIBE,
} from "../../mqtt/constants";
import { utf8 } from "../../mqtt/utf8";
import { BUSY, type Client, type PublishResult, REJECTED } from "../client";
import { DEFERRED_ANSWERS } from "../streamed-publish";
import { subscription } from "../subscription";
import { bytesOf } from "./bytes";
import { checkedQoS } from "./connect-options";
import type { ByteBuffer, Item, WriteOptions } from "./options";

/** Bytes of a PUBLISH besides topic and payload, at most: fixed header, length of the topic, identifier. */
const PUBLISH_OVERHEAD = 9;
/** Bytes of the room that no `write` gets. */
const RESERVED = PUBLISH_OVERHEAD + DEFERRED_ANSWERS;
const EMPTY = new Uint8Array(0);

/** `write` of ECMA-419 §25, by means of a client. */
export class PacketWriter {
	readonly #client: Client;
	/** The topic last written: most programs have one. */
	#topic: string | undefined = "";
	#topicBytes: Uint8Array = EMPTY;

	constructor(client: Client) {
		this.#client = client;
	}

	/**
	 * Bytes that `write` takes: of a payload, or of topic and payload. 0 while as many packets as there may be
	 * are without an answer, though QoS 0 has no need to wait.
	 */
	get room(): number {
		const { room, payloadRemaining, hasPlace } = this.#client;
		if (payloadRemaining > 0) return room;
		if (!hasPlace) return 0;
		return room > RESERVED ? room - RESERVED : 0;
	}

	/** @throws Error if the packet cannot be sent now, or ever: nothing was sent, and the connection goes on */
	write(data: ByteBuffer | null | undefined, options: WriteOptions | null | undefined): void {
		const client = this.#client;
		if (client.state !== "open")
			throw new Error("write() needs a connection: after CONNACK, before DISCONNECT");
		if (client.payloadRemaining > 0) {
			if (options) throw new Error("the payload of the last message is incomplete");
			this.writeFragment(data);
			return;
		}
		if (!options) throw new Error("write() without options, and no message is incomplete");
		const { operation = PUBLISH, id } = options;
		if (id !== undefined && !(id >= 1 && id <= 65535)) throw new RangeError(`packet identifier ${id}`); // [MQTT-2.2.1-3]
		switch (operation) {
			case PUBLISH:
				this.publish(data ? bytesOf(data) : EMPTY, options);
				break;
			case SUBSCRIBE:
				check(client.subscribe(itemsOf(options).map(toSubscription), undefined, id));
				break;
			case UNSUBSCRIBE:
				check(client.unsubscribe(itemsOf(options).map(toFilter), undefined, id));
				break;
			case PUBREL:
				if (id === undefined) throw new RangeError("PUBREL needs the id of its message");
				check(client.release(id));
				break;
			case PINGREQ:
				client.ping();
				break;
			case DISCONNECT:
				client.close();
				break;
			case PUBACK:
			case PUBREC:
			case PUBCOMP:
				throw new RangeError("PUBACK, PUBREC and PUBCOMP are sent without write(), once a message is read");
			default:
				throw new RangeError(`${operation} is no packet of a client`);
		}
	}

	private writeFragment(data: ByteBuffer | null | undefined): void {
		const client = this.#client;
		const bytes = data ? bytesOf(data) : EMPTY;
		const { payloadRemaining } = client;
		if (bytes.length > payloadRemaining)
			throw new RangeError(`${bytes.length} bytes of payload, ${payloadRemaining} remain`);
		if (bytes.length > client.room) throw new RangeError(overflow(bytes.length, client.room));
		client.writePayload(bytes, 0, bytes.length);
	}

	private publish(
		bytes: Uint8Array,
		{ topic, QoS, retain, duplicate, id = 0, byteLength }: WriteOptions,
	): void {
		if (topic === undefined) throw new RangeError("PUBLISH needs a topic");
		if (duplicate && id === 0) throw new RangeError("a duplicate has the id of the message that it repeats");
		const client = this.#client;
		const qos = checkedQoS(QoS);
		const flags = (qos << 1) | (retain ? RETAIN : 0) | (duplicate ? DUP : 0);
		// What `onAcknowledged` will mean.
		const tag = qos === 0 ? 0 : qos === 1 ? PUBACK : PUBCOMP;
		if (topic !== this.#topic) {
			this.#topicBytes = topicBytes(topic);
			// The bytes of a buffer may be others the next time.
			this.#topic = typeof topic === "string" ? topic : undefined;
		}
		const { length } = bytes;
		const total = byteLength ?? length;
		if (length > total) throw new RangeError(`${length} bytes of a payload of ${total}`);
		if (length === total) {
			check(client.publish(this.#topicBytes, bytes, length, flags, undefined, id, tag));
			return;
		}
		const size = PUBLISH_OVERHEAD + this.#topicBytes.length + length + DEFERRED_ANSWERS;
		if (size > client.room) throw new RangeError(overflow(size, client.room));
		check(client.beginPublish(this.#topicBytes, total, flags, undefined, id, tag));
		client.writePayload(bytes, 0, length);
	}
}

function overflow(size: number, room: number): string {
	return `${size} bytes, and room for ${room}: wait for onWritable()`;
}

function check(result: PublishResult): void {
	if (result === REJECTED) throw new RangeError("the packet is larger than sendBuffer");
	if (result === BUSY)
		throw new Error(
			"no room, too many packets without an answer, or the id is in use: wait for onWritable()",
		);
}

/** [MQTT-3.1.1:3.8.3-3] [MQTT-3.1.1:3.10.3-2] */
function itemsOf({ items }: WriteOptions): readonly Item[] {
	if (items === undefined || items.length === 0) throw new RangeError("items is missing or empty");
	return items;
}

function toSubscription({ topic, QoS }: Item): ReturnType<typeof subscription> {
	if (typeof topic === "string") return subscription(topic, { qos: checkedQoS(QoS) });
	return { filter: topicBytes(topic), options: checkedQoS(QoS) };
}

function toFilter({ topic }: Item): Uint8Array {
	return topicBytes(topic);
}

function topicBytes(topic: string | ByteBuffer): Uint8Array {
	return typeof topic === "string" ? utf8(topic) : bytesOf(topic);
}
