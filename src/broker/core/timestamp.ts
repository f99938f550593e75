import { utf8 } from "../../mqtt/utf8";
import { writeInteger } from "../../text/decimal";
import { ISO8601_LENGTH, writeIso8601 } from "../../text/iso8601";
import type { BrokerClock } from "../pool/clock";
import type { Host } from "../pool/host";

/** The longest text that write() makes, bytes. */
export const TIMESTAMP_LIMIT = ISO8601_LENGTH;

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
		if (this.#host.clockIsSet === false) return writeInteger(this.text, 0, Math.floor(age / 1000));
		return writeIso8601(this.text, 0, Date.now() - age);
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
