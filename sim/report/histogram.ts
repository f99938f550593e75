/** Values below this have a cell each. */
const EXACT_LIMIT = 2048;
/** Cells per doubling above: a value is underestimated by at most 1 part in 1024. */
const CELLS_PER_DOUBLING = 1024;

/**
 * Counts non-negative whole numbers in bounded memory; quantiles are exact below 2048 and within 0.1 % above.
 */
export class Histogram {
	readonly #counts = new Map<number, number>();
	#count = 0;

	get count(): number {
		return this.#count;
	}

	/** Counts a value; fractions are rounded. */
	add(value: number): void {
		const cell = cellOf(Math.max(0, Math.round(value)));
		this.#counts.set(cell, (this.#counts.get(cell) ?? 0) + 1);
		this.#count++;
	}

	/**
	 * The smallest value that at least the fraction `rank` (0 … 1) of all values does not exceed; undefined
	 * without values.
	 */
	quantile(rank: number): number | undefined {
		const wanted = Math.max(1, Math.ceil(rank * this.#count));
		let seen = 0;
		for (const cell of [...this.#counts.keys()].sort((a, b) => a - b)) {
			seen += this.#counts.get(cell) ?? 0;
			if (seen >= wanted) return cell;
		}
		return undefined;
	}

	merge(other: Histogram): void {
		for (const [cell, count] of other.#counts) this.#counts.set(cell, (this.#counts.get(cell) ?? 0) + count);
		this.#count += other.#count;
	}
}

/** The lower end of the cell that a value falls into. */
function cellOf(value: number): number {
	if (value < EXACT_LIMIT) return value;
	const width = 2 ** Math.floor(Math.log2(value)) / CELLS_PER_DOUBLING;
	return Math.floor(value / width) * width;
}
