import { WORD_RECORDS, WORD_SEQUENCE, WORD_USED, WORD_WAITING } from "./layout";
import type { Record } from "./record";
import { known, RECORD_HEADER, RECORD_LIMIT, SENT, STATE } from "./record";
import type { Ring } from "./ring";

/**
 * Makes header and ring agree after a reset or damage: counts what waits, and where the chain of records is broken, finds the
 * next whole one and fills the gap. Afterwards the chain is sound.
 * @param owner has a scratch record, which is needed only for damage
 * @param doubt damage was seen: every record is checked, not only the chain of their lengths
 * @returns how many waiting reports were lost to damage
 */
export function repair(ring: Ring, owner: { readonly scratch: Record }, doubt: boolean): number {
	if (doubt) return mend(ring, owner.scratch);
	const { words } = ring;
	const used = words[WORD_USED];
	let waiting = 0;
	let records = 0;
	let offset = 0;
	while (offset < used) {
		const index = ring.index(offset);
		const length = ring.length(index);
		if (length === 0 || (length > STATE && !known(ring.state(index)))) break;
		records++;
		if (ring.waits(index)) waiting++;
		offset += length;
	}
	if (offset === used && records === words[WORD_RECORDS]) {
		words[WORD_WAITING] = waiting;
		return -1;
	}
	return mend(ring, owner.scratch);
}

function mend(ring: Ring, record: Record): number {
	const { words } = ring;
	const used = words[WORD_USED];
	let waiting = 0;
	let found = 0;
	let records = 0;
	let offset = 0;
	while (offset < used) {
		const index = ring.index(offset);
		if (whole(ring, offset, record)) {
			// Waiting or not? Better twice than never.
			if (!known(record.bytes[STATE])) ring.setState(index, SENT);
			if (ring.waits(index)) waiting++;
			found++;
			records++;
			offset += record.length;
			continue;
		}
		let next = offset + 1;
		// Within damaged bytes the state must be right as well as the CRC: what looks like a record by chance is not taken for one.
		while (next < used && !(whole(ring, next, record) && known(record.bytes[STATE]))) next++;
		if (next === used) break;
		while (offset < next) {
			const length = Math.min(next - offset, RECORD_LIMIT);
			ring.fill(ring.index(offset), length);
			records++;
			offset += length;
		}
	}
	const missing = words[WORD_RECORDS] > found ? words[WORD_RECORDS] - found : 0;
	const fewer = words[WORD_WAITING] > waiting ? words[WORD_WAITING] - waiting : 0;
	words[WORD_USED] = offset;
	words[WORD_RECORDS] = records;
	words[WORD_WAITING] = waiting;
	return Math.min(missing, fewer);
}

/** Whether an undamaged record lies at an offset; it is then in `record`. */
function whole(ring: Ring, offset: number, record: Record): boolean {
	const index = ring.index(offset);
	const length = ring.length(index);
	if (length < RECORD_HEADER || offset + length > ring.words[WORD_USED]) return false;
	ring.read(index, length, record);
	return record.open() && record.sequence < ring.words[WORD_SEQUENCE];
}
