import type { TimedEvent } from "../../sim/report/events";
import { simulationEvent } from "../../sim/report/firmware-event";
import type { WakeReason } from "../../src/device";
import type { ConsoleLine } from "../serial/console-events";

/**
 * Turns what a board prints into events as a simulation has them. Within a wake the chip's own clock tells
 * the time; from wake to wake it is this computer's, as the chip's begins anew.
 */
export class BoardEvents {
	readonly #node: string;
	readonly #sensors: readonly string[];
	#reason: WakeReason = "reset";
	/** Time of the chip's start; undefined: not known since the last sleep. */
	#start: number | undefined;
	#last = 0;

	/** @param node name of the board @param sensors names, in the order of the settings */
	constructor(node: string, sensors: readonly string[]) {
		this.#node = node;
		this.#sensors = sensors;
	}

	/** @param now time of arrival, ms since 1970 @returns undefined: a simulation has no such event */
	event(line: ConsoleLine, now: number): TimedEvent | undefined {
		if (line.type === "reset") {
			this.#reason = line.reason;
			this.#start = undefined;
			return this.#at(now, { type: "boot", reason: line.reason });
		}
		if (line.type === "text") return undefined;
		const { event, ms } = line;
		if (event[0] === "wake" || this.#start === undefined) this.#start = now - ms;
		const time = this.#start + ms;
		if (event[0] === "sleep") this.#start = undefined;
		if (event[0] === "closed") {
			const [, reports] = event;
			return this.#at(time, { type: "exchange", sent: 0, received: 0, roundTrips: 0, reports });
		}
		const converted = simulationEvent(event, this.#sensors, () => this.#reason);
		// The ROM of a board need not say so: a node without that line has slept.
		if (event[0] === "sleep") this.#reason = "deep-sleep";
		return converted === undefined ? undefined : this.#at(time, converted);
	}

	#at<E>(time: number, event: E): { readonly time: number; readonly node: string } & E {
		this.#last = Math.max(this.#last, time);
		return { time: this.#last, node: this.#node, ...event };
	}
}
