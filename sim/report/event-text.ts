import type { UpdatePhase } from "../../src/device-events";
import { tracedLine } from "../capture/packet-text";
import type { NodeCounters } from "./counters";
import type { TimedEvent } from "./events";
import { count, formatSpan, formatValue } from "./format";
import { printable, printableLines } from "./printable";

const DROP_CAUSES = {
	full: "outbox full",
	damaged: "retained memory damaged",
	unreadable: "recorded for other settings",
	cleared: "outbox cleared by a command",
} as const;

const UPDATE_TEXTS = {
	fetching: "update: fetches the image",
	interrupted: "update: could not fetch the image; tries again after the next report",
	activated: "update: the image is complete, and starts on trial",
	confirmed: "update: the new image has reported, and stays",
	returned: "update: the new image could not report; the one before starts",
	failed: "update: given up",
} as const satisfies Record<UpdatePhase, string>;

/** Formats events as text lines; the events of one wake are summarised at its end. */
export class EventText {
	readonly #wakes = new Map<string, WakeText>();

	/** The line to print for an event, if any. */
	line(event: TimedEvent, counters: NodeCounters): string | undefined {
		const { node } = event;
		const wake = this.#wakeOf(node);
		switch (event.type) {
			case "node":
				return event.role === "broker"
					? undefined
					: `${node}  ${count(event.sensors.length, "sensor")}: ${event.sensors.map((sensor) => sensor.name).join(", ")}`;
			case "boot":
				this.#wakes.set(node, new WakeText(event.time));
				return event.reason === "deep-sleep" || counters.role === "broker"
					? undefined
					: `${node}  boots: ${event.reason}`;
			case "wake":
				wake.start = event.time;
				return undefined;
			case "sample":
				wake.sample(`${event.sensor} ${formatSensor(counters, event.sensor, event.value)}`);
				return undefined;
			case "gathered":
				wake.gathered();
				return undefined;
			case "filtered":
				wake.filtered();
				return undefined;
			case "acknowledged":
				wake.acknowledged();
				return counters.alwaysOn && event.waiting === 0 ? `${node}  ${wake.takeText()}` : undefined;
			case "dropped":
				return `${node}  ${DROP_CAUSES[event.reason ?? "full"]}: ${count(event.count, "report")} dropped, ${event.waiting} waiting`;
			case "failed":
				return `${node}  report failed: ${event.fault}${event.reasonCode === 0 ? "" : ` (reason code 0x${event.reasonCode.toString(16).padStart(2, "0")})`}`;
			case "command":
				return `${node}  ${commandText(event.command, event.accepted)}`;
			case "update":
				return `${node}  ${UPDATE_TEXTS[event.phase]}`;
			case "limit":
				return `${node}  awakeLimit reached`;
			case "sleep":
				return `${node}  awake ${formatSpan(event.time - wake.start)}, ${wake.takeText()}${event.waiting === 0 ? "" : `, ${event.waiting} waiting`}; sleeps ${formatSpan(event.duration)}`;
			case "fault":
				return `${node}  fault ${event.fault} ${event.active ? "begins" : "is over"}`;
			case "off":
				return `${node}  power off`;
			case "crash":
				return `${node}  crashed: ${event.kind}: ${printableLines(event.message + (event.stack === undefined ? "" : `\n${event.stack}`))}`;
			case "packet":
				return `${node}  ${tracedLine(event.client, event)}`;
			case "trace":
				return `${node}  | ${printableLines(event.message.trimEnd())}`;
			case "value":
				return `${node}  ${printable(event.topic)} = ${event.payload === "" ? "(cleared)" : printable(event.payload)}`;
			default:
				return undefined;
		}
	}

	#wakeOf(node: string): WakeText {
		let wake = this.#wakes.get(node);
		if (wake === undefined) {
			wake = new WakeText(0);
			this.#wakes.set(node, wake);
		}
		return wake;
	}
}

function commandText(command: string, accepted: boolean): string {
	if (command === "restored")
		return "restores the settings before: it could not report with those of the command set";
	return `command ${printable(command)}: ${accepted ? "executed" : "refused"}`;
}

class WakeText {
	start: number;
	#values: string[] = [];
	#gathered = 0;
	#filtered = 0;
	#acknowledged = 0;

	constructor(start: number) {
		this.start = start;
	}

	sample(text: string): void {
		this.#values.push(text);
	}

	gathered(): void {
		this.#gathered++;
	}

	filtered(): void {
		this.#filtered++;
	}

	acknowledged(): void {
		this.#acknowledged++;
	}

	/** Summarises and clears what happened since the last call. */
	takeText(): string {
		const parts = [...this.#values];
		if (this.#gathered > 0) parts.push(`${count(this.#gathered, "sample")} gathered`);
		if (this.#filtered > 0) parts.push(`${this.#filtered} held back`);
		if (this.#acknowledged > 0) parts.push(`${this.#acknowledged} acknowledged`);
		this.#values = [];
		this.#gathered = 0;
		this.#filtered = 0;
		this.#acknowledged = 0;
		return parts.length === 0 ? "nothing to do" : parts.join(", ");
	}
}

/** Formats a reading with the unit and digits of its sensor. */
export function formatSensor(counters: NodeCounters, name: string, value: number | undefined): string {
	const sensor = counters.sensors.find((candidate) => candidate.name === name);
	return formatValue(value, sensor?.unit, sensor?.decimals);
}
