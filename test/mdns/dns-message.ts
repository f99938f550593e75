/** A DNS message as these tests read and write it, independent of `src/mdns`. */
export interface Message {
	readonly id: number;
	readonly flags: number;
	readonly questions: readonly Question[];
	readonly answers: readonly Entry[];
	readonly authority: readonly Entry[];
	readonly additional: readonly Entry[];
}

export interface Question {
	readonly name: string;
	readonly type: string;
	/** A unicast answer is welcome. */
	readonly unicast: boolean;
}

export interface Entry {
	readonly name: string;
	readonly type: string;
	readonly flush: boolean;
	readonly ttl: number;
	/** An address; the name of a PTR; "port name" of an SRV; the text of a TXT; hexadecimal digits. */
	readonly data: string;
}

const TYPES: Readonly<Record<string, number>> = {
	A: 1,
	PTR: 12,
	TXT: 16,
	AAAA: 28,
	SRV: 33,
	NSEC: 47,
	ANY: 255,
};
const typeText = (type: number): string =>
	Object.keys(TYPES).find((name) => TYPES[name] === type) ?? String(type);

/** @throws if it is malformed, or anything follows it */
export function decode(bytes: Uint8Array): Message {
	const message = Buffer.from(bytes);
	let at = 12;
	const name = (from: number): { text: string; next: number } => {
		const labels: string[] = [];
		let next = -1;
		for (let i = from, hops = 0; ; ) {
			const size = message.readUInt8(i);
			if (size >= 0xc0) {
				if (next < 0) next = i + 2;
				if (++hops > 20) throw new Error("pointers in a circle");
				i = message.readUInt16BE(i) & 0x3fff;
			} else if (size === 0) return { text: labels.join("."), next: next < 0 ? i + 1 : next };
			else {
				labels.push(message.toString("utf8", i + 1, i + 1 + size));
				i += 1 + size;
			}
		}
	};
	const question = (): Question => {
		const { text, next } = name(at);
		at = next + 4;
		return {
			name: text,
			type: typeText(message.readUInt16BE(next)),
			unicast: message.readUInt16BE(next + 2) >= 0x8000,
		};
	};
	const entry = (): Entry => {
		const { text, next } = name(at);
		const type = typeText(message.readUInt16BE(next));
		const size = message.readUInt16BE(next + 8);
		const start = next + 10;
		at = start + size;
		const data = message.subarray(start, at);
		if (data.length !== size) throw new Error("the data of a record is cut off");
		const value =
			type === "A"
				? data.join(".")
				: type === "PTR"
					? name(start).text
					: type === "SRV"
						? `${data.readUInt16BE(4)} ${name(start + 6).text}`
						: type === "TXT"
							? data.toString("latin1", 1)
							: data.toString("hex");
		return {
			name: text,
			type,
			flush: message.readUInt16BE(next + 2) >= 0x8000,
			ttl: message.readUInt32BE(next + 4),
			data: value,
		};
	};
	const list = <Item>(section: number, read: () => Item): Item[] =>
		Array.from({ length: message.readUInt16BE(4 + 2 * section) }, read);
	const decoded = {
		id: message.readUInt16BE(0),
		flags: message.readUInt16BE(2),
		questions: list(0, question),
		answers: list(1, entry),
		authority: list(2, entry),
		additional: list(3, entry),
	};
	if (at !== message.length) throw new Error("something follows the message");
	return decoded;
}

/** One entry a line, without sections: `A firefly.local 10.0.0.1 120!`, the mark for cache-flush. */
export function describe({ name, type, data, ttl, flush }: Entry): string {
	return `${type} ${name} ${data} ${ttl}${flush ? "!" : ""}`;
}

export interface Parts {
	readonly id?: number;
	readonly flags?: number;
	readonly questions?: readonly (readonly [name: string, type: string, unicast?: boolean])[];
	readonly answers?: readonly Part[];
	readonly authority?: readonly Part[];
	readonly additional?: readonly Part[];
}

type Part = readonly [name: string, type: string, ttl: number, data: Uint8Array, flush?: boolean];

export function encode({ id = 0, flags = 0, questions = [], answers = [], authority = [], ...rest }: Parts) {
	const sections = [answers, authority, rest.additional ?? []];
	const entries = sections.flat();
	return Buffer.concat([
		uint16(id, flags, questions.length, ...sections.map(({ length }) => length)),
		...questions.flatMap(([name, type, unicast]) => [
			wireName(name),
			uint16(TYPES[type], unicast ? 0x8001 : 1),
		]),
		...entries.flatMap(([name, type, ttl, data, flush]) => [
			wireName(name),
			uint16(TYPES[type], flush ? 0x8001 : 1, ttl >> 16, ttl & 0xffff, data.length),
			data,
		]),
	]);
}

export const RESPONSE = 0x8400;

export function addressData(address: string): Uint8Array {
	return Buffer.from(address.split(".").map(Number));
}

export function portData(port: number, target: string): Uint8Array {
	return Buffer.concat([uint16(0, 0, port), wireName(target)]);
}

export function wireName(name: string): Uint8Array {
	const labels = name.split(".").map((label) => Buffer.from(label));
	return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]);
}

function uint16(...values: readonly number[]): Uint8Array {
	const bytes = Buffer.alloc(2 * values.length);
	for (const [i, value] of values.entries()) bytes.writeUInt16BE(value & 0xffff, 2 * i);
	return bytes;
}
