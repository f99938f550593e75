/*
 * Waits between tries that fail one after the other: exponential, and random, so that devices that failed at
 * the same time do not try again at the same time. How many have failed is kept by the caller, who knows what
 * has to survive sleep.
 */

/** The named settings of one retry policy; durations in ms. */
export interface Backoff {
	/** Bound of the wait after the first failure; it doubles with each further one. */
	readonly minimum: number;
	/** Largest bound. */
	readonly maximum: number;
}

// How much of the bound is waited at least
/** Anything from nothing: spreads devices best. */
export const FULL_JITTER = 0;
/** At least half: a second failure at the same time finds the wait begun. */
export const EQUAL_JITTER = 0.5;
/** The whole bound: nobody else asks. */
export const NO_JITTER = 1;
export type Jitter = typeof FULL_JITTER | typeof EQUAL_JITTER | typeof NO_JITTER;

/**
 * Wait before the next try, in ms.
 * @param failures in a row, from 1
 * @param random 0 … 1
 */
export function backoffDelay(
	{ minimum, maximum }: Backoff,
	failures: number,
	jitter: Jitter,
	random = Math.random(),
): number {
	let bound = minimum;
	for (let i = 1; i < failures && bound < maximum; i++) bound *= 2;
	return Math.round((jitter + (1 - jitter) * random) * Math.min(bound, maximum));
}
