import type { TimerId } from "../device";
import { KEEP_ALIVE_TIMEOUT } from "../mqtt/constants";
import type { Core } from "./core";
import type { SessionEnd } from "./handlers/session-end";
import { NEVER_SECONDS } from "./pool/clock";
import { type Connection, OPEN, OPENING } from "./session/connection";

/** Never less than this until the next look, ms. */
const MINIMUM_DELAY_MS = 10;
/** Longest delay that is asked of a host's timer, ms. */
const MAXIMUM_DELAY_MS = 0x3fffffff;

/**
 * Ends connections that are silent for too long: before CONNECT, and past one and a half times their
 * keepalive; publishes wills after their delay, and ends sessions after theirs. One timer serves all.
 */
export class Timeouts {
	readonly #core: Core;
	readonly #sessionEnd: SessionEnd;
	readonly #onTimer: () => void;
	#timer: TimerId | undefined;
	/** When the timer rings, ms of the broker's clock; infinite while it rests. */
	#dueAt = Number.POSITIVE_INFINITY;

	/** @param onTimer what the timer calls; it is to call check() */
	constructor(core: Core, sessionEnd: SessionEnd, onTimer: () => void) {
		this.#core = core;
		this.#sessionEnd = sessionEnd;
		this.#onTimer = onTimer;
	}

	/** Sees to it that the timer rings in time for a connection, whose `heard` and `silence` have changed. */
	watch(connection: Connection): void {
		if (connection.keepAliveTimeoutMs === 0) return;
		this.scheduleBy(connection.lastReceivedAt + connection.keepAliveTimeoutMs);
	}

	/** Sees to it that the timer rings by then, ms of the broker's clock. */
	scheduleBy(due: number): void {
		if (due < this.#dueAt) this.schedule(due);
	}

	/**
	 * Lets those go whose time is over.
	 * @param other when the timer is to ring for something else, ms of the broker's clock
	 */
	check(other: number): void {
		const core = this.#core;
		const { connections } = core;
		const now = core.clock.nowMs;
		let next = other;
		for (let i = 1; i < connections.length; i++) {
			const connection = connections[i]!;
			const { state, keepAliveTimeoutMs } = connection;
			if ((state !== OPENING && state !== OPEN) || keepAliveTimeoutMs === 0) continue;
			const due = connection.lastReceivedAt + keepAliveTimeoutMs;
			if (due > now) {
				if (due < next) next = due;
				continue;
			}
			core.counters.timeouts++;
			core.close(connection, KEEP_ALIVE_TIMEOUT); // [MQTT-3.1.2-22] [MQTT-3.1.1:3.1.2-24]
		}
		const seconds = this.#sessionEnd.checkDue();
		if (seconds !== NEVER_SECONDS && seconds * 1000 < next) next = seconds * 1000;
		this.#dueAt = Number.POSITIVE_INFINITY;
		if (next !== Number.POSITIVE_INFINITY) this.schedule(next);
		else if (this.#timer !== undefined) core.host.timer.schedule(this.#timer);
	}

	/** Gives the timer back. */
	close(): void {
		this.#core.host.timer.clear(this.#timer);
		this.#timer = undefined;
		this.#dueAt = Number.POSITIVE_INFINITY;
	}

	private schedule(due: number): void {
		const { timer } = this.#core.host;
		let delay = Math.ceil(due - this.#core.clock.nowMs);
		if (delay < MINIMUM_DELAY_MS) delay = MINIMUM_DELAY_MS;
		if (delay > MAXIMUM_DELAY_MS) delay = MAXIMUM_DELAY_MS;
		this.#dueAt = due;
		if (this.#timer === undefined) this.#timer = timer.set(this.#onTimer, delay, delay);
		else timer.schedule(this.#timer, delay, delay);
	}
}
