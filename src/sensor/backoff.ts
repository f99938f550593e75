/**
 * Wait before the next try, in ms: exponential with full jitter, so that nodes which failed together do not return together.
 * @param failures in a row, from 1
 * @param minimum upper end after the first failure
 * @param maximum no upper end is higher
 * @param random 0 … 1
 */
export function backoff(failures: number, minimum: number, maximum: number, random: number): number {
	let bound = minimum;
	for (let i = 1; i < failures && bound < maximum; i++) bound *= 2;
	return Math.round(random * Math.min(bound, maximum));
}
