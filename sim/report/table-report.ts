import type { RunControls } from "./controls";
import { type NodeCounters, SimulationCounters } from "./counters";
import { batteryCapacityMAh } from "./currents";
import { averageCurrent, batteryDays } from "./energy";
import { EventText, formatSensor } from "./event-text";
import type { TimedEvent } from "./events";
import { faultLines, type Rehearsal, summarizeFaults } from "./fault-summary";
import { formatNumber, formatSpan, formatTime, wrapLines } from "./format";
import { type FrameNode, frameLines } from "./frame";
import type { Report } from "./report";
import { Screen, type Terminal } from "./screen";
import { summarize } from "./summary";
import { summaryLines } from "./summary-text";

/** Time between redraws, ms of wall time. */
const REDRAW_INTERVAL_MS = 200;
/** Latest events that are kept for the screen. */
const MAX_NEWS = 100;
/** Simulated ms before an average current is meaningful for a battery estimate. */
const MINIMUM_AVERAGED_MS = 60_000;
/** Steps of the keys + and −. */
const SPEEDS: readonly (number | "max")[] = [1, 10, 60, 600, 3600, "max"];

/** A current value at the broker. */
interface CurrentValue {
	readonly payload: string;
	readonly time: number;
}

/** A line about an event. */
interface News {
	readonly time: number;
	/** Begins with the node's name, if there is one. */
	readonly text: string;
	readonly node?: string;
}

/** The live view: a frame redrawn on a terminal, in which keys act on the simulation. */
export class TableReport implements Report {
	readonly #counters = new SimulationCounters();
	readonly #eventText = new EventText();
	readonly #values = new Map<string, CurrentValue>();
	readonly #news: News[] = [];
	readonly #notes: string[] = [];
	readonly #terminal: Terminal;
	readonly #screen: Screen;
	readonly #keys: boolean;
	#controls: RunControls | undefined;
	#timer: NodeJS.Timeout | undefined;
	#lastDrawnAt = 0;
	#selected = 0;
	#help = false;

	/** @param keys whether {@link key} will be called */
	constructor(terminal: Terminal, keys: boolean) {
		this.#terminal = terminal;
		this.#keys = keys;
		this.#screen = new Screen(terminal, () => this.#draw());
	}

	event(event: TimedEvent): void {
		const line = this.#eventText.line(event, this.#counters.event(event));
		if (event.type === "value") {
			if (event.payload === "") this.#values.delete(event.topic);
			else this.#values.set(event.topic, { payload: event.payload, time: event.time });
		} else if (line !== undefined) this.#addNews(event.time, line.split("\n")[0]!, event.node);
		// A simulation at full speed starves the redraw timer.
		if (this.#controls !== undefined && Date.now() - this.#lastDrawnAt >= REDRAW_INTERVAL_MS) this.#draw();
	}

	begin(controls: RunControls): void {
		this.#controls = controls;
		this.resume();
	}

	/** Takes the terminal, again after {@link suspend}. */
	resume(): void {
		this.#timer ??= setInterval(() => this.#draw(), REDRAW_INTERVAL_MS).unref();
		this.#screen.open();
		this.#draw();
	}

	/** Gives the terminal back. */
	suspend(): void {
		clearInterval(this.#timer);
		this.#timer = undefined;
		this.#screen.close();
	}

	note(text: string): void {
		// A broker that was reset says again where it listens.
		if (!this.#notes.includes(text)) this.#notes.push(text);
	}

	finish(time: number, rehearsal?: Rehearsal): void {
		this.close();
		this.#counters.end(time);
		const lines = summaryLines(summarize(this.#counters));
		if (rehearsal !== undefined) lines.push(...faultLines(summarizeFaults(this.#counters, rehearsal)));
		for (const line of wrapLines(lines, this.#terminal.columns)) this.#terminal.write(`${line}\n`);
	}

	close(): void {
		this.suspend();
		this.#controls = undefined;
	}

	key(name: string): void {
		const controls = this.#controls;
		if (controls === undefined) return;
		switch (name) {
			case " ":
				controls.paused = !controls.paused;
				break;
			case "+":
			case "=":
				this.#changeSpeed(controls, 1);
				break;
			case "-":
				this.#changeSpeed(controls, -1);
				break;
			case "w":
				controls.wifiOutage = !controls.wifiOutage;
				this.#addNews(controls.time, controls.wifiOutage ? "Wi-Fi is out" : "Wi-Fi is back");
				break;
			case "b":
				this.#toggleBroker(controls);
				break;
			case "n":
			case "\t":
				this.#selected++;
				break;
			case "r":
				if (this.#node !== undefined) controls.reset(this.#node.node);
				break;
			case "p":
				if (this.#node !== undefined) controls.togglePower(this.#node.node);
				break;
			case "?":
				this.#help = !this.#help;
				break;
			default:
				return;
		}
		this.#draw();
	}

	/** Sensor nodes first. */
	get #nodes(): NodeCounters[] {
		const nodes = [...this.#counters.nodes.values()];
		return [
			...nodes.filter(({ role }) => role === "sensor"),
			...nodes.filter(({ role }) => role === "broker"),
		];
	}

	/** The board to which keys apply. */
	get #node(): NodeCounters | undefined {
		const nodes = this.#nodes;
		return nodes[this.#selected % nodes.length];
	}

	#changeSpeed(controls: RunControls, direction: 1 | -1): void {
		const { speed } = controls;
		const rank = (value: number | "max"): number => (value === "max" ? Infinity : value);
		const next =
			direction > 0
				? SPEEDS.find((step) => rank(step) > rank(speed))
				: SPEEDS.findLast((step) => rank(step) < rank(speed));
		if (next !== undefined) controls.speed = next;
	}

	#toggleBroker(controls: RunControls): void {
		const { brokerOutage } = controls;
		if (brokerOutage === undefined) {
			this.#addNews(controls.time, "the broker is not part of this simulation: stop it where it runs");
			return;
		}
		controls.brokerOutage = !brokerOutage;
		this.#addNews(controls.time, brokerOutage ? "the broker is back" : "nothing reaches the broker");
	}

	#addNews(time: number, text: string, node?: string): void {
		this.#news.push({ time, text, ...(node === undefined ? {} : { node }) });
		if (this.#news.length > MAX_NEWS) this.#news.shift();
	}

	#draw(): void {
		const controls = this.#controls;
		if (controls === undefined) return;
		this.#lastDrawnAt = Date.now();
		const { time, speed, paused, wifiOutage, brokerOutage } = controls;
		const nodes = this.#nodes;
		const sensorNodes = nodes.filter(({ role }) => role === "sensor");
		const only = sensorNodes.length === 1 ? sensorNodes[0]!.node : undefined;
		const lines = frameLines(
			{
				time,
				speed,
				paused,
				outages: [...(wifiOutage ? ["Wi-Fi out"] : []), ...(brokerOutage === true ? ["broker out"] : [])],
				notes: this.#notes,
				nodes: nodes.map((node) => frameNode(node, time)),
				selected: nodes.length === 0 ? 0 : this.#selected % nodes.length,
				values:
					brokerOutage === undefined
						? undefined
						: [...this.#values].map(([topic, value]) => ({ topic, ...value })),
				news: this.#news.map((news) => newsLine(news, only)),
				keys: this.#keys,
				help: this.#help,
			},
			this.#screen.columns,
			this.#screen.rows,
		);
		this.#screen.draw(lines);
	}
}

/**
 * A line of the latest events. The name of an only node would take the place of what happened.
 * @param only its name; undefined: there are several
 */
function newsLine({ time, text, node }: News, only: string | undefined): string {
	const prefix = `${node}  `;
	const shown = node === only && text.startsWith(prefix) ? text.slice(prefix.length) : text;
	return ` ${formatTime(time).slice(11)}  ${shown}`;
}

function frameNode(node: NodeCounters, now: number): FrameNode {
	const { energy, wakesAt, wakes, acknowledged, waiting, state } = node;
	if (node.role === "broker") return { name: node.node, state: brokerState(state), numbers: [], values: "" };
	energy.integrateTo(now);
	const current = averageCurrent(energy.charge, energy.time);
	const days =
		energy.time < MINIMUM_AVERAGED_MS ? "" : `${formatNumber(batteryDays(batteryCapacityMAh, current))} d`;
	return {
		name: node.node,
		state:
			state === "asleep"
				? `asleep ${formatSpan(Math.max(0, Math.round((wakesAt - now) / 1000)) * 1000)}`
				: state,
		numbers: [
			formatNumber(wakes),
			formatNumber(acknowledged),
			formatNumber(waiting),
			formatNumber(current, 2),
			days,
		],
		values: [...node.values].map(([name, value]) => `${name} ${formatSensor(node, name, value)}`).join("  "),
	};
}

/** A broker never sleeps, and has no reports of its own. */
function brokerState(state: NodeCounters["state"]): string {
	return state === "off" || state === "crashed" ? state : "running";
}
