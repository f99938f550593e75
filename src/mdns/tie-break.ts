import { TYPE_SRV } from "./constants";
import { type MessageReader, SECTION_AUTHORITY } from "./message-reader";
import type { Names } from "./names";
import { compareNames } from "./wire-name";

/** Records of one name that are compared; two are claimed here. */
const MAXIMUM_CLAIMS = 8;
/** Data of a SRV record before the name: priority, weight, port. */
const SRV_NUMBERS = 6;

/** A record that a probe claims. */
interface Claim {
	readonly bytes: Uint8Array;
	readonly type: number;
	readonly class: number;
	readonly dataAt: number;
	readonly dataEnd: number;
}

/**
 * Whether a name that two hosts claim at the same time is the other one's (RFC 6762 §8.2): whose records come
 * later has it. False too if one of them claims nothing for the name, or both the same.
 * @param ours reads a probe of this host @param theirs reads one of the other
 */
export function losesTie(names: Names, name: number, ours: MessageReader, theirs: MessageReader): boolean {
	const mine = claims(names, name, ours);
	const others = claims(names, name, theirs);
	if (mine.length === 0 || others.length === 0) return false;
	for (let i = 0; i < mine.length && i < others.length; i++) {
		const order = compareClaims(mine[i], others[i]);
		if (order !== 0) return order < 0;
	}
	return mine.length < others.length;
}

/** What a probe claims for a name, in order. */
function claims(names: Names, name: number, reader: MessageReader): Claim[] {
	const found: Claim[] = [];
	reader.rewind();
	while (found.length < MAXIMUM_CLAIMS && reader.read()) {
		const { bytes, section, nameAt, type, dataAt, dataLength } = reader;
		if (section === SECTION_AUTHORITY && names.matches(name, bytes, nameAt))
			found.push({ bytes, type, class: reader.class, dataAt, dataEnd: dataAt + dataLength });
	}
	return found.sort(compareClaims);
}

function compareClaims(a: Claim, b: Claim): number {
	if (a.class !== b.class) return a.class - b.class;
	if (a.type !== b.type) return a.type - b.type;
	const numbers = a.type === TYPE_SRV ? SRV_NUMBERS : Infinity;
	const lengthA = Math.min(a.dataEnd - a.dataAt, numbers);
	const lengthB = Math.min(b.dataEnd - b.dataAt, numbers);
	for (let i = 0; i < lengthA && i < lengthB; i++) {
		const order = a.bytes[a.dataAt + i] - b.bytes[b.dataAt + i];
		if (order !== 0) return order;
	}
	if (lengthA !== lengthB) return lengthA - lengthB;
	if (lengthA < numbers) return 0;
	// A malformed name is no claim that anybody could keep to.
	return compareNames(a.bytes, a.dataAt + numbers, b.bytes, b.dataAt + numbers, 0) || 0;
}
