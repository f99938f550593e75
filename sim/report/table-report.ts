import { createLogUpdate } from "log-update";
import pc from "picocolors";
import { type NodeCounters, SimulationCounters } from "./counters";
import { batteryCapacityMAh } from "./currents";
import { averageCurrent, batteryDays } from "./energy";
import { EventText, formatSensor } from "./event-text";
import type { TimedEvent } from "./events";
import { clip, formatNumber, formatSpan, formatTime } from "./format";
import type { Report } from "./report";
import { summarize } from "./summary";
import { summaryLines } from "./summary-text";

/** Time between redraws, ms of wall time. */
const REDRAW_INTERVAL_MS = 200;
/** Lines of recent events below the table. */
const NEWS_LINES = 6;
/** Simulated ms before an average current is meaningful for a battery estimate. */
const MINIMUM_AVERAGED_MS = 60_000;

/** A current value at the broker. */
interface CurrentValue {
	readonly payload: string;
	readonly time: number;
}

/** The part of a terminal that a table needs. */
export interface Screen {
	readonly columns?: number;
	readonly rows?: number;
	write(text: string): unknown;
}

/** A table redrawn in place on a terminal: nodes, the broker's current values, the latest events. */
export class TableReport implements Report {
	readonly #counters = new SimulationCounters();
	readonly #eventText = new EventText();
	readonly #values = new Map<string, CurrentValue>();
	readonly #news: string[] = [];
	readonly #screen: Screen;
	readonly #speed: number | "max";
	readonly #update: ReturnType<typeof createLogUpdate>;
	readonly #timer: NodeJS.Timeout;
	#note = "";
	#lastDrawnAt = 0;
	/** Wall time of the last event. */
	#lastEventAt = 0;

	/** @param speed ratio of simulated to wall time, to advance the clock between events */
	constructor(screen: Screen, speed: number | "max") {
		this.#screen = screen;
		this.#speed = speed;
		this.#update = createLogUpdate(screen as NodeJS.WriteStream);
		this.#timer = setInterval(() => this.#draw(), REDRAW_INTERVAL_MS).unref();
	}

	event(event: TimedEvent): void {
		const line = this.#eventText.line(event, this.#counters.event(event));
		this.#lastEventAt = Date.now();
		if (event.type === "value") {
			if (event.payload === "") this.#values.delete(event.topic);
			else this.#values.set(event.topic, { payload: event.payload, time: event.time });
		} else if (line !== undefined) {
			this.#news.push(`${formatTime(event.time).slice(11)}  ${line.split("\n")[0]}`);
			if (this.#news.length > NEWS_LINES) this.#news.shift();
		}
		// A simulation at full speed starves the redraw timer.
		if (this.#lastEventAt - this.#lastDrawnAt >= REDRAW_INTERVAL_MS) this.#draw();
	}

	note(text: string): void {
		this.#note = this.#note === "" ? text : `${this.#note}; ${text}`;
	}

	finish(): void {
		this.close();
		for (const line of summaryLines(summarize(this.#counters))) this.#screen.write(`${line}\n`);
	}

	close(): void {
		clearInterval(this.#timer);
		this.#lastEventAt = Date.now();
		this.#draw();
		this.#update.done();
	}

	/** Simulated time, extrapolated from the last event. */
	get #now(): number {
		const { now } = this.#counters;
		return this.#speed === "max" ? now : now + (Date.now() - this.#lastEventAt) * this.#speed;
	}

	#draw(): void {
		if (this.#counters.start === undefined) return;
		this.#lastDrawnAt = Date.now();
		const now = this.#now;
		const width = Math.max(40, this.#screen.columns ?? 80);
		const lines = [
			pc.bold(`Firefly  ${formatTime(now).slice(0, 19)} UTC, simulated`),
			pc.dim(clip(this.#note, width)),
			"",
		];
		lines.push(...this.#nodes(now, width), "", ...this.#currentValues(width), "");
		for (const line of this.#news) lines.push(pc.dim(clip(line, width)));
		this.#update(lines.slice(0, Math.max(4, (this.#screen.rows ?? 24) - 1)).join("\n"));
	}

	#nodes(now: number, width: number): string[] {
		const lines = [
			pc.dim(clip(row("node", "state", "wakes", "acked", "waiting", "mA", "battery", "last values"), width)),
		];
		for (const node of this.#counters.nodes.values())
			if (node.role === "sensor") lines.push(clip(this.#node(node, now), width));
		return lines;
	}

	#node(node: NodeCounters, now: number): string {
		const { energy, wakesAt, wakes, acknowledged, waiting } = node;
		const state =
			node.state === "asleep"
				? `asleep ${formatSpan(Math.max(0, Math.round((wakesAt - now) / 1000)) * 1000)}`
				: node.state;
		energy.integrateTo(this.#counters.now);
		const current = averageCurrent(energy.charge, energy.time);
		const days =
			energy.time < MINIMUM_AVERAGED_MS ? "" : `${formatNumber(batteryDays(batteryCapacityMAh, current))} d`;
		const values = [...node.values]
			.map(([name, value]) => `${name} ${formatSensor(node, name, value)}`)
			.join("  ");
		return row(
			node.node,
			state,
			formatNumber(wakes),
			formatNumber(acknowledged),
			formatNumber(waiting),
			formatNumber(current, 2),
			days,
			values,
		);
	}

	#currentValues(width: number): string[] {
		const lines = [pc.dim(clip(`${"topic at the broker".padEnd(44)} ${"value".padEnd(24)} since`, width))];
		for (const [topic, { payload, time }] of this.#values)
			lines.push(
				clip(
					`${clip(topic, 44).padEnd(44)} ${clip(payload, 24).padEnd(24)} ${formatTime(time).slice(11, 19)}`,
					width,
				),
			);
		return lines;
	}
}

function row(
	node: string,
	state: string,
	wakes: string,
	acked: string,
	waiting: string,
	current: string,
	battery: string,
	values: string,
): string {
	const numbers = [wakes, acked, waiting, current, battery].map((text) => text.padStart(8)).join("");
	return `${clip(node, 24).padEnd(24)} ${clip(state, 13).padEnd(13)}${numbers}  ${values}`;
}
