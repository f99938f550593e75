import { utf8 } from "../../mqtt/utf8";
import type { BrokerClock } from "../pool/clock";
import type { Host } from "../pool/host";

/** The longest text that write() makes, bytes. */
export const TIMESTAMP_LIMIT = 24;

const DAY_MS = 86_400_000;
const ZERO = 0x30;

/**
 * The arrival time of a value as text: ISO 8601 in UTC with milliseconds if the host's clock is set, else the
 * age in whole seconds. Clients request it with a user property in CONNECT, and receive it in a user property
 * of the same name.
 */
export class Timestamp {
	/** `firefly-time`. */
	readonly propertyName = utf8("firefly-time");
	/** The text written last, from index 0. */
	readonly text: Uint8Array;
	readonly #host: Host;
	readonly #clock: BrokerClock;

	constructor(host: Host, clock: BrokerClock, text: Uint8Array) {
		this.#host = host;
		this.#clock = clock;
		this.text = text;
	}

	/** Writes an arrival time, ms of the broker's clock, as text. @returns its length, bytes */
	write(arrived: number): number {
		const age = this.#clock.nowMs - arrived;
		if (this.#host.clockIsSet === false) return writeDecimal(this.text, 0, Math.floor(age / 1000));
		return writeIso8601(this.text, Date.now() - age);
	}

	/** Copies name and text, each with its length, and returns the index after them. */
	copyProperty(bytes: Uint8Array, at: number, length: number): number {
		const { propertyName, text } = this;
		const size = propertyName.length;
		bytes[at] = 0;
		bytes[at + 1] = size;
		bytes.set(propertyName, at + 2);
		at += 2 + size;
		bytes[at] = 0;
		bytes[at + 1] = length;
		at += 2;
		for (let i = 0; i < length; i++) bytes[at++] = text[i];
		return at;
	}

	/** Whether [start, end) holds the property name. */
	isPropertyName(bytes: Uint8Array, start: number, end: number): boolean {
		const { propertyName } = this;
		if (end - start !== propertyName.length) return false;
		for (let i = 0; i < propertyName.length; i++) if (bytes[start + i] !== propertyName[i]) return false;
		return true;
	}
}

/** Writes a whole number of at most 15 digits and returns the index after it. */
export function writeDecimal(bytes: Uint8Array, at: number, value: number): number {
	let scale = 1;
	while (value >= scale * 10) scale *= 10;
	for (; scale >= 1; scale /= 10) bytes[at++] = ZERO + (Math.floor(value / scale) % 10);
	return at;
}

/**
 * Writes ms since 1970 as ISO 8601, `2015-02-02T14:19:00.000Z`, and returns its length. A Date would have to
 * be allocated.
 */
function writeIso8601(bytes: Uint8Array, time: number): number {
	const days = Math.floor(time / DAY_MS);
	const ms = time - days * DAY_MS;
	// Days to year, month and day in the Gregorian calendar; years begin in March, eras of 400 years on 1 March
	// of year 0
	const shifted = days + 719_468;
	const era = Math.floor(shifted / 146_097);
	const day = shifted - era * 146_097;
	const year = Math.floor(
		(day - Math.floor(day / 1460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365,
	);
	const ofYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
	const month = Math.floor((5 * ofYear + 2) / 153);
	const january = month >= 10;
	const seconds = Math.floor(ms / 1000);
	pad(bytes, 0, year + era * 400 + (january ? 1 : 0), 4, 0x2d);
	pad(bytes, 5, january ? month - 9 : month + 3, 2, 0x2d);
	pad(bytes, 8, ofYear - Math.floor((153 * month + 2) / 5) + 1, 2, 0x54);
	pad(bytes, 11, Math.floor(seconds / 3600), 2, 0x3a);
	pad(bytes, 14, Math.floor(seconds / 60) % 60, 2, 0x3a);
	pad(bytes, 17, seconds % 60, 2, 0x2e);
	pad(bytes, 20, Math.floor(ms) % 1000, 3, 0x5a);
	return 24;
}

/** Writes `value` with leading zeros, then a separator. */
function pad(bytes: Uint8Array, at: number, value: number, digits: number, separator: number): void {
	let rest = value;
	for (let i = at + digits - 1; i >= at; i--) {
		bytes[i] = ZERO + (rest % 10);
		rest = Math.floor(rest / 10);
	}
	bytes[at + digits] = separator;
}
