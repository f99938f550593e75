import type { Settings } from "../config/types";
import type { Device } from "../device";
import { QOS1, RETAIN } from "../mqtt/constants";
import { utf8 } from "../mqtt/utf8";
import { validTime, writeTime } from "./civil";
import { writeDecimal, writeInteger, writeNull, writeNumber } from "./decimal";
import type { Plan } from "./plan";
import type { Record } from "./record";
import { RECORD_HEADER, VALUE_LIMIT } from "./record";
import { fillTopic } from "./topic";

const CLOSE = 0x7d;

/** Turns records into messages: topic, payload and flags. The first use encodes the topics; after that nothing is allocated. */
export class Reports {
	/** Whether one report holds all values of a wake; else each sensor has its own. */
	readonly grouped: boolean;
	/** Bytes of the longest record. */
	readonly longest: number;

	readonly #settings: Settings;
	readonly #device: Pick<Device, "mac" | "chip">;
	readonly #json: boolean;
	readonly #plan: Plan;
	#topics: readonly Uint8Array[] | undefined;
	#payload: Uint8Array | undefined;

	constructor(settings: Settings, plan: Plan, device: Pick<Device, "mac" | "chip">) {
		const { sensors, topic, payload } = settings;
		this.#settings = settings;
		this.#plan = plan;
		this.#device = device;
		this.#json = payload === "json";
		this.grouped = this.#json && !topic.includes("{sensor}");
		this.longest = RECORD_HEADER + VALUE_LIMIT * (this.grouped ? sensors.length : 1);
	}

	/** What {@link write} writes to. */
	get payload(): Uint8Array {
		this.#payload ??= new Uint8Array(this.#plan.size);
		return this.#payload;
	}

	/** Topic of an opened record. */
	topic(record: Record): Uint8Array {
		this.#topics ??= this.encode();
		return this.#topics[record.bytes[RECORD_HEADER]];
	}

	/** Index of the sensor by which the topic of an opened record goes: the first one's where it serves all. */
	topicIndex(record: Record): number {
		return this.grouped ? 0 : record.bytes[RECORD_HEADER];
	}

	/** RETAIN and QoS bits (§3.3.1) of an opened record: the strongest that its sensors ask for. QoS 2 is sent as QoS 1. */
	flags(record: Record): number {
		const { sensors } = this.#settings;
		let flags = 0;
		record.rewind();
		while (record.next()) {
			const { qos, retain } = sensors[record.sensor];
			if (qos > 0) flags |= QOS1;
			if (retain) flags |= RETAIN;
		}
		return flags;
	}

	/**
	 * Writes the payload of an opened record to {@link payload} and returns its length.
	 * @param offset wall time − node time in ms, for records that were taken before wall time was known; NaN: still unknown
	 * @param dropped reports given up since power-on; named in JSON where there are any
	 */
	write(record: Record, offset: number, dropped: number): number {
		const bytes = this.payload;
		record.rewind();
		if (!this.#json) {
			record.next();
			return this.writeValue(bytes, 0, record);
		}
		const texts = this.#plan;
		let at = copy(bytes, 0, texts.sequence);
		at = writeInteger(bytes, at, record.sequence);
		at = copy(bytes, at, texts.time);
		const time = record.relative ? record.time + offset : record.time;
		if (validTime(time)) {
			bytes[at] = 0x22;
			at = writeTime(bytes, at + 1, time);
			bytes[at++] = 0x22;
		} else at = writeNull(bytes, at);
		if (dropped > 0) at = writeInteger(bytes, copy(bytes, at, texts.dropped), dropped);
		while (record.next()) at = this.writeValue(bytes, copy(bytes, at, texts.keys[record.sensor]), record);
		bytes[at] = CLOSE;
		return at + 1;
	}

	private writeValue(bytes: Uint8Array, at: number, record: Record): number {
		if (!record.isDecimal) return writeNumber(bytes, at, record.float, record.decimal);
		const { mantissa, scale } = record.decimal;
		return writeDecimal(bytes, at, mantissa, scale);
	}

	private encode(): readonly Uint8Array[] {
		const mac = utf8(this.#device.mac);
		const chip = utf8(this.#device.chip);
		const topics: Uint8Array[] = [];
		for (let i = 0; i < this.#plan.topics.length; i++) topics.push(fillTopic(this.#plan.topics[i], mac, chip));
		return topics;
	}
}

function copy(to: Uint8Array, at: number, from: Uint8Array): number {
	to.set(from, at);
	return at + from.length;
}
