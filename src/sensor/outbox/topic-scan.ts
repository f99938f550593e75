import { WORD_USED } from "../retained/layout";
import type { Ring } from "./ring";

/** Of all records: reports of all sensors have one topic. */
export const ANY_SENSOR = 0xffff_ffff;

/**
 * Finds the next pending report on a topic. A place is said in bytes up to the end of the newest record,
 * which stays as it is while older records are removed.
 * @param from where to begin, at a record
 * @param sensor of its first value, or {@link ANY_SENSOR}
 * @returns the report's place; 0: there is none
 */
export function nextOnTopic(ring: Ring, from: number, sensor: number): number {
	const used = ring.words[WORD_USED];
	for (let place = from; place > 0; ) {
		const index = ring.indexAt(used - place);
		const length = ring.lengthAt(index);
		if (length === 0 || length > place) return 0;
		if (ring.isWaiting(index) && (sensor === ANY_SENSOR || ring.firstSensorAt(index) === sensor))
			return place;
		place -= length;
	}
	return 0;
}
