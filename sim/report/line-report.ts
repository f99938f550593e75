import { Counters } from "./counters";
import type { SimulationEvent } from "./events";
import { formatTime } from "./format";
import { Narrator } from "./narrator";
import { LineWriter, type Sink } from "./output";
import type { Report } from "./report";
import { summarize } from "./summary";
import { summaryLines } from "./summary-text";

/** Plain lines, one for each thing worth telling. */
export class LineReport implements Report {
	readonly #counters = new Counters();
	readonly #writer: LineWriter;
	readonly #narrator = new Narrator();

	constructor(sink: Sink) {
		this.#writer = new LineWriter(sink);
	}

	event(event: SimulationEvent): void {
		const line = this.#narrator.line(event, this.#counters.event(event));
		if (line !== undefined) this.#writer.line(`${formatTime(event.time)}  ${line}`);
	}

	note(text: string): void {
		this.#writer.line(text);
	}

	finish(): void {
		for (const line of summaryLines(summarize(this.#counters))) this.#writer.line(line);
		this.close();
	}

	close(): void {
		this.#writer.flush();
	}
}
