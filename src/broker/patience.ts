import type { TimerId } from "../device";
import { KEEP_ALIVE_TIMEOUT } from "../mqtt/constants";
import { NEVER } from "./clock";
import { type Connection, OPEN, OPENING } from "./connection";
import type { Core } from "./core";
import type { Farewell } from "./farewell";

/** Never less than this until the next look, ms. */
const PAUSE = 10;
/** Longest delay that is asked of a host's timer, ms. */
const LONGEST = 0x3fffffff;

/**
 * Ends connections that are silent for too long: before CONNECT, and past one and a half times their keepalive; publishes wills after their delay, and ends
 * sessions after theirs. One timer serves all.
 */
export class Patience {
	readonly #core: Core;
	readonly #farewell: Farewell;
	readonly #ring: () => void;
	#timer: TimerId | undefined;
	/** When the timer rings, ms of the broker's clock; infinite while it rests. */
	#due = Number.POSITIVE_INFINITY;

	/** @param ring what the timer calls; it is to call check() */
	constructor(core: Core, farewell: Farewell, ring: () => void) {
		this.#core = core;
		this.#farewell = farewell;
		this.#ring = ring;
	}

	/** Sees to it that the timer rings in time for a connection, whose `heard` and `silence` have changed. */
	watch(connection: Connection): void {
		if (connection.silence === 0) return;
		this.wake(connection.heard + connection.silence);
	}

	/** Sees to it that the timer rings by then, ms of the broker's clock. */
	wake(due: number): void {
		if (due < this.#due) this.schedule(due);
	}

	/** Lets those go whose time is over. @param other when the timer is to ring for something else, ms of the broker's clock */
	check(other: number): void {
		const core = this.#core;
		const { connections } = core;
		const now = core.clock.now;
		let next = other;
		for (let i = 1; i < connections.length; i++) {
			const connection = connections[i]!;
			const { state, silence } = connection;
			if ((state !== OPENING && state !== OPEN) || silence === 0) continue;
			const due = connection.heard + silence;
			if (due > now) {
				if (due < next) next = due;
				continue;
			}
			core.counters.timeouts++;
			core.close(connection, KEEP_ALIVE_TIMEOUT); // [MQTT-3.1.2-22] [MQTT-3.1.1:3.1.2-24]
		}
		const seconds = this.#farewell.check();
		if (seconds !== NEVER && seconds * 1000 < next) next = seconds * 1000;
		this.#due = Number.POSITIVE_INFINITY;
		if (next !== Number.POSITIVE_INFINITY) this.schedule(next);
		else if (this.#timer !== undefined) core.host.timer.schedule(this.#timer);
	}

	/** Gives the timer back. */
	close(): void {
		this.#core.host.timer.clear(this.#timer);
		this.#timer = undefined;
		this.#due = Number.POSITIVE_INFINITY;
	}

	private schedule(due: number): void {
		const { timer } = this.#core.host;
		let delay = Math.ceil(due - this.#core.clock.now);
		if (delay < PAUSE) delay = PAUSE;
		if (delay > LONGEST) delay = LONGEST;
		this.#due = due;
		if (this.#timer === undefined) this.#timer = timer.set(this.#ring, delay, delay);
		else timer.schedule(this.#timer, delay, delay);
	}
}
