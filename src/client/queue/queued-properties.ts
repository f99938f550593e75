import type { Time } from "../../device";
import { PACKET_TOO_LARGE } from "../../mqtt/constants";
import { MQTTError } from "../../mqtt/error";
import { MESSAGE_EXPIRY_INTERVAL } from "../../mqtt/properties";
import { PropertyReader } from "../../mqtt/property-reader";
import { PropertyWriter } from "../../mqtt/property-writer";
import { checkMessageProperties } from "../message-properties";
import type { MessageStore } from "./message-store";

/** Range of ticks of 32 bits; nearer than a quarter of it, they are taken at their word. */
const TICKS_RANGE_MS = 0x1_0000_0000;
const FAR_BACK_MS = -0x4000_0000;

/**
 * The properties of messages in a queue, and the clock by which they expire. Only a queue whose option
 * `properties` is not 0 has one. Allocates nothing after construction.
 */
export class QueuedProperties {
	/** Messages that expired before they were sent. */
	expired = 0;
	readonly #time: Pick<Time, "ticks" | "delta">;
	readonly #reader: PropertyReader;
	/** Those of the message that is being sent. */
	readonly #writer: PropertyWriter;
	/** ms since construction, at `#ticks`: unlike ticks it does not wrap. */
	#nowMs = 1;
	#ticks: number;

	/** @param size bytes of the properties of one message, at most 65,535 */
	constructor(size: number, store: MessageStore, time: Pick<Time, "ticks" | "delta">) {
		if (!(size <= 0xffff)) throw new RangeError(`properties: ${size} bytes, not 0 to 65,535`);
		this.#time = time;
		this.#ticks = time.ticks;
		this.#reader = new PropertyReader(store.bytes);
		this.#writer = new PropertyWriter(size);
	}

	/**
	 * ms. Must be asked every 37 days: ticks of 32 bits wrap, and what seems to have gone far back has gone on.
	 * Every use of the queue does so, and each connection, tried or made.
	 */
	get now(): number {
		this.update();
		return this.#nowMs;
	}

	update(): void {
		const { ticks } = this.#time;
		const elapsed = this.#time.delta(this.#ticks, ticks);
		this.#nowMs += elapsed < FAR_BACK_MS ? elapsed + TICKS_RANGE_MS : elapsed;
		this.#ticks = ticks;
	}

	/** When a message that is added now expires, ms; 0: never. @throws MQTTError as `PublishQueue.publish` */
	expiry(properties: PropertyWriter): number {
		if (properties.length > this.#writer.bytes.length)
			throw new MQTTError(PACKET_TOO_LARGE, "the properties are longer than the queue's option `properties`");
		checkMessageProperties(properties);
		const reader = this.#reader;
		reader.setRange(properties.bytes, 0, properties.length);
		while (reader.next()) if (reader.id === MESSAGE_EXPIRY_INTERVAL) return this.now + reader.number * 1000;
		return 0;
	}

	/**
	 * The properties of a message as they leave: the expiry less the time that it has waited (§3.3.2.3.3). A
	 * message that was sent before leaves once more even if it has expired [MQTT-4.4.0-1], with one second:
	 * some brokers take 0 for no expiry.
	 */
	current(store: MessageStore, index: number): PropertyWriter {
		const reader = this.#reader;
		const writer = this.#writer.reset();
		const end = store.start(index) + store.size(index);
		reader.setRange(store.bytes, end - store.propertiesLength(index), end);
		while (reader.next())
			if (reader.id === MESSAGE_EXPIRY_INTERVAL) {
				const seconds = Math.ceil((store.expiresAt(index) - this.now) / 1000);
				writer.messageExpiryInterval(seconds > 1 ? seconds : 1);
			} else writer.copy(reader);
		return writer;
	}
}
