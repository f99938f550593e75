const TITLE = "building the XS engine, once on this machine";
const BAR_WIDTH = 20;
const ERASE_LINE = "\r\x1b[K";

/** Shows on standard error how far the build of the engine is: a bar on a terminal, otherwise one line. */
export class BuildProgress {
	readonly #stream: NodeJS.WriteStream;
	#shown = false;

	constructor(stream: NodeJS.WriteStream = process.stderr) {
		this.#stream = stream;
	}

	/** @param done files compiled, of `total` */
	show(done: number, total: number): void {
		if (!this.#stream.isTTY) {
			if (done === 0) this.#stream.write(`${TITLE}: ${total} files …\n`);
			return;
		}
		this.#shown = true;
		const filled = Math.round((BAR_WIDTH * done) / total);
		const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
		this.#stream.write(`${ERASE_LINE}${TITLE}  ${bar} ${done} of ${total}`);
		if (done === total) this.end();
	}

	/** Removes the bar. */
	end(): void {
		if (this.#shown) this.#stream.write(ERASE_LINE);
		this.#shown = false;
	}
}
