import { type Backoff, backoffDelay, FULL_JITTER } from "../../backoff";
import { REAL_RETRY, WORD_FAILED_TRIES } from "./layout";
import type { RetainedState } from "./retained-state";

/*
 * Waits between tries to report that fail one after the other, over all wakes: topic-backoff.ts has those of
 * single topics.
 */

/** A try up to this much before its time, in ms, avoids another wake. */
export const RETRY_TOLERANCE_MS = 1000;

/** Node time before which no try begins; 0: the last one has delivered something. */
export function nextRetryAt(retained: RetainedState): number {
	return retained.reals[REAL_RETRY];
}

/** Tries that have failed in a row. */
export function failedTries({ words }: RetainedState): number {
	return words[WORD_FAILED_TRIES];
}

/** Counts a failed try. @param now node time @returns the wait before the next one, in ms */
export function countFailedTry({ words, reals }: RetainedState, backoff: Backoff, now: number): number {
	const pauseMs = backoffDelay(backoff, ++words[WORD_FAILED_TRIES], FULL_JITTER);
	reals[REAL_RETRY] = now + pauseMs;
	return pauseMs;
}

/** Something was delivered. */
export function clearFailedTries(retained: RetainedState): void {
	retained.words[WORD_FAILED_TRIES] = 0;
	retained.reals[REAL_RETRY] = 0;
}
