import { expand } from "../config/template";
import type { Settings } from "../config/types";
import type { Device } from "../device";
import { QOS1, RETAIN } from "../mqtt/constants";
import { utf8 } from "../mqtt/utf8";
import { TIME_LENGTH, validTime, writeTime } from "./civil";
import { Decimal, NUMBER_LENGTH, writeDecimal, writeInteger, writeNull, writeNumber } from "./decimal";
import type { Record } from "./record";
import { RECORD_HEADER, VALUE_LIMIT } from "./record";

const CLOSE = 0x7d;

/** All texts of a node's messages, in UTF-8. */
class Texts {
	/** For each sensor. */
	readonly topics: Uint8Array[] = [];
	/** `,"name":` for each sensor. */
	readonly keys: Uint8Array[] = [];
	readonly sequence = utf8('{"seq":');
	readonly time = utf8(',"time":');
	readonly dropped = utf8(',"dropped":');
	/** Bytes of the longest payload. */
	readonly size: number;

	constructor({ sensors, topic, payload, id }: Settings, { mac, chip }: Pick<Device, "mac" | "chip">) {
		const json = payload === "json";
		let size = json ? this.sequence.length + 10 + this.time.length + TIME_LENGTH + 2 + this.dropped.length + 12 : NUMBER_LENGTH;
		for (const { name } of sensors) {
			this.topics.push(utf8(expand(topic, { mac, chip, id, sensor: name })));
			if (!json) continue;
			const key = utf8(`,${JSON.stringify(name)}:`);
			this.keys.push(key);
			size += key.length + NUMBER_LENGTH;
		}
		this.size = size;
	}
}

/** Turns records into messages: topic, payload and flags. The first use encodes all texts; after that nothing is allocated. */
export class Reports {
	/** Whether one report holds all values of a wake; else each sensor has its own. */
	readonly grouped: boolean;
	/** Bytes of the longest record. */
	readonly longest: number;

	readonly #settings: Settings;
	readonly #device: Pick<Device, "mac" | "chip">;
	readonly #json: boolean;
	readonly #decimal = new Decimal();
	#texts: Texts | undefined;
	#payload: Uint8Array | undefined;

	constructor(settings: Settings, device: Pick<Device, "mac" | "chip">) {
		const { sensors, topic, payload } = settings;
		this.#settings = settings;
		this.#device = device;
		this.#json = payload === "json";
		this.grouped = this.#json && !topic.includes("{sensor}");
		this.longest = RECORD_HEADER + VALUE_LIMIT * (this.grouped ? sensors.length : 1);
	}

	/** What {@link write} writes to. @throws RangeError where a topic is no MQTT string, as all but `flags` do */
	get payload(): Uint8Array {
		this.#payload ??= new Uint8Array(this.#encoded().size);
		return this.#payload;
	}

	/** Topic of an opened record. */
	topic(record: Record): Uint8Array {
		record.rewind();
		record.next();
		return this.#encoded().topics[record.sensor];
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
			return this.#writeValue(bytes, 0, record);
		}
		const texts = this.#encoded();
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
		while (record.next()) at = this.#writeValue(bytes, copy(bytes, at, texts.keys[record.sensor]), record);
		bytes[at] = CLOSE;
		return at + 1;
	}

	#writeValue(bytes: Uint8Array, at: number, record: Record): number {
		if (!record.isDecimal) return writeNumber(bytes, at, record.float, this.#decimal);
		const { mantissa, scale } = record.decimal;
		return writeDecimal(bytes, at, mantissa, scale);
	}

	#encoded(): Texts {
		this.#texts ??= new Texts(this.#settings, this.#device);
		return this.#texts;
	}
}

function copy(to: Uint8Array, at: number, from: Uint8Array): number {
	to.set(from, at);
	return at + from.length;
}
