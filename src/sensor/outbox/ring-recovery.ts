import { WORD_RECORDS, WORD_SEQUENCE, WORD_USED, WORD_WAITING } from "../retained/layout";
import type { ReportRecord } from "./report-record";
import {
	isKnownState,
	OFFSET_STATE,
	RECORD_HEADER,
	RECORD_LIMIT,
	STATE_DEAD,
	STATE_DROPPING,
	STATE_SENT,
} from "./report-record";
import type { Ring } from "./ring";

/**
 * Makes header and ring consistent after a reset or damage: counts pending reports; where the chain of
 * records is broken, finds the next intact one and fills the gap. Afterwards the chain is valid.
 * @param owner has a scratch record, which is used only after damage
 * @param checkAll damage was detected: every record is checked, not only the chain of their lengths
 * @returns number of pending reports lost to damage; −1: there was no damage
 */
export function recoverRing(
	ring: Ring,
	owner: { readonly scratch: ReportRecord },
	checkAll: boolean,
): number {
	if (checkAll) return recoverDamagedRing(ring, owner.scratch);
	const words = ring.words;
	const used = words[WORD_USED];
	let waiting = 0;
	let records = 0;
	let offset = 0;
	while (offset < used) {
		const index = ring.indexAt(offset);
		const length = ring.lengthAt(index);
		if (length === 0 || (length > OFFSET_STATE && !isKnownState(ring.stateAt(index)))) break;
		records++;
		if (ring.isWaiting(index)) waiting++;
		offset += length;
	}
	if (offset === used && records === words[WORD_RECORDS]) {
		words[WORD_WAITING] = waiting;
		return -1;
	}
	return recoverDamagedRing(ring, owner.scratch);
}

function recoverDamagedRing(ring: Ring, record: ReportRecord): number {
	const words = ring.words;
	const used = words[WORD_USED];
	let waiting = 0;
	let found = 0;
	let records = 0;
	let offset = 0;
	while (offset < used) {
		const index = ring.indexAt(offset);
		if (isIntact(ring, offset, record)) {
			// Pending or dead is unknown: a report sent twice is better than a lost one.
			if (!isKnownState(record.bytes[OFFSET_STATE])) ring.setState(index, STATE_SENT);
			if (ring.isWaiting(index)) waiting++;
			found++;
			records++;
			offset += record.length;
			continue;
		}
		let next = offset + 1;
		// Within damaged bytes the state must be valid as well as the CRC, so that bytes which look like a record
		// by chance are not taken for one.
		while (next < used && !(isIntact(ring, next, record) && isKnownState(record.bytes[OFFSET_STATE]))) next++;
		if (next === used) break;
		while (offset < next) {
			const length = Math.min(next - offset, RECORD_LIMIT);
			ring.fillGap(ring.indexAt(offset), length);
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

/**
 * More reports are pending than the header counts: a reset came after the commit of a drop, and before its
 * record was marked dead.
 */
export function deleteDropped(ring: Ring): void {
	const { words } = ring;
	const used = words[WORD_USED];
	for (let offset = 0; offset < used; ) {
		const index = ring.indexAt(offset);
		if (ring.isWaiting(index) && ring.stateAt(index) === STATE_DROPPING) {
			ring.setState(index, STATE_DEAD);
			words[WORD_WAITING]--;
		}
		offset += ring.lengthAt(index);
	}
}

/** Whether an undamaged record lies at an offset; it is then in `record`. */
function isIntact(ring: Ring, offset: number, record: ReportRecord): boolean {
	const index = ring.indexAt(offset);
	const length = ring.lengthAt(index);
	if (length < RECORD_HEADER || length > record.bytes.length || offset + length > ring.words[WORD_USED])
		return false;
	ring.readRecord(index, length, record);
	return record.parse() && record.sequence < ring.words[WORD_SEQUENCE];
}
