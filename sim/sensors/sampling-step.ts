const DEFAULT_STEP_MS = 60_000;
/** Common sampling intervals, ms. */
const SAMPLING_STEPS_MS = [1, 2, 5, 10, 15, 20, 30]
	.map((seconds) => seconds * 1000)
	.concat([1, 2, 5, 10, 15, 20, 30, 60].map((minutes) => minutes * 60_000));

/**
 * The common sampling interval nearest to the median of distances, ms.
 * @param minimum it is not shorter than this, unless it is the longest
 */
export function samplingStep(distances: readonly number[], minimum = 0): number {
	const sorted = [...distances].sort((a, b) => a - b);
	const median = sorted[sorted.length >> 1] ?? DEFAULT_STEP_MS;
	const fitting = SAMPLING_STEPS_MS.filter((step) => step >= minimum);
	return (fitting.length > 0 ? fitting : SAMPLING_STEPS_MS.slice(-1)).reduce((best, step) =>
		Math.abs(Math.log(step / median)) < Math.abs(Math.log(best / median)) ? step : best,
	);
}
