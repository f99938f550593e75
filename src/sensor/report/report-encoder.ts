import { isBinary } from "../../config/binary-value";
import type { Settings } from "../../config/types";
import type { Device } from "../../device";
import { RETAIN } from "../../mqtt/constants";
import { validTopicName } from "../../mqtt/topics";
import { utf8OfValid } from "../../mqtt/utf8";
import { padDecimals, writeDecimal, writeInteger, writeNull, writeNumber } from "../../text/decimal";
import { isIso8601Time, writeIso8601 } from "../../text/iso8601";
import type { ReportRecord } from "../outbox/report-record";
import { RECORD_HEADER, TIME_UNKNOWN, VALUE_LIMIT } from "../outbox/report-record";
import type { DerivedSettings } from "../settings/derived-settings";
import { topicLength, writeTopic } from "../settings/topic";

const CLOSING_BRACE = 0x7d;

/**
 * Encodes records as messages: topic, payload and flags. The first use makes their buffer; after that nothing
 * is allocated.
 */
export class ReportEncoder {
	/** Whether one report holds all values of a wake; otherwise each sensor has its own reports. */
	readonly grouped: boolean;
	/** Bytes of the longest record. */
	readonly longestRecord: number;

	private readonly settings: Settings;
	private readonly device: Pick<Device, "mac" | "chip">;
	/** Whether payloads are JSON; otherwise each is a bare value. */
	readonly json: boolean;
	private readonly derived: DerivedSettings;
	/** Values of the record that {@link writePayload} has written so far; 0: all of them, it is complete. */
	valuesWritten = 0;
	/** Topic and payload of a message, then `{mac}` and `{chip}`; see {@link message}. */
	private bytes: Uint8Array | undefined;
	/** Where the device's texts begin. */
	private macAt = 0;
	private chipAt = 0;
	/** Index of the topic at the start of the message; −1: none is there. */
	private topicWritten = -1;
	private topicEnd = 0;

	constructor(settings: Settings, derived: DerivedSettings, device: Pick<Device, "mac" | "chip">) {
		const { sensors, topic, payload } = settings;
		this.settings = settings;
		this.derived = derived;
		this.device = device;
		this.json = payload !== "value";
		this.grouped = this.json && !topic.includes("{sensor}");
		this.longestRecord = RECORD_HEADER + VALUE_LIMIT * (this.grouped ? sensors.length : 1);
	}

	/** Buffer that {@link writeTopic} and {@link writePayload} write to. */
	get message(): Uint8Array {
		const bytes = this.bytes;
		return bytes === undefined ? this.makeMessage() : bytes;
	}

	/** The same buffer, for a message about the node itself. */
	get payload(): Uint8Array {
		this.topicWritten = -1;
		return this.message;
	}

	/** Their buffer is free until the next use. */
	release(): void {
		this.bytes = undefined;
		this.topicWritten = -1;
	}

	private makeMessage(): Uint8Array {
		const { size, sharedSize, diagnostics, topics } = this.derived;
		const mac = utf8OfValid(this.device.mac);
		const chip = utf8OfValid(this.device.chip);
		let longest = 0;
		for (let i = 0; i < topics.length; i++)
			longest = Math.max(longest, topicLength(topics[i], mac.length, chip.length));
		const macAt = Math.max(longest + Math.max(size, sharedSize), diagnostics?.size ?? 0);
		const chipAt = macAt + mac.length;
		this.macAt = macAt;
		this.chipAt = chipAt;
		const bytes = new Uint8Array(chipAt + chip.length);
		bytes.set(mac, macAt);
		bytes.set(chip, chipAt);
		this.bytes = bytes;
		return bytes;
	}

	/**
	 * Writes the topic of a parsed record to the start of {@link message}, unless it is there.
	 * @returns where it ends
	 * @throws RangeError if it is no topic name
	 */
	writeTopic(record: ReportRecord): number {
		const topic = this.topicIndex(record);
		if (topic === this.topicWritten) return this.topicEnd;
		const bytes = this.message;
		const end = writeTopic(this.derived.topics[topic], bytes, this.macAt, this.chipAt);
		this.topicWritten = -1;
		// [MQTT-3.3.2-1] [MQTT-3.3.2-2]
		if (!this.derived.hasTopicNames && !validTopicName(bytes, 0, end))
			throw new RangeError("not a topic name");
		this.topicWritten = topic;
		this.topicEnd = end;
		return end;
	}

	/** Topic index of a parsed record: the index of its sensor, or 0 if all reports share a topic. */
	topicIndex(record: ReportRecord): number {
		return this.grouped ? 0 : record.bytes[RECORD_HEADER];
	}

	/**
	 * RETAIN and QoS bits (§3.3.1) of a parsed record: the highest that any of its sensors requires.
	 * @param maximumQoS of the broker [MQTT-3.2.2-11]
	 */
	publishFlags(record: ReportRecord, maximumQoS: number): number {
		const sensors = this.settings.sensors;
		if (!this.grouped) {
			const sensor = sensors[record.bytes[RECORD_HEADER]];
			const bits = (sensor.qos < maximumQoS ? sensor.qos : maximumQoS) << 1;
			return sensor.retain ? bits | RETAIN : bits;
		}
		let flags = 0;
		let highest = 0;
		record.rewindValues();
		while (record.nextValue()) {
			const { qos, retain } = sensors[record.sensor];
			if (qos > highest) highest = qos;
			if (retain) flags |= RETAIN;
		}
		return flags | ((highest < maximumQoS ? highest : maximumQoS) << 1);
	}

	/** Writes the payload of a parsed record to {@link message}: its value. @returns where it ends */
	writeBareValue(record: ReportRecord, start: number): number {
		this.valuesWritten = 0;
		record.readFirstValue();
		return this.writeValue(this.message, start, record);
	}

	/**
	 * Writes the JSON of a parsed record to {@link message} and returns where it ends. What is longer
	 * than `limit` is split: each part repeats sequence number and time, and holds as many of the values as
	 * fit, at least one. {@link valuesWritten} then continues it.
	 * @param wallOffset wall time − node time in ms, for records sampled before wall time was known; NaN: still
	 *   unknown
	 * @param dropped reports dropped since power-on; written to JSON payloads unless 0
	 * @param limit where it must end @param firstValue values that earlier parts hold
	 * @param start where it begins
	 */
	writePayload(
		record: ReportRecord,
		wallOffset: number,
		dropped: number,
		limit: number,
		firstValue: number,
		start: number,
	): number {
		const bytes = this.message;
		this.valuesWritten = 0;
		record.rewindValues();
		const derived = this.derived;
		let at = copy(bytes, start, derived.sequence);
		at = writeInteger(bytes, at, record.sequence);
		at = copy(bytes, at, derived.time);
		const time = !record.relative ? record.time : record.time < TIME_UNKNOWN ? record.time + wallOffset : NaN;
		if (isIso8601Time(time)) {
			bytes[at] = 0x22;
			at = writeIso8601(bytes, at + 1, time);
			bytes[at++] = 0x22;
		} else at = writeNull(bytes, at);
		if (dropped > 0) at = writeInteger(bytes, copy(bytes, at, derived.dropped), dropped);
		at = this.writeValues(bytes, at, record, limit, firstValue);
		bytes[at] = CLOSING_BRACE;
		return at + 1;
	}

	/** Writes values from `firstValue` on, until the closing brace would be beyond `limit`. */
	private writeValues(
		bytes: Uint8Array,
		at: number,
		record: ReportRecord,
		limit: number,
		firstValue: number,
	): number {
		const { keys } = this.derived;
		for (let index = 0; record.nextValue(); index++) {
			if (index < firstValue) continue;
			const end = this.writeValue(bytes, copy(bytes, at, keys[record.sensor]), record);
			if (end >= limit && index > firstValue) {
				this.valuesWritten = index;
				break;
			}
			at = end;
		}
		return at;
	}

	private writeValue(bytes: Uint8Array, at: number, record: ReportRecord): number {
		const decimal = record.decimal;
		const sensor = this.settings.sensors[record.sensor];
		const booleanWords = this.derived.booleanWords;
		if (booleanWords !== undefined && isBinary(sensor))
			return copy(
				bytes,
				at,
				booleanWords[(record.isDecimal ? decimal.mantissa : record.float) === 0 ? 0 : 1],
			);
		const end = record.isDecimal
			? writeDecimal(bytes, at, decimal.mantissa, decimal.scale)
			: writeNumber(bytes, at, record.float, decimal);
		const decimals = sensor.decimals;
		return decimals === undefined || decimals === 0 ? end : padDecimals(bytes, at, end, decimals);
	}
}

function copy(to: Uint8Array, at: number, from: Uint8Array): number {
	to.set(from, at);
	return at + from.length;
}
