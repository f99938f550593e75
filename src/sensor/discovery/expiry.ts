import type { SensorSettings } from "../../config/types";

/** Reports that may fail to come, after which a value counts as outdated, plus a half. */
const GAPS = 2.5;
/** Shortest validity, in seconds: retries after a failed report need some time. */
const SHORTEST_S = 60;

/**
 * Longest time, in ms, from one report of a sensor to the next while nothing fails: heartbeat is decided at a
 * sample. Infinity: there is no bound.
 */
export function longestGap({ every, delta, heartbeat }: SensorSettings): number {
	if (delta === undefined) return every;
	return heartbeat === undefined ? Infinity : Math.ceil(heartbeat / every) * every;
}

/** Time, in seconds, after which the last value of a sensor is outdated; undefined: never. */
export function expireAfter(sensor: SensorSettings): number | undefined {
	const seconds = Math.ceil((longestGap(sensor) * GAPS) / 1000);
	return seconds === Infinity ? undefined : Math.max(seconds, SHORTEST_S);
}
