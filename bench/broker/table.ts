/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function heading(title: string, names: readonly string[]): void {
	line(title, [...names, ...names.slice(1).map((name) => `÷ ${name}`)]);
}

/** Values of the first and the others, then the first's ratios to the others. */
export function row(name: string, values: readonly number[], digits: number): void {
	line(name, [...values.map((value) => value.toFixed(digits)), ...values.slice(1).map((value) => (values[0] / value).toFixed(2))]);
}

function line(name: string, cells: readonly string[]): void {
	process.stdout.write(`${name.padEnd(38)}${cells.map((cell) => cell.padStart(12)).join("")}\n`);
}
