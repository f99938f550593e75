import { WORD_REFUSED, WORD_USED, WORD_WAITING } from "./layout";
import { SENT, STATE } from "./record";
import { releaseTime } from "./refusals";
import type { Ring } from "./ring";

/*
 * What the records in the ring say together, read from their first bytes. What is damaged is seen when it is read as a whole.
 */

/**
 * Node time from which something that waits may be tried, as far as topics are paused; 0: at once; Infinity: nothing waits.
 * @param grouped one topic serves all
 */
export function releasedAt(ring: Ring, grouped: boolean): number {
	const { words, retained } = ring;
	if (words[WORD_WAITING] === 0) return Infinity;
	if (words[WORD_REFUSED] === 0) return 0;
	if (grouped) return releaseTime(retained, 0);
	const used = words[WORD_USED];
	let earliest = Infinity;
	for (let offset = 0; offset < used && earliest > 0; ) {
		const index = ring.index(offset);
		const length = ring.length(index);
		if (length === 0) return 0;
		if (ring.waits(index)) {
			const time = releaseTime(retained, ring.sensor(index));
			if (!(time >= earliest)) earliest = time > 0 ? time : 0;
		}
		offset += length;
	}
	return earliest;
}

/** Whether a report was sent and not answered: the client's part of a session. [MQTT-3.1.2-23] [MQTT-3.1.1:4.1.0-1] */
export function hasUnanswered(ring: Ring): boolean {
	const used = ring.words[WORD_USED];
	for (let offset = 0; offset < used; ) {
		const index = ring.index(offset);
		const length = ring.length(index);
		if (length === 0) break;
		if (length > STATE && ring.state(index) === SENT) return true;
		offset += length;
	}
	return false;
}
