import type { Settings } from "../../src/config/settings";
import { passesDeadband } from "../../src/sensor/measure/filter";
import type { Schedule } from "./schedule";

/** Which values of a node are reported, and which wakes raise Wi-Fi for it. */
export class Reporting {
	readonly #settings: Settings;
	readonly #schedule: Schedule;
	/** Whether one message carries all values of a wake. */
	readonly #together: boolean;
	/** By wake: whether it has a value, whether it has one that is reported. */
	readonly #measuring: Uint8Array;
	readonly #reporting: Uint8Array;
	#values = 0;
	#reported = 0;

	constructor(settings: Settings, schedule: Schedule) {
		this.#settings = settings;
		this.#schedule = schedule;
		this.#together = settings.payload !== "value" && !settings.topic.includes("{sensor}");
		this.#measuring = new Uint8Array(schedule.wakes.length);
		this.#reporting = new Uint8Array(schedule.wakes.length);
	}

	/**
	 * Puts the values of a sensor through its deadband.
	 * @param values as many as the schedule has; NaN: it failed; undefined: all succeed, and differ enough
	 * @param reported called for each value that is reported
	 */
	add(sensor: number, values?: Float64Array, reported?: (time: number, value: number) => void): void {
		const { delta, heartbeat } = this.#settings.sensors[sensor];
		const { values: inWake } = this.#schedule.sensors[sensor];
		this.#values += inWake.length;
		let last = NaN;
		let reportedAt = 0;
		for (let i = 0; i < inWake.length; i++) {
			const wake = inWake[i];
			this.#measuring[wake] = 1;
			if (values !== undefined) {
				const time = this.#schedule.wakes[wake];
				const value = values[i];
				if (Number.isNaN(value)) continue;
				if (!passesDeadband(value, last, time - reportedAt, delta, heartbeat)) continue;
				last = value;
				reportedAt = time;
				reported?.(time, value);
			}
			this.#reporting[wake] = 1;
			this.#reported++;
		}
	}

	/** Of all sensors. */
	get values(): number {
		return this.#values;
	}

	/** Messages if every value is reported. */
	get messagesAtMost(): number {
		return this.#together ? count(this.#measuring) : this.#values;
	}

	get messages(): number {
		return this.#together ? count(this.#reporting) : this.#reported;
	}

	/** Wakes that raise Wi-Fi: for a report, or for a message about the node itself. */
	exchanges(): number {
		const { diagnostics } = this.#settings;
		if (diagnostics === undefined) return count(this.#reporting);
		const { every } = diagnostics;
		const { wakes } = this.#schedule;
		let exchanges = 0;
		let due = 0;
		for (let i = 0; i < wakes.length; i++) {
			const reports = this.#reporting[i] === 1;
			// With a report it may come a quarter of its period early.
			const message = due - wakes[i] <= (reports ? every / 4 : 0);
			if (message) due = wakes[i] + every;
			if (reports || message) exchanges++;
		}
		return exchanges;
	}
}

function count(marks: Uint8Array): number {
	let sum = 0;
	for (let i = 0; i < marks.length; i++) sum += marks[i];
	return sum;
}
