import { WORD_REFUSED_TOPICS, WORD_USED, WORD_WAITING } from "../retained/layout";
import { pauseEnd } from "../retained/topic-backoff";
import { OFFSET_STATE, STATE_OVERSIZED, STATE_RECEIVED, STATE_SENT, STATE_UNSENT } from "./report-record";
import type { Ring } from "./ring";

/*
 * Queries over all records of the ring, which read their first bytes only. Damage is detected when a record
 * is read as a whole.
 */

/**
 * Node time from which a pending report may be sent, with regard to paused topics; 0: at once; Infinity:
 * nothing is pending, or only reports that the broker's packets cannot hold.
 * @param grouped all reports have the same topic
 */
export function sendableAt(ring: Ring, grouped: boolean): number {
	const { words, retained } = ring;
	if (words[WORD_WAITING] === 0) return Infinity;
	const anyRefused = words[WORD_REFUSED_TOPICS] > 0;
	const used = words[WORD_USED];
	let earliest = Infinity;
	for (let offset = 0; offset < used && earliest > 0; ) {
		const index = ring.indexAt(offset);
		const length = ring.lengthAt(index);
		if (length === 0) return 0;
		if (ring.isWaiting(index) && ring.stateAt(index) !== STATE_OVERSIZED) {
			if (!anyRefused) return 0;
			const time = pauseEnd(retained, grouped ? 0 : ring.firstSensorAt(index));
			if (!(time >= earliest)) earliest = time > 0 ? time : 0;
		}
		offset += length;
	}
	return earliest;
}

/**
 * Makes reports sendable again that were too large for the broker, as another limit may apply.
 * @returns whether there were any
 */
export function releaseOversized(ring: Ring): boolean {
	const used = ring.words[WORD_USED];
	let released = false;
	for (let offset = 0; offset < used; ) {
		const index = ring.indexAt(offset);
		const length = ring.lengthAt(index);
		if (length === 0) break;
		if (length > OFFSET_STATE && ring.stateAt(index) === STATE_OVERSIZED) {
			ring.setState(index, STATE_UNSENT);
			released = true;
		}
		offset += length;
	}
	return released;
}

/**
 * Whether a report was sent and not acknowledged: such reports are the client's part of a session.
 * [MQTT-3.1.2-23] [MQTT-3.1.1:4.1.0-1]
 */
export function hasUnanswered(ring: Ring): boolean {
	const used = ring.words[WORD_USED];
	for (let offset = 0; offset < used; ) {
		const index = ring.indexAt(offset);
		const length = ring.lengthAt(index);
		if (length === 0) break;
		const state = length > OFFSET_STATE ? ring.stateAt(index) : STATE_UNSENT;
		if (state === STATE_SENT || state === STATE_RECEIVED) return true;
		offset += length;
	}
	return false;
}
