import { DROPPED_THINNED, type DropReason } from "../../device-events";
import { WORD_HEAD, WORD_RECORDS, WORD_USED, WORD_WAITING } from "../retained/layout";
import type { ReportRecord } from "./report-record";
import type { Ring } from "./ring";

/*
 * Rotations of the ring, which free what lies between pending records: each record is copied to after the
 * newest and removed from the head in one commit, until the oldest is at the head again. A reset leaves the
 * records in order, but with another one at the head.
 */

/** What a rotation needs of an outbox. */
interface RotatedOutbox {
	readonly ring: Ring;
	/** It is made when it is first needed. */
	readonly scratch: ReportRecord;
	/** Bytes. */
	readonly longestRecord: number;
}

interface ThinnedOutbox extends RotatedOutbox {
	giveUpHead(reason: DropReason): void;
}

/** Moves so many of the oldest records, or removes those that are dead. There must be room for one record. */
export function rotate(outbox: RotatedOutbox, records: number): void {
	for (let left = records; left > 0; left--) moveHeadToTail(outbox);
}

/** Drops every second report of the older half, so that the remaining ones still cover the same time. */
export function thin(outbox: ThinnedOutbox): void {
	const { ring } = outbox;
	const { words } = ring;
	const half = (words[WORD_WAITING] + 1) >> 1;
	let ordinal = 0;
	for (let left = words[WORD_RECORDS]; left > 0; left--) {
		const isPending = ring.isWaiting(words[WORD_HEAD]);
		if (isPending && ++ordinal <= half && (ordinal & 1) === 0) outbox.giveUpHead(DROPPED_THINNED);
		else moveHeadToTail(outbox);
	}
}

/** Continues a rotation that a reset has interrupted, until the oldest record is at the head. */
export function finishRotation(outbox: RotatedOutbox): void {
	const { ring } = outbox;
	const used = ring.words[WORD_USED];
	let previous = 0;
	let turns = 0;
	for (let offset = 0, passed = 0; offset < used; passed++) {
		const index = ring.indexAt(offset);
		if (ring.isWaiting(index)) {
			const sequence = ring.sequenceAt(index);
			if (sequence < previous) turns = passed;
			previous = sequence;
		}
		offset += ring.lengthAt(index);
	}
	if (turns > 0 && ring.freeBytes >= outbox.longestRecord) rotate(outbox, turns);
}

function moveHeadToTail(outbox: RotatedOutbox): void {
	const { ring } = outbox;
	const index = ring.words[WORD_HEAD];
	if (!ring.isWaiting(index)) {
		ring.dropHead();
		return;
	}
	const { scratch } = outbox;
	ring.readRecord(index, ring.lengthAt(index), scratch);
	ring.appendRecord(scratch);
	ring.dropHead();
	ring.retained.commit();
}
