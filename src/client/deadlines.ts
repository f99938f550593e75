import type { Time, Timer, TimerId } from "../device";

/** TCP and CONNACK. */
export const CONNECT_DEADLINE = 0;
/** PUBACK. */
export const ACKNOWLEDGE_DEADLINE = 1;
/** PINGREQ. */
export const KEEPALIVE_DEADLINE = 2;
export const PINGRESP_DEADLINE = 3;
/** For DISCONNECT to leave; then for the broker to close. */
export const LEAVE_DEADLINE = 4;
/** For the platform to tell the end of a connection on which writing failed. */
export const BROKEN_DEADLINE = 5;
/** `onClosed` from an empty stack. */
export const CLOSED_DEADLINE = 6;
const COUNT = 7;

/** What a turn is for, beside the transport's events. */
export const DEADLINE = 3;

export interface DeadlinesHandler {
	/** @param what DEADLINE @param which of them */
	turn(what: number, which: number): void;
}

/**
 * Several deadlines on one timer. A deadline that moved to a later time does not touch the timer: the timer fires early,
 * finds nothing due, and goes on for the rest. So the owner lets recurring deadlines run out and starts them again for
 * what remains, and a steady exchange never reschedules.
 */
export class Deadlines {
	#timer: Timer;
	#time: Time;
	#handler: DeadlinesHandler;
	#id: TimerId | undefined;
	/** For each deadline its milliseconds, negative: not running; behind all of these, for each when it was started. One array is half the slots of two. */
	#times = new Float64Array(2 * COUNT).fill(-1);
	#armedAt = 0;
	#armedFor = -1;

	constructor(timer: Timer, time: Time, handler: DeadlinesHandler) {
		this.#timer = timer;
		this.#time = time;
		this.#handler = handler;
	}

	running(which: number): boolean {
		return this.#times[which] >= 0;
	}

	/** @param ms from now, rounded up to at least 1 */
	start(which: number, ms: number): void {
		const duration = Math.max(ms, 1);
		const now = this.#time.ticks;
		this.#times[COUNT + which] = now;
		this.#times[which] = duration;
		if (this.#armedFor < 0 || duration < this.#armedFor - this.#time.delta(this.#armedAt, now)) this.arm(duration, now);
	}

	stop(which: number): void {
		this.#times[which] = -1;
	}

	stopAll(): void {
		this.#times.fill(-1);
	}

	/** Stops everything and gives the timer back. */
	end(): void {
		this.stopAll();
		this.#armedFor = -1;
		const id = this.#id;
		this.#id = undefined;
		if (id !== undefined) this.#timer.clear(id);
	}

	private arm(duration: number, now: number): void {
		// Always a repeat: a one-shot timer is spent after its callback on some hosts.
		const ms = Math.ceil(duration);
		if (this.#id === undefined) this.#id = this.#timer.set(() => this.fire(), ms, ms);
		else this.#timer.schedule(this.#id, ms, ms);
		this.#armedAt = now;
		this.#armedFor = ms;
	}

	private fire(): void {
		if (this.#id === undefined) return;
		const id = this.#id;
		for (let which = 0; which < COUNT; which++) {
			const duration = this.#times[which];
			if (duration < 0 || this.#time.delta(this.#times[COUNT + which]) < duration) continue;
			this.#times[which] = -1;
			this.#handler.turn(DEADLINE, which);
			// The owner closed, and perhaps opened again.
			if (this.#id !== id) return;
		}
		const now = this.#time.ticks;
		let next = -1;
		for (let which = 0; which < COUNT; which++) {
			const duration = this.#times[which];
			if (duration < 0) continue;
			const remaining = Math.max(duration - this.#time.delta(this.#times[COUNT + which], now), 1);
			if (next < 0 || remaining < next) next = remaining;
		}
		if (next >= 0) this.arm(next, now);
		else {
			this.#armedFor = -1;
			this.#timer.schedule(id);
		}
	}
}
