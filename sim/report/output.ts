/** Destination of text: a stream of Node. */
export interface Sink {
	write(text: string): unknown;
}

/** Longest buffered text, in characters. */
const FLUSH_LENGTH = 65_536;

/**
 * Buffers lines, because a write for each would slow a fast simulation down. Writes them in the next turn of
 * the event loop, or when the buffer is full.
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
