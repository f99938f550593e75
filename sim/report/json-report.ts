import { SimulationCounters } from "./counters";
import type { TimedEvent } from "./events";
import { type Rehearsal, summarizeFaults } from "./fault-summary";
import { LineWriter, type Sink } from "./output";
import type { Report } from "./report";
import { summarize } from "./summary";

/** One JSON object a line: every event, then a summary of type `summary`. */
export class JSONReport implements Report {
	readonly #counters = new SimulationCounters();
	readonly #writer: LineWriter;

	constructor(sink: Sink) {
		this.#writer = new LineWriter(sink);
	}

	event(event: TimedEvent): void {
		this.#counters.event(event);
		this.#writer.line(JSON.stringify(event));
	}

	/** Omitted: notes hold ports, which differ from run to run. */
	note(): void {}

	begin(): void {}

	finish(time: number, rehearsal?: Rehearsal): void {
		const counters = this.#counters;
		counters.end(time);
		this.#writer.line(
			JSON.stringify({
				time: counters.now,
				type: "summary",
				...summarize(counters),
				...(rehearsal === undefined ? {} : { rehearsal: summarizeFaults(counters, rehearsal) }),
			}),
		);
		this.close();
	}

	close(): void {
		this.#writer.flush();
	}
}
