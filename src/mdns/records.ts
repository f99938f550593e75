import { CLASS_FLAG, CLASS_IN, TYPE_A, TYPE_ANY, TYPE_NSEC, TYPE_PTR, TYPE_SRV, TYPE_TXT } from "./constants";
import type { MessageReader } from "./message-reader";
import type { MessageWriter } from "./message-writer";
import { instanceName, isInstance, NAME_HOST, NAME_TYPES, type Names, typeName } from "./names";

/** A service that a host announces (RFC 6763). */
export interface Service {
	/** Type and protocol, such as "_mqtt._tcp". */
	readonly type: string;
	readonly port: number;
	/** One "key=value" for the TXT record, in ASCII; absent: none. */
	readonly text?: string;
}

/** A set of records: bit n stands for record n. */
export type RecordSet = number;

// Records: two of the host, then five of each service
const HOST_ADDRESS = 0;
const HOST_TYPES = 1;
const HOST_RECORDS = 2;
const PORT = 0;
const TEXT = 1;
const POINTER = 2;
const LISTED_TYPE = 3;
const INSTANCE_TYPES = 4;
const SERVICE_RECORDS = 5;

/** Lifetimes in s: of records that name a host or its address, and of all others (RFC 6762 §10). */
const HOST_TTL_S = 120;
const OTHER_TTL_S = 4500;
/** The most that a resolver is told that does not speak Multicast DNS (RFC 6762 §6.7). */
const LEGACY_TTL_S = 10;

// Forms of a record in a message
/** To all: it replaces what others have. */
export const FORM_MULTICAST = 0;
/** To a resolver that does not speak Multicast DNS: short-lived, no flag, names in full (§6.7, §18.14). */
export const FORM_LEGACY = 1;
/** To be deleted (§10.1). */
export const FORM_GOODBYE = 2;
/** Claimed, and not yet owned (§8.2). */
export const FORM_PROBE = 3;
export type RecordForm = typeof FORM_MULTICAST | typeof FORM_LEGACY | typeof FORM_GOODBYE | typeof FORM_PROBE;

/** "These are all types of records that the name has" (RFC 4034 §4.1.2): A; TXT and SRV. */
const HOST_BITMAP = Object.freeze([0, 1, 0x40]);
const INSTANCE_BITMAP = Object.freeze([0, 5, 0, 0, 0x80, 0, 0x40]);

/** The records of a host and its services: an IPv4 address, and SRV, TXT and PTR of each service. */
export class Records {
	/** IPv4 address of the host, 32 bits. */
	address = 0;
	readonly names: Names;
	readonly count: number;
	#services: readonly Service[];

	constructor(names: Names, services: readonly Service[]) {
		this.names = names;
		this.#services = services;
		this.count = HOST_RECORDS + SERVICE_RECORDS * services.length;
	}

	/** Those that are announced: all but the lists of types. */
	get announced(): RecordSet {
		return this.#all & ~this.#kind(INSTANCE_TYPES) & ~(1 << HOST_TYPES);
	}

	/** Those that others may have too: to be answered after a random wait (RFC 6762 §6). */
	get shared(): RecordSet {
		return this.#kind(POINTER) | this.#kind(LISTED_TYPE);
	}

	/** Those that end with this host; a type of service may be listed by others. */
	get ending(): RecordSet {
		return this.announced & ~this.#kind(LISTED_TYPE);
	}

	/** Those that only a Multicast DNS querier understands. */
	get typeLists(): RecordSet {
		return this.#kind(INSTANCE_TYPES) | (1 << HOST_TYPES);
	}

	/** What is claimed by probing, the records of a name in the order of their types (RFC 6762 §8.2.1). */
	get claimed(): RecordSet {
		return this.announced & ~this.shared;
	}

	/** Answers to a question for a name of this host. */
	answers(name: number, type: number): RecordSet {
		const any = type === TYPE_ANY;
		if (name === NAME_HOST) return type === TYPE_A || any ? 1 << HOST_ADDRESS : 1 << HOST_TYPES;
		if (name === NAME_TYPES) return type === TYPE_PTR || any ? this.#kind(LISTED_TYPE) : 0;
		const service = this.#serviceOf(name);
		if (service < 0) return 0;
		const first = HOST_RECORDS + SERVICE_RECORDS * service;
		if (!isInstance(name)) return type === TYPE_PTR || any ? 1 << (first + POINTER) : 0;
		const port = 1 << (first + PORT);
		const text = 1 << (first + TEXT);
		if (any) return port | text;
		return type === TYPE_SRV ? port : type === TYPE_TXT ? text : 1 << (first + INSTANCE_TYPES);
	}

	/** What whoever got these answers will ask for next (RFC 6763 §12). */
	additional(answers: RecordSet): RecordSet {
		let more = 0;
		for (let service = 0; service < this.#services.length; service++) {
			const first = HOST_RECORDS + SERVICE_RECORDS * service;
			if ((answers & (1 << (first + POINTER))) !== 0) more |= (1 << (first + PORT)) | (1 << (first + TEXT));
			if (((answers | more) & (1 << (first + PORT))) !== 0) more |= 1 << HOST_ADDRESS;
		}
		return more & ~answers;
	}

	nameOf(record: number): number {
		if (record < HOST_RECORDS) return NAME_HOST;
		const kind = kindOf(record);
		if (kind === LISTED_TYPE) return NAME_TYPES;
		return kind === POINTER ? typeName(serviceOf(record)) : instanceName(serviceOf(record));
	}

	typeOf(record: number): number {
		if (record === HOST_ADDRESS) return TYPE_A;
		if (record === HOST_TYPES) return TYPE_NSEC;
		const kind = kindOf(record);
		if (kind === PORT) return TYPE_SRV;
		if (kind === TEXT) return TYPE_TXT;
		return kind === INSTANCE_TYPES ? TYPE_NSEC : TYPE_PTR;
	}

	/** Lifetime in s. */
	ttlOf(record: number): number {
		return record < HOST_RECORDS || kindOf(record) === PORT ? HOST_TTL_S : OTHER_TTL_S;
	}

	/** Writes a record into a section. @returns false: there is no room */
	write(writer: MessageWriter, section: number, record: number, form: RecordForm): boolean {
		const start = writer.length;
		const owned = ((1 << record) & this.shared) === 0 && (form === FORM_MULTICAST || form === FORM_GOODBYE);
		const ttl = this.ttlOf(record);
		writer.name(this.nameOf(record));
		writer.uint16(this.typeOf(record));
		writer.uint16(owned ? CLASS_IN | CLASS_FLAG : CLASS_IN);
		writer.uint32(form === FORM_GOODBYE ? 0 : form === FORM_LEGACY ? Math.min(ttl, LEGACY_TTL_S) : ttl);
		const lengthAt = writer.length;
		writer.uint16(0);
		this.#writeData(writer, record, form !== FORM_LEGACY);
		writer.dataLength(lengthAt);
		return writer.finish(section, start);
	}

	/** Whether the reader's entry has the data of a record of the same name and type. */
	hasData(record: number, reader: MessageReader): boolean {
		const { bytes, dataAt, dataLength } = reader;
		if (record === HOST_ADDRESS) return dataLength === 4 && reader.uint32(dataAt) === this.address;
		const service = this.#services[serviceOf(record)];
		switch (kindOf(record)) {
			case PORT:
				return (
					dataLength > 6 &&
					reader.uint32(dataAt) === 0 &&
					reader.uint16(dataAt + 4) === service.port &&
					this.names.matches(NAME_HOST, bytes, dataAt + 6)
				);
			case TEXT: {
				const { text = "" } = service;
				if (dataLength !== text.length + 1 || bytes[dataAt] !== text.length) return false;
				for (let i = 0; i < text.length; i++) if (bytes[dataAt + 1 + i] !== text.charCodeAt(i)) return false;
				return true;
			}
			case POINTER:
				return this.names.matches(instanceName(serviceOf(record)), bytes, dataAt);
			case LISTED_TYPE:
				return this.names.matches(typeName(serviceOf(record)), bytes, dataAt);
			default:
				return true;
		}
	}

	/** The record of these that the reader's entry has name and type of; −1: none. */
	find(reader: MessageReader): number {
		if (reader.class !== CLASS_IN || reader.type === TYPE_NSEC) return -1;
		const name = this.names.find(reader.bytes, reader.nameAt);
		if (name < 0) return -1;
		const { shared } = this;
		for (let record = 0; record < this.count; record++)
			if (this.nameOf(record) === name && this.typeOf(record) === reader.type) {
				// Several records may share name and type.
				if (((1 << record) & shared) === 0 || this.hasData(record, reader)) return record;
			}
		return -1;
	}

	#writeData(writer: MessageWriter, record: number, compressed: boolean): void {
		if (record === HOST_ADDRESS) {
			writer.uint32(this.address);
			return;
		}
		const index = serviceOf(record);
		const kind = kindOf(record);
		if (record === HOST_TYPES || kind === INSTANCE_TYPES) {
			writer.name(this.nameOf(record), compressed);
			const bitmap = record === HOST_TYPES ? HOST_BITMAP : INSTANCE_BITMAP;
			for (let i = 0; i < bitmap.length; i++) writer.uint8(bitmap[i]);
		} else if (kind === PORT) {
			writer.uint32(0);
			writer.uint16(this.#services[index].port);
			writer.name(NAME_HOST, compressed);
		} else if (kind === TEXT) {
			const { text = "" } = this.#services[index];
			writer.uint8(text.length);
			for (let i = 0; i < text.length; i++) writer.uint8(text.charCodeAt(i));
		} else writer.name(kind === POINTER ? instanceName(index) : typeName(index), compressed);
	}

	get #all(): RecordSet {
		return (1 << this.count) - 1;
	}

	/** The records of a kind of all services. */
	#kind(kind: number): RecordSet {
		let set = 0;
		for (let i = HOST_RECORDS + kind; i < this.count; i += SERVICE_RECORDS) set |= 1 << i;
		return set;
	}

	#serviceOf(name: number): number {
		for (let i = 0; i < this.#services.length; i++)
			if (name === typeName(i) || name === instanceName(i)) return i;
		return -1;
	}
}

function serviceOf(record: number): number {
	return Math.floor((record - HOST_RECORDS) / SERVICE_RECORDS);
}

function kindOf(record: number): number {
	return (record - HOST_RECORDS) % SERVICE_RECORDS;
}
