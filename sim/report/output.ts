/** Where text goes: a stream of Node. */
export interface Sink {
	write(text: string): unknown;
}

/** Longest text held back, in characters. */
const FLUSH_LENGTH = 65_536;

/**
 * Gathers lines, so that a fast simulation does not pay for each: they leave in the next turn of the event
 * loop, or once they are many.
 */
export class LineWriter {
	readonly #sink: Sink;
	#text = "";
	#scheduled = false;

	constructor(sink: Sink) {
		this.#sink = sink;
	}

	line(text: string): void {
		this.#text += `${text}\n`;
		if (this.#text.length >= FLUSH_LENGTH) this.flush();
		else if (!this.#scheduled) {
			this.#scheduled = true;
			setImmediate(() => this.flush());
		}
	}

	flush(): void {
		this.#scheduled = false;
		if (this.#text === "") return;
		const text = this.#text;
		this.#text = "";
		this.#sink.write(text);
	}
}
