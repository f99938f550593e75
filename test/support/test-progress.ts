import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Says how far a run of the tests is, and from the last run of the same files how long it takes. */
export class TestProgress {
	readonly #files: number;
	readonly #record: string;
	readonly #write: (line: string) => void;
	readonly #clock: () => number;
	readonly #startedAt: number;
	readonly #lastMs: number | undefined;
	#started = 0;

	/**
	 * @param files number of test files
	 * @param record file that keeps how long they took
	 * @param clock ms, monotonic
	 */
	constructor(
		files: number,
		record: string,
		write: (line: string) => void,
		clock: () => number = () => performance.now(),
	) {
		this.#files = files;
		this.#record = record;
		this.#write = write;
		this.#clock = clock;
		this.#startedAt = clock();
		this.#lastMs = readRecord(record);
	}

	/** @param estimate of a first run */
	announce(estimate: string | undefined): void {
		const duration =
			this.#lastMs === undefined ? estimate : `about ${formatMinutes(this.#lastMs)}, as the last time`;
		const files = `${this.#files} test file${this.#files === 1 ? "" : "s"}`;
		this.#write(duration === undefined ? files : `${files}, ${duration}`);
	}

	/** A test file begins to run. */
	file(name: string): void {
		const elapsedMs = this.#clock() - this.#startedAt;
		const whole = this.#lastMs === undefined ? "" : ` of about ${formatMinutes(this.#lastMs)}`;
		this.#write(`[${++this.#started} of ${this.#files}, ${formatMinutes(elapsedMs)}${whole}] ${name}`);
	}

	/** All files have run. @returns how long it took */
	end(): string {
		const elapsedMs = this.#clock() - this.#startedAt;
		mkdirSync(dirname(this.#record), { recursive: true });
		writeFileSync(this.#record, `${Math.round(elapsedMs)}\n`);
		return formatMinutes(elapsedMs);
	}
}

function readRecord(path: string): number | undefined {
	try {
		const value = Number(readFileSync(path, "utf8"));
		return value > 0 ? value : undefined;
	} catch {
		return undefined;
	}
}

/** `40 s`, `12 min 30 s`. */
function formatMinutes(ms: number): string {
	const seconds = Math.round(ms / 1000);
	return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
