import type { TimerId } from "../device";
import { KEEP_ALIVE_TIMEOUT } from "../mqtt/constants";
import { CLOSING, DRAINING, FREE } from "../session/broker-phase";
import type { Core } from "./core/core";
import type { SessionEnd } from "./handlers/session-end";
import { NEVER_SECONDS } from "./pool/clock";
import type { Connection } from "./session/connection";

/** Shortest timer delay until something is due, ms. */
const MINIMUM_DELAY_MS = 10;
/** The delay where work waits for its next turn, ms: the host serves the connections meanwhile. */
const TURN_PAUSE_MS = 1;
/**
 * Interval between two probes of sockets with unread bytes, ms: a vanished peer is noticed within a second.
 */
const PROBE_INTERVAL_MS = 500;
/** What the end of a connection takes of the budget of a turn, in packets. */
const END_COST = 8;
/** Longest timer delay that is passed to the host, ms: half of what the broker's clock may take to tick. */
const MAXIMUM_DELAY_MS = 0x3fffffff;

/**
 * Closes connections whose timeout has expired: the connect timeout before CONNECT, 1.5 times the keep alive
 * after it. Probes those whose sockets hold unread bytes. Publishes wills after their delay, and ends
 * sessions after their expiry interval. One timer serves all.
 */
export class Timeouts {
	readonly #core: Core;
	readonly #sessionEnd: SessionEnd;
	readonly #onTimer: () => void;
	#timer: TimerId | undefined;
	/** What the timer is for, ms of the broker's clock; infinite: only for the clock. */
	#dueAt = Number.POSITIVE_INFINITY;

	/** @param onTimer timer callback, which must call check() */
	constructor(core: Core, sessionEnd: SessionEnd, onTimer: () => void) {
		this.#core = core;
		this.#sessionEnd = sessionEnd;
		this.#onTimer = onTimer;
	}

	/** Schedules the timer for a connection whose `lastReceivedAt` or `keepAliveTimeoutMs` has changed. */
	watch(connection: Connection): void {
		if (connection.keepAliveTimeoutMs === 0) return;
		this.scheduleBy(connection.lastReceivedAt + connection.keepAliveTimeoutMs);
	}

	/** Makes the timer fire soon, for connections that need a probe or drain. */
	checkSoon(): void {
		this.scheduleBy(this.#core.clock.nowMs + PROBE_INTERVAL_MS);
	}

	/** Makes the timer fire no later than `due`, ms of the broker's clock. */
	scheduleBy(due: number): void {
		if (due < this.#dueAt) this.schedule(due);
	}

	/**
	 * Closes connections whose timeout has expired, publishes due wills, ends expired sessions, and schedules
	 * the next check: soon, where the budget of the turn is used up before all are closed and ended. When Wi-Fi
	 * is lost all clients time out at once, each with its will.
	 * @param other next time at which the timer must fire for another purpose, ms of the broker's clock
	 */
	check(other: number): void {
		const core = this.#core;
		const { connections, reader } = core;
		const now = core.clock.nowMs;
		let next = other;
		for (let i = 1; i < connections.length; i++) {
			const connection = connections[i]!;
			const { phase, keepAliveTimeoutMs } = connection;
			if (phase === FREE || phase === CLOSING) continue;
			if (phase !== DRAINING && connection.needsProbe) {
				connection.probe();
				if (next > now + PROBE_INTERVAL_MS) next = now + PROBE_INTERVAL_MS;
			}
			if (keepAliveTimeoutMs === 0) continue;
			const due = connection.lastReceivedAt + keepAliveTimeoutMs;
			if (due > now) {
				if (due < next) next = due;
				continue;
			}
			if (phase === DRAINING) {
				connection.close();
				continue;
			}
			if (reader.packetsLeft <= 0) {
				next = now;
				continue;
			}
			reader.packetsLeft -= END_COST;
			core.counters.timeouts++;
			core.close(connection, KEEP_ALIVE_TIMEOUT); // [MQTT-3.1.2-22] [MQTT-3.1.1:3.1.2-24]
		}
		const seconds = this.#sessionEnd.checkDue();
		if (seconds !== NEVER_SECONDS && seconds * 1000 < next) next = seconds * 1000;
		// Also if nothing is due: the clock loses what it does not see before the host's ticks wrap
		this.schedule(next);
	}

	/** Clears the timer. */
	close(): void {
		this.#core.host.timer.clear(this.#timer);
		this.#timer = undefined;
		this.#dueAt = Number.POSITIVE_INFINITY;
	}

	private schedule(due: number): void {
		const { timer } = this.#core.host;
		let delay = Math.ceil(due - this.#core.clock.nowMs);
		if (delay < MINIMUM_DELAY_MS) delay = delay <= 0 ? TURN_PAUSE_MS : MINIMUM_DELAY_MS;
		if (delay > MAXIMUM_DELAY_MS) delay = MAXIMUM_DELAY_MS;
		this.#dueAt = due;
		if (this.#timer === undefined) this.#timer = timer.set(this.#onTimer, delay, delay);
		else timer.schedule(this.#timer, delay, delay);
	}
}
