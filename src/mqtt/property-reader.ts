import { readUint32 } from "./bytes";
import { MALFORMED_PACKET } from "./constants";
import { propertyType } from "./properties";
import {
	TYPE_BINARY,
	TYPE_BYTE,
	TYPE_NONE,
	TYPE_STRING,
	TYPE_STRING_PAIR,
	TYPE_UINT16,
	TYPE_UINT32,
} from "./property-types";
import { validUTF8 } from "./utf8";
import { readVarint, varintSize } from "./varint";

/**
 * Iterates over the properties of one packet (§2.2.2) in place. Valid as long as its packet.
 *
 * ```ts
 * properties.rewind();
 * while (properties.next()) if (properties.id === MESSAGE_EXPIRY_INTERVAL) expiry = properties.number;
 * ```
 */
export class PropertyReader {
	/** The array that the ranges below index. */
	bytes: Uint8Array;
	/** Identifier of the current property; 0 before the first and after the last. */
	id = 0;
	/** Value of the current property if it is an integer. */
	number = 0;
	/** Range of the current property's value if it is a string or binary data: [start, end). */
	start = 0;
	end = 0;
	/** Range of the current user property's name: [nameStart, nameEnd). */
	nameStart = 0;
	nameEnd = 0;
	/** Range of all properties, without their length: [from, to). Empty in MQTT 3.1.1. */
	from = 0;
	to = 0;
	/** The identifiers present: bit n of `idsLow` is identifier n, bit n of `idsHigh` is n + 32. */
	idsLow = 0;
	idsHigh = 0;
	/** The index after the current property. */
	at = 0;
	/** The reason code if `next()` stopped before the end; 0 in a packet passed to a handler. */
	errorCode: 0 | typeof MALFORMED_PACKET = 0;

	constructor(bytes: Uint8Array) {
		this.bytes = bytes;
	}

	/** Sets the properties to [from, to) of `bytes`. */
	setRange(bytes: Uint8Array, from: number, to: number): void {
		this.bytes = bytes;
		this.from = from;
		this.to = to;
		this.at = from;
		this.id = 0;
		this.errorCode = 0;
		this.idsLow = 0;
		this.idsHigh = 0;
	}

	/** Whether there is no property at all. */
	get empty(): boolean {
		return this.from === this.to;
	}

	/** Moves back to before the first property. */
	rewind(): void {
		this.at = this.from;
		this.id = 0;
	}

	/** Whether a property with this identifier occurs. */
	has(id: number): boolean {
		return ((id < 32 ? this.idsLow : this.idsHigh) & (1 << (id & 31))) !== 0;
	}

	/** Makes the first property with this identifier the current one; false if there is none. */
	find(id: number): boolean {
		this.rewind();
		if (!this.has(id)) return false;
		while (this.next()) if (this.id === id) return true;
		return false;
	}

	/** Makes the next property the current one; false after the last. */
	next(): boolean {
		const to = this.to;
		let at = this.at;
		if (at >= to) {
			this.id = 0;
			return false;
		}
		const bytes = this.bytes;
		const id = bytes[at++];
		const type = propertyType(id);
		let next = at;
		switch (type) {
			case TYPE_BYTE:
				next = at + 1;
				if (next <= to) this.number = bytes[at];
				break;
			case TYPE_UINT16:
				next = at + 2;
				if (next <= to) this.number = (bytes[at] << 8) | bytes[at + 1];
				break;
			case TYPE_UINT32:
				next = at + 4;
				if (next <= to) this.number = readUint32(bytes, at);
				break;
			case TYPE_STRING:
			case TYPE_BINARY:
				next = this.readField(at, type);
				break;
			case TYPE_STRING_PAIR:
				next = this.readField(at, TYPE_STRING);
				if (next > to) break;
				this.nameStart = this.start;
				this.nameEnd = this.end;
				next = this.readField(next, TYPE_STRING); // [MQTT-1.5.7-1]
				break;
			case TYPE_NONE:
				return this.fail(); // an identifier that no packet may carry (§2.2.2.2)
			default: {
				const value = readVarint(bytes, at, to);
				if (value < 0) return this.fail();
				this.number = value;
				next = at + varintSize(value);
			}
		}
		if (next > to) return this.fail();
		this.id = id;
		this.at = next;
		return true;
	}

	/**
	 * Sets start and end to the string or binary field at `at`; returns the index after it, which is beyond
	 * `to` if the field is malformed.
	 */
	private readField(at: number, type: number): number {
		const to = this.to;
		const start = at + 2;
		if (start > to) return start;
		const end = start + ((this.bytes[at] << 8) | this.bytes[at + 1]);
		if (end > to) return end;
		this.start = start;
		this.end = end;
		// [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-3.3.2-13] [MQTT-3.3.2-19]
		if (type === TYPE_STRING && !validUTF8(this.bytes, start, end)) return to + 1;
		return end;
	}

	private fail(): boolean {
		this.errorCode = MALFORMED_PACKET;
		this.id = 0;
		return false;
	}
}
