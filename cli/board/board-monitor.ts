import { SimulationCounters } from "../../sim/report/counters";
import { EventText } from "../../sim/report/event-text";
import type { SensorDescription } from "../../sim/report/events";
import { formatTime } from "../../sim/report/format";
import { ConsoleDecoder } from "../serial/console-decoder";
import { readConsoleLine } from "../serial/console-events";
import { BoardEvents } from "./board-events";
import { RunCounts } from "./run-counts";

export interface BoardMonitorOptions {
	/** Name of the board. */
	readonly node: string;
	readonly sensors: readonly SensorDescription[];
	/** `raw`: each line as the board prints it. */
	readonly mode: "text" | "json" | "raw";
	readonly print: (line: string) => void;
	/** Sends to the board. */
	readonly reply: (text: string) => void;
	/** ms since 1970; this computer's clock by default. */
	readonly now?: () => number;
}

/** Prints what a board does as a simulation prints it, and counts it. */
export class BoardMonitor {
	readonly counts = new RunCounts();
	readonly #options: BoardMonitorOptions;
	readonly #now: () => number;
	readonly #decoder: ConsoleDecoder;
	readonly #events: BoardEvents;
	readonly #counters = new SimulationCounters();
	readonly #text = new EventText();

	constructor(options: BoardMonitorOptions) {
		const { node, sensors, reply } = options;
		this.#options = options;
		this.#now = options.now ?? Date.now;
		this.#events = new BoardEvents(
			node,
			sensors.map(({ name }) => name),
		);
		this.#counters.event({ time: this.#now(), node, type: "node", role: "sensor", sensors });
		this.#decoder = new ConsoleDecoder((line) => this.#line(line), reply);
	}

	/** Whether the board has said that it sleeps. */
	get isAsleep(): boolean {
		return this.#counters.nodes.get(this.#options.node)?.state === "asleep";
	}

	push(bytes: Uint8Array): void {
		this.#decoder.push(bytes);
	}

	/** The observation ends. */
	end(): void {
		if (this.counts.observed > 0) this.counts.end(this.#now());
	}

	#line(line: string): void {
		const { mode, print } = this.#options;
		const now = this.#now();
		const read = readConsoleLine(line);
		const event = read === undefined ? undefined : this.#events.event(read, now);
		let text: string | undefined;
		if (event !== undefined) {
			this.counts.event(event);
			text = this.#text.line(event, this.#counters.event(event));
		}
		if (mode === "raw") print(line);
		else if (mode === "json") {
			if (event !== undefined) print(JSON.stringify(event));
			else if (read?.type === "text") print(JSON.stringify({ time: now, type: "line", text: read.text }));
		} else {
			if (event !== undefined && text !== undefined) print(`${formatTime(event.time)}  ${text}`);
			else if (read?.type === "text") print(read.text);
		}
	}
}
