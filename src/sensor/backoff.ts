/**
 * Wait before the next try, in ms: exponential with full jitter, so that nodes that failed at the same time
 * do not retry at the same time.
 * @param failures in a row, from 1
 * @param minimumMs upper bound after the first failure
 * @param maximumMs limit of the upper bound
 * @param random 0 … 1
 */
export function backoffDelay(failures: number, minimumMs: number, maximumMs: number, random: number): number {
	let boundMs = minimumMs;
	for (let i = 1; i < failures && boundMs < maximumMs; i++) boundMs *= 2;
	return Math.round(random * Math.min(boundMs, maximumMs));
}
