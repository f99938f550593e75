/** Longest sleep in ms: the timer of `Sleep.deep` takes 2^31 − 1. */
export const LONGEST_SLEEP_MS = 0x7fffffff;
/** Most that a sample may be taken before its time, in ms. */
const EARLY_LIMIT_MS = 5000;
/** A try this much before its time, in ms, spares another wake. */
export const RETRY_TOLERANCE_MS = 1000;
/** A sample this near, in ms, is waited for: cheaper than to sleep and boot again. */
const AWAKE_WAIT_LIMIT_MS = 250;

/**
 * How long before its time a sample may be taken, in ms: a sleep that ended early, or a neighbour's wake,
 * does not cost another wake. Its next time counts from the time it should have been, so that it does not
 * creep. On the grid it bounds how far wall time and node time may differ at a sample.
 */
export function earlyTolerance(every: number): number {
	return Math.min(every / 4, EARLY_LIMIT_MS);
}

/** Whether a sample with this time is to be taken now. On the grid none is early. */
export function isDue(due: number, now: number, every: number, grid: boolean): boolean {
	return due - now <= (grid ? 0 : earlyTolerance(every));
}

/** When to try again to report: together with the next sample where that comes soon after. */
export function alignRetryWithSample(retry: number, earliest: number): number {
	return earliest > retry && earliest - retry <= EARLY_LIMIT_MS ? earliest : retry;
}

/** How long to stay awake for the earliest sample, in ms; 0: not at all. */
export function awakeWait(earliest: number, now: number): number {
	const wait = earliest - now;
	return wait > 0 && wait <= AWAKE_WAIT_LIMIT_MS ? wait : 0;
}

/**
 * The time of the sample after one that was due at `due` and is taken at `now`. Missed ones are left out, not
 * made up for.
 */
export function nextDue(due: number, now: number, every: number): number {
	const next = due + every;
	return next > now ? next : now + every;
}

/**
 * The same for a sample on the grid of whole multiples of `every` in wall time. One taken a little early
 * counts as that of the multiple that is near.
 * @param wall wall time now
 * @returns node time
 */
export function nextDueOnGrid(now: number, wall: number, every: number): number {
	const index = Math.floor((wall + earlyTolerance(every)) / every) + 1;
	return now + (index * every - wall);
}

/**
 * The time of the next sample on the grid after wall time was set or has jumped: not within half of `every`
 * after the last sample, so that a clock set back does not bring the same sample again.
 * @param due node time of the next sample before the jump
 */
export function realignedDue(due: number, now: number, wall: number, every: number): number {
	const next = now + (Math.ceil(wall / every) * every - wall);
	return next - (due - every) < every / 2 ? next + every : next;
}

/**
 * What to order to sleep from `now` to `until`.
 * @param drift part by which sleeps last longer than ordered
 * @returns ms, 1 … {@link LONGEST_SLEEP_MS}
 */
export function sleepLength(until: number, now: number, drift: number): number {
	const length = Math.round((until - now) / (1 + drift));
	return length < 1 ? 1 : Math.min(length, LONGEST_SLEEP_MS);
}
