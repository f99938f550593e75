const NAME = 36;
const CELL = 11;
const RATIO = 19;

/** The quantile of `part`, 0.5 for the median; interpolated between two values. */
export function quantile(values: readonly number[], part: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	const at = (sorted.length - 1) * part;
	const below = Math.floor(at);
	const above = Math.min(below + 1, sorted.length - 1);
	return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

export function heading(title: string, names: readonly string[]): void {
	line(
		title,
		names,
		names.slice(1).map((name) => `÷ ${name}`),
	);
}

/**
 * Prints a row: the medians, then the ratios of the first column to the others, as the median of the ratios
 * within each round, with the quartiles in brackets.
 * @param rounds values of each column, in the order of the rounds
 */
export function row(name: string, rounds: readonly (readonly number[])[], digits: number): void {
	const first = rounds[0]!;
	const ratios = rounds.slice(1).map((others) => first.map((value, i) => value / others[i]!));
	line(
		name,
		rounds.map((values) => quantile(values, 0.5).toFixed(digits)),
		ratios.map(spread),
	);
}

function spread(values: readonly number[]): string {
	const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => quantile(values, part).toFixed(2));
	return values.length === 1 ? middle! : `${middle} (${low}–${high})`;
}

function line(name: string, cells: readonly string[], ratios: readonly string[]): void {
	process.stdout.write(
		`${name.padEnd(NAME)}${cells.map((cell) => cell.padStart(CELL)).join("")}${ratios.map((cell) => cell.padStart(RATIO)).join("")}\n`,
	);
}
