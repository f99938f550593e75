import {
	DUP,
	PACKET_TOO_LARGE,
	QOS1,
	QOS2,
	RETAIN,
	type ReasonCode,
	TOPIC_NAME_INVALID,
} from "../../mqtt/constants";
import { MQTTError } from "../../mqtt/error";
import type { PropertyWriter } from "../../mqtt/property-writer";
import { validTopicName } from "../../mqtt/topics";
import type { Client } from "../client";
import { BUSY, REJECTED } from "../outbound";
import { MessageStore, QUEUED, RECEIVED, SENT } from "./message-store";
import { QueuedProperties } from "./queued-properties";

/** Result of `publish`: the queue has no room, and its policy leaves the messages in it alone. */
export const QUEUE_FULL = -1;

const HANDLES = 0xffff_ffff;

export interface PublishQueueOptions {
	/** Messages, sent and not acknowledged ones included. */
	readonly messages: number;
	/** Bytes of their topics, payloads and properties. */
	readonly bytes: number;
	/**
	 * Bytes of the properties of one message, 0 … 65,535: one each, their values, and two more for each string.
	 * 0, the default: messages have none.
	 */
	readonly properties?: number;
	/**
	 * What gives way when there is no room: the new message ("reject"), or the oldest that were never sent
	 * ("dropOldest").
	 */
	readonly policy: "reject" | "dropOldest";
}

/** What became of a message. */
export interface PublishQueueHandler {
	/**
	 * The broker has taken a message of QoS 1 or 2, or refused it with a reason code of 0x80 or above. One of
	 * QoS 0 leaves the queue once a connection has taken it.
	 */
	onPublished?(handle: number, reasonCode: ReasonCode): void;
	/**
	 * The message gave way to a newer one, has expired, or is too large for the broker or the send buffer. May
	 * be called inside `publish()`.
	 */
	onDropped?(handle: number): void;
}

/**
 * Messages of an application that need not know whether a connection is open: they wait here, leave in
 * order, and stay until they are acknowledged, over any number of connections. The application creates the
 * queue with its client, passes the client's calls on to it, `onOpen`, `onWritable`, `onAcknowledged`,
 * `onReceived` and `onClosed`, and publishes nothing beside it with QoS 1 or 2. Allocates nothing after
 * construction.
 */
export class PublishQueue {
	/** Messages that gave way, expired, or that the broker's limits do not allow. */
	dropped = 0;
	readonly #store: MessageStore;
	readonly #client: Client;
	readonly #handler: PublishQueueHandler;
	readonly #dropsOldest: boolean;
	readonly #properties: QueuedProperties | undefined;
	#lastHandle = 0;
	/** Messages before it were sent on this connection. */
	#cursor = 0;
	#onFlushed: (() => void) | undefined;

	constructor(options: PublishQueueOptions, client: Client, handler: PublishQueueHandler) {
		const store = new MessageStore(options.messages, options.bytes);
		this.#store = store;
		if (options.properties) this.#properties = new QueuedProperties(options.properties, store, client.time);
		this.#client = client;
		this.#handler = handler;
		this.#dropsOldest = options.policy === "dropOldest";
	}

	/** Messages not acknowledged yet. */
	get count(): number {
		return this.#store.count;
	}

	/**
	 * Adds a message, and sends it at once if a connection takes it.
	 * @param payload copied from its start, `payloadLength` bytes
	 * @param flags RETAIN | QOS1 or QOS2
	 * @param properties copied; as of `Client.publish`. A message expiry counts down while the message waits,
	 *   with MQTT 3.1.1 as well; one that has passed drops a message that was never sent
	 * @returns its handle, or {@link QUEUE_FULL}
	 * @throws MQTTError for a topic name or properties that MQTT does not allow; 0x95 for properties that are
	 *   longer than the option `properties`
	 */
	publish(
		topic: Uint8Array,
		payload: Uint8Array,
		payloadLength: number,
		flags: number,
		properties?: PropertyWriter,
	): number {
		const store = this.#store;
		// [MQTT-3.3.2-2] [MQTT-4.7.3-1]
		if (!validTopicName(topic, 0, topic.length)) throw new MQTTError(TOPIC_NAME_INVALID, "not a topic name");
		let size = topic.length + payloadLength;
		let expiresAt = 0;
		if (properties !== undefined && properties.length > 0) {
			if (this.#properties === undefined)
				throw new MQTTError(PACKET_TOO_LARGE, "the queue's option `properties` is 0");
			expiresAt = this.#properties.expiry(properties);
			size += properties.length;
		}
		if (size > store.bytes.length) return QUEUE_FULL;
		if (!store.fits(size)) this.dropExpired();
		while (!store.fits(size)) if (!this.#dropsOldest || !this.dropOldest()) return QUEUE_FULL;
		this.#lastHandle = this.#lastHandle === HANDLES ? 1 : this.#lastHandle + 1;
		const handle = this.#lastHandle;
		store.add(handle, topic, payload, payloadLength, flags & (RETAIN | QOS1 | QOS2), properties, expiresAt);
		this.pump();
		return handle;
	}

	/** Messages that expired before they were sent; `dropped` counts them too. */
	get expired(): number {
		return this.#properties === undefined ? 0 : this.#properties.expired;
	}

	/**
	 * Drops the messages that have expired and were never sent. The queue does so itself when it has no room,
	 * and with each one whose turn it is; a program may do so while there is no connection.
	 */
	dropExpired(): void {
		if (this.#properties === undefined) return;
		const { now } = this.#properties;
		const store = this.#store;
		// `onDropped` may take messages back.
		for (let i = store.count - 1; i >= 0; i--) if (i < store.count && this.hasExpired(i, now)) this.expire(i);
	}

	/** Takes a message back. @returns false: it was sent, and the broker may have it, or it is gone */
	cancel(handle: number): boolean {
		const index = this.#store.find(handle);
		if (index < 0 || this.#store.packetId(index) > 0) return false;
		this.remove(index);
		return true;
	}

	/**
	 * @param callback called once the queue is empty: everything is acknowledged, dropped or cancelled; at once
	 *   if it is empty
	 * @throws Error if another waits for the same
	 */
	flush(callback: () => void): void {
		if (this.#onFlushed !== undefined) throw new Error("flush() while another one waits");
		this.#onFlushed = callback;
		this.checkFlushed();
	}

	/**
	 * Call in the client's `onOpen`. Without a session what was sent is new to the broker; what it acknowledged
	 * with PUBREC it has published. [MQTT-3.2.2-5] [MQTT-4.4.0-1]
	 */
	onOpen(sessionPresent: boolean): void {
		const store = this.#store;
		if (!sessionPresent)
			for (let i = store.count - 1; i >= 0; i--) {
				const state = store.state(i);
				if (this.#client.inFlight.hasTag(store.handle(i))) continue;
				if (state === RECEIVED) this.finish(i, 0);
				else if (state === SENT) store.setState(i, QUEUED, store.packetId(i));
			}
		this.pump();
	}

	/** Call in the client's `onWritable`. */
	onWritable(): void {
		this.pump();
	}

	/** Call in the client's `onAcknowledged`. @param tag handle of the message */
	onAcknowledged(_packetId: number, reasonCode: ReasonCode, tag: number): void {
		const index = tag > 0 ? this.#store.find(tag) : this.#store.findPacketId(_packetId);
		if (index >= 0) this.finish(index, reasonCode);
		this.pump();
	}

	/** Call in the client's `onReceived`. */
	onReceived(packetId: number): void {
		const index = this.#store.findPacketId(packetId);
		if (index >= 0) this.#store.setState(index, RECEIVED, packetId);
	}

	/** Call in the client's `onClosed`. */
	onClosed(): void {
		this.#cursor = 0;
		this.#properties?.update();
	}

	/** Sends what may be sent, in order. [MQTT-4.6.0-1] */
	private pump(): void {
		const client = this.#client;
		this.#properties?.update();
		if (client.state === "closed" || client.state === "connecting") return;
		while (this.#cursor < this.#store.count) {
			const properties = this.#properties;
			if (properties !== undefined && this.hasExpired(this.#cursor, properties.now)) {
				this.expire(this.#cursor);
				continue;
			}
			const sent = this.sendNext();
			if (sent === BUSY) return;
			if (sent === REJECTED) this.drop(this.#cursor);
			else if (sent === 0) this.remove(this.#cursor);
			else this.#cursor++;
		}
	}

	private sendNext(): number {
		const client = this.#client;
		const store = this.#store;
		const index = this.#cursor;
		const state = store.state(index);
		const packetId = store.packetId(index);
		if (state !== QUEUED && !client.negotiated.isAgreed) return client.awaitWritable();
		if (state === RECEIVED) return client.release(packetId);
		const start = store.start(index);
		const propertiesLength = store.propertiesLength(index);
		const flags = store.flags(index) | (state === SENT ? DUP : 0); // [MQTT-3.3.1-1]
		const id = client.publishRange(
			store.bytes,
			start,
			start + store.topicLength(index),
			start + store.size(index) - propertiesLength,
			flags,
			// Also in a new session: some brokers deny a session, and yet know the identifiers of its messages.
			packetId,
			store.handle(index),
			propertiesLength > 0 ? this.#properties?.current(store, index) : undefined,
		);
		if (id > 0) store.setState(index, SENT, id);
		return id;
	}

	/** @returns false: every message was sent */
	private dropOldest(): boolean {
		const store = this.#store;
		for (let i = 0; i < store.count; i++)
			if (store.packetId(i) === 0) {
				this.drop(i);
				return true;
			}
		return false;
	}

	/** Whether a message is not to be sent any more. One that the broker may have is. [MQTT-4.3.3-7] */
	private hasExpired(index: number, now: number): boolean {
		const store = this.#store;
		const expiresAt = store.expiresAt(index);
		return expiresAt > 0 && expiresAt < now && store.state(index) === QUEUED;
	}

	private expire(index: number): void {
		if (this.#properties !== undefined) this.#properties.expired++;
		this.drop(index);
	}

	private drop(index: number): void {
		const handle = this.#store.handle(index);
		this.dropped++;
		this.remove(index);
		this.#handler.onDropped?.(handle);
	}

	private finish(index: number, reasonCode: ReasonCode): void {
		const handle = this.#store.handle(index);
		this.remove(index);
		this.#handler.onPublished?.(handle, reasonCode);
	}

	private remove(index: number): void {
		this.#store.remove(index);
		if (index < this.#cursor) this.#cursor--;
		this.checkFlushed();
	}

	private checkFlushed(): void {
		const callback = this.#onFlushed;
		if (callback === undefined || this.#store.count > 0) return;
		this.#onFlushed = undefined;
		callback();
	}
}
