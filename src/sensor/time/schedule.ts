/** Longest sleep in ms: the timer of `Sleep.deep` takes 2^31 − 1. */
export const LONGEST_SLEEP_MS = 0x7fffffff;
/** Shortest sleep in ms: less is over before the chip has fallen asleep, with its radio stopped. */
export const SHORTEST_SLEEP_MS = 20;
/** Limit of {@link earlyTolerance}, in ms. */
export const EARLY_LIMIT_MS = 5000;
/**
 * For a sample due within this time, in ms, the node stays awake: this costs less than sleeping and booting.
 */
export const AWAKE_WAIT_LIMIT_MS = 250;

/**
 * How long before its time a sample may be taken, in ms: a sleep that ended early, or a wake for another
 * sensor, then needs no further wake. The next time counts from the planned time, so that the schedule does
 * not drift. On the grid it limits the difference between wall time and node time at a sample.
 */
export function earlyTolerance(every: number): number {
	return Math.min(every / 4, EARLY_LIMIT_MS);
}

/** Whether a sample with this time is to be taken now. Samples on the grid are never early. */
export function isDue(due: number, now: number, every: number, grid: boolean): boolean {
	return due - now <= (grid ? 0 : earlyTolerance(every));
}

/** Node time of the next try to report: together with the next sample if that follows soon. */
export function alignRetryWithSample(retry: number, earliest: number): number {
	return earliest > retry && earliest - retry <= EARLY_LIMIT_MS ? earliest : retry;
}

/** Time to stay awake for the earliest sample, in ms; 0: do not wait for it. */
export function awakeWait(earliest: number, now: number): number {
	const wait = earliest - now;
	return wait > 0 && wait <= AWAKE_WAIT_LIMIT_MS ? wait : 0;
}

/** Time of the sample after one that was due at `due` and is taken at `now`. Missed samples are skipped. */
export function nextDue(due: number, now: number, every: number): number {
	const next = due + every;
	return next > now ? next : now + every;
}

/**
 * Like {@link nextDue}, for a sample on the grid of whole multiples of `every` in wall time. A sample taken
 * slightly early counts as the one of the nearby multiple.
 * @param wall wall time now
 * @returns node time
 */
export function nextDueOnGrid(now: number, wall: number, every: number): number {
	const index = Math.floor((wall + earlyTolerance(every)) / every) + 1;
	return now + (index * every - wall);
}

/**
 * Node time of the sample after one that was due at `due` and is taken at `now`.
 * @param wallOffset wall time − node time; NaN: unknown, and there is no grid to align to
 */
export function dueAfter(
	due: number,
	now: number,
	wallOffset: number,
	sensor: { readonly every: number; readonly grid: boolean },
): number {
	return sensor.grid && wallOffset - wallOffset === 0
		? nextDueOnGrid(now, now + wallOffset, sensor.every)
		: nextDue(due, now, sensor.every);
}

/**
 * Time of the next sample on the grid after wall time was set or has jumped: not within half of `every` after
 * the last sample, so that a clock that was set back does not repeat a sample.
 * @param due node time of the next sample before the jump
 */
export function realignedDue(due: number, now: number, wall: number, every: number): number {
	const next = now + (Math.ceil(wall / every) * every - wall);
	return next - (due - every) < every / 2 ? next + every : next;
}

/**
 * Sleep duration to request in order to sleep from `now` to `until`.
 * @param drift fraction by which sleeps last longer than requested
 * @returns ms, {@link SHORTEST_SLEEP_MS} … {@link LONGEST_SLEEP_MS}
 */
export function sleepLength(until: number, now: number, drift: number): number {
	const length = Math.round((until - now) / (1 + drift));
	return length < SHORTEST_SLEEP_MS ? SHORTEST_SLEEP_MS : Math.min(length, LONGEST_SLEEP_MS);
}
