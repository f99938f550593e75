import { utf8 } from "../mqtt/utf8";
import { POINT, toLower } from "../text/ascii";
import { LABEL_SIZE } from "./constants";
import { labelAt } from "./wire-name";

/** Services that a host announces, at most. */
export const MAXIMUM_SERVICES = 3;

// Identifiers of names: of these, then two of each service
export const NAME_LOCAL = 0;
/** Of the host: an address is its record. */
export const NAME_HOST = 1;
/** Of the list of service types (RFC 6763 §9). */
export const NAME_TYPES = 2;
const FIRST_SERVICE = 3;
const ROOT = -1;

const LOCAL = "local";
const TYPES = "_services._dns-sd._udp";
/** Bytes of a label with its length. */
const LABEL_BYTES = LABEL_SIZE + 1;
/** Longest number that a conflict adds: "-9999", " (9999)". */
const SUFFIX_SIZE = 7;
const MAXIMUM_NUMBER = 9999;

/** Name of the type of a service, such as `_mqtt._tcp.local`. */
export function typeName(service: number): number {
	return FIRST_SERVICE + 2 * service;
}

/** Name of this host's instance of a service, such as `greenhouse._mqtt._tcp.local`. */
export function instanceName(service: number): number {
	return FIRST_SERVICE + 1 + 2 * service;
}

export function isInstance(name: number): boolean {
	return name >= FIRST_SERVICE && (name - FIRST_SERVICE) % 2 === 1;
}

/** The name that another one ends with. */
export function parentOf(name: number): number {
	return name === NAME_LOCAL ? ROOT : isInstance(name) ? name - 1 : NAME_LOCAL;
}

/**
 * The names of a host and its services, as labels on the wire. A name is its own labels, followed by those of
 * its parent.
 */
export class Names {
	/** All labels; those of the host and of the instance have room for other ones. */
	readonly labels: Uint8Array;
	#starts: Uint8Array;
	#ends: Uint8Array;
	#host: string;
	#hostNumber = 1;
	#instance: string;
	#instanceNumber = 1;

	/**
	 * @param host a label, without ".local"
	 * @param instance name of the services for people; what exceeds a label is cut off
	 * @param types of the services, such as "_mqtt._tcp"; at most {@link MAXIMUM_SERVICES}
	 */
	constructor(host: string, instance: string, types: readonly string[]) {
		this.#host = fitting(host);
		this.#instance = fitting(instance);
		const count = typeName(types.length);
		let size = LOCAL.length + TYPES.length + 2 + 2 * LABEL_BYTES;
		for (let i = 0; i < types.length; i++) size += types[i].length + 1;
		this.labels = new Uint8Array(size);
		this.#starts = new Uint8Array(count);
		this.#ends = new Uint8Array(count);
		let at = 2 * LABEL_BYTES;
		at = this.#write(NAME_LOCAL, LOCAL, at);
		at = this.#write(NAME_TYPES, TYPES, at);
		for (let i = 0; i < types.length; i++) at = this.#write(typeName(i), types[i], at);
		this.#writeHost();
		this.#writeInstance();
	}

	get count(): number {
		return this.#starts.length;
	}

	/** Name of the host without ".local". */
	get host(): string {
		return this.#hostNumber === 1 ? this.#host : `${this.#host}-${this.#hostNumber}`;
	}

	/** Index of a name's own labels in {@link labels}. */
	start(name: number): number {
		return this.#starts[name];
	}

	end(name: number): number {
		return this.#ends[name];
	}

	/** After a conflict (RFC 6762 §9): firefly-2.local. */
	renameHost(): void {
		this.#hostNumber = (this.#hostNumber % MAXIMUM_NUMBER) + 1;
		this.#writeHost();
	}

	/** After a conflict (RFC 6763, appendix D): greenhouse (2). */
	renameInstance(): void {
		this.#instanceNumber = (this.#instanceNumber % MAXIMUM_NUMBER) + 1;
		this.#writeInstance();
	}

	/** Whether a message has this name at `at`. */
	matches(name: number, bytes: Uint8Array, at: number): boolean {
		const { labels } = this;
		for (let part = name; part !== ROOT; part = parentOf(part)) {
			const end = this.#ends[part];
			for (let i = this.#starts[part]; i < end; ) {
				at = labelAt(bytes, at);
				if (at < 0) return false;
				// The length is compared too: no letter is below it.
				for (const next = i + labels[i] + 1; i < next; i++)
					if (toLower(bytes[at++]) !== toLower(labels[i])) return false;
			}
		}
		at = labelAt(bytes, at);
		return at >= 0 && bytes[at] === 0;
	}

	/** The name that a message has at `at`; −1: none of these. */
	find(bytes: Uint8Array, at: number): number {
		for (let name = this.count - 1; name > NAME_LOCAL; name--) if (this.matches(name, bytes, at)) return name;
		return -1;
	}

	#writeHost(): void {
		this.#writeLabel(NAME_HOST, this.host, 0);
	}

	#writeInstance(): void {
		const number = this.#instanceNumber;
		const label = number === 1 ? this.#instance : `${this.#instance} (${number})`;
		for (let name = instanceName(0); name < this.count; name += 2) this.#writeLabel(name, label, LABEL_BYTES);
	}

	#writeLabel(name: number, text: string, at: number): void {
		const bytes = utf8(text);
		this.labels[at] = bytes.length;
		this.labels.set(bytes, at + 1);
		this.#starts[name] = at;
		this.#ends[name] = at + 1 + bytes.length;
	}

	/** @param text labels of ASCII, with points between them @returns the index after them */
	#write(name: number, text: string, at: number): number {
		this.#starts[name] = at;
		const bytes = utf8(text);
		let length = at++;
		for (let i = 0; i < bytes.length; i++) {
			if (bytes[i] === POINT) length = at++;
			else {
				this.labels[at++] = bytes[i];
				this.labels[length]++;
			}
		}
		this.#ends[name] = at;
		return at;
	}
}

/** What fits into a label together with a number. */
function fitting(text: string): string {
	while (utf8(text).length > LABEL_SIZE - SUFFIX_SIZE) text = text.slice(0, -1);
	return text;
}
