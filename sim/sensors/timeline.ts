import type { RecordedRow, Recording } from "./recording";
import { ReplayError } from "./replay-error";
import { samplingStep } from "./sampling-step";

/**
 * The step of the absolute time grid that fits a recording best, ms: the one nearest to the median distance
 * of its rows.
 */
export function gridStepOf(recording: Recording): number {
	const { rows, step } = recording;
	return step ?? samplingStep(rows.slice(1).map((row, index) => row.time - rows[index]!.time));
}

/**
 * The rows of a recording on an absolute grid. Each row belongs to the nearest grid time, so that samples on
 * the grid read every row exactly once, even rows a second early or late.
 */
export class Timeline {
	/** ms */
	readonly step: number;
	readonly #recording: Recording;
	readonly #rows = new Map<number, number>();

	/** Throws {@link ReplayError} when two rows fall on one grid time. @param step ms */
	constructor(recording: Recording, step: number) {
		this.step = step;
		this.#recording = recording;
		recording.rows.forEach((row, index) => {
			const slot = this.#slot(row.time);
			const other = this.#rows.get(slot);
			if (other !== undefined) {
				const time = new Date(slot * step).toISOString();
				throw new ReplayError(
					`${recording.file}:${row.line}: this row and line ${recording.rows[other]!.line} both fall on ${time} of a grid of ${step / 1000} s`,
				);
			}
			this.#rows.set(slot, index);
		});
	}

	/** Grid time of the first row, ms since 1970. */
	get start(): number {
		return this.#slot(this.#recording.rows[0]!.time) * this.step;
	}

	/** Grid time of the last row, ms since 1970. */
	get end(): number {
		const { rows } = this.#recording;
		return this.#slot(rows[rows.length - 1]!.time) * this.step;
	}

	/** The row of the grid time nearest to `time`, if any. */
	at(time: number): RecordedRow | undefined {
		const index = this.#rows.get(this.#slot(time));
		return index === undefined ? undefined : this.#recording.rows[index];
	}

	#slot(time: number): number {
		return Math.round(time / this.step);
	}
}
