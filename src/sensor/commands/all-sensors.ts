import type { Collector } from "../measure/collector";
import { SENSOR_DUE, SENSOR_REALS, SENSOR_VALUE } from "../retained/layout";
import type { RetainedState } from "../retained/retained-state";

/** Makes every sensor due, and its next value one that no deadband holds back. @param now node time */
export function makeAllDue({ sensors }: RetainedState, now: number): void {
	for (let at = 0; at < sensors.length; at += SENSOR_REALS) {
		sensors[at + SENSOR_DUE] = now;
		sensors[at + SENSOR_VALUE] = NaN;
	}
}

/**
 * Samples and reports all sensors now, beside their schedule; not those whose values are made of several
 * samples: one more would be none of them. A sensor that was read in this wake, and has nothing new yet,
 * gives that once more. Allocates a little.
 * @param now node time
 */
export function sampleAll(collector: Collector, retained: RetainedState, now: number): void {
	const { sensors } = retained;
	// Not after they were made due
	collector.followClock();
	const planned = sensors.slice();
	makeAllDue(retained, now);
	for (let i = 0; i * SENSOR_REALS < sensors.length; i++)
		if (collector.gathers(i))
			sensors.set(planned.subarray(i * SENSOR_REALS, (i + 1) * SENSOR_REALS), i * SENSOR_REALS);
	collector.repeats = true;
	collector.collect(now, Infinity);
	collector.repeats = false;
	for (let at = SENSOR_DUE; at < sensors.length; at += SENSOR_REALS)
		if (planned[at] > now) sensors[at] = planned[at];
}
