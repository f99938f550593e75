/** Choices at most, without those of manifest and driver. */
const MAX_CHOICES = 5;
/** Values that differ less than this are the same. */
const SMALLEST_RANGE = 1e-12;
/** Parts of the range of all values that the smallest choice is. */
const SMALLEST_PART = 200;

/**
 * Deadbands worth comparing for some values: steps of 1, 2 and 5 times a power of ten from a two-hundredth of
 * their range on, none smaller than the step in which they are recorded; and those of manifest and driver.
 */
export function deltaChoices(
	values: Float64Array,
	configured: number | undefined,
	declared: number | undefined,
): readonly number[] {
	let minimum = Infinity;
	let maximum = -Infinity;
	let step = Infinity;
	for (let i = 0; i < values.length; i++) {
		minimum = Math.min(minimum, values[i]);
		maximum = Math.max(maximum, values[i]);
		const change = i === 0 ? 0 : Math.abs(values[i] - values[i - 1]);
		// Decimals differ by a little more or less as doubles.
		if (change > Math.abs(values[i]) * 1e-12) step = Math.min(step, change);
	}
	const range = maximum - minimum;
	const choices = new Set([configured, declared].filter((delta) => delta !== undefined));
	if (!(range > SMALLEST_RANGE)) return [...choices];
	let delta = roundUp(Math.max(range / SMALLEST_PART, Math.min(step, range)));
	for (let i = 0; i < MAX_CHOICES && delta < range; i++) {
		choices.add(delta);
		delta = roundUp(delta * 1.5);
	}
	return [...choices].sort((a, b) => a - b);
}

/** The next 1, 2 or 5 times a power of ten that is not smaller. */
function roundUp(value: number): number {
	const power = Math.floor(Math.log10(value));
	const unit = 10 ** power;
	const factor = [1, 2, 5, 10].find((each) => each * unit >= value * (1 - 1e-9)) ?? 10;
	return Number((factor * unit).toPrecision(3));
}
