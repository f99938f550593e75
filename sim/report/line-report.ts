import { SimulationCounters } from "./counters";
import { EventText } from "./event-text";
import type { TimedEvent } from "./events";
import { faultLines, type Rehearsal, summarizeFaults } from "./fault-summary";
import { formatTime } from "./format";
import { LineWriter, type Sink } from "./output";
import type { Report } from "./report";
import { summarize } from "./summary";
import { summaryLines } from "./summary-text";

/** Plain text, one line for each event worth reporting. */
export class LineReport implements Report {
	readonly #counters = new SimulationCounters();
	readonly #writer: LineWriter;
	readonly #eventText = new EventText();

	constructor(sink: Sink) {
		this.#writer = new LineWriter(sink);
	}

	event(event: TimedEvent): void {
		const line = this.#eventText.line(event, this.#counters.event(event));
		if (line !== undefined) this.#writer.line(`${formatTime(event.time)}  ${line}`);
	}

	note(text: string): void {
		this.#writer.line(text);
	}

	begin(): void {}

	finish(time: number, rehearsal?: Rehearsal): void {
		this.#counters.end(time);
		for (const line of summaryLines(summarize(this.#counters))) this.#writer.line(line);
		if (rehearsal !== undefined)
			for (const line of faultLines(summarizeFaults(this.#counters, rehearsal))) this.#writer.line(line);
		this.close();
	}

	close(): void {
		this.#writer.flush();
	}
}
