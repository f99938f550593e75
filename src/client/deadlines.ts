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

/**
 * Several deadlines on one timer. A deadline that moved to a later time does not touch the timer: the timer fires early,
 * finds nothing due, and goes on for the rest. So the owner lets recurring deadlines run out and starts them again for
 * what remains, and a steady exchange never reschedules.
 */
export class Deadlines {
	#timer: Timer;
	#time: Time;
	#onDeadline: (which: number) => void;
	#onTimer: () => void;
	#id: TimerId | undefined;
	#startedAt = new Float64Array(COUNT);
	/** Milliseconds from `#startedAt`; negative: not running. */
	#duration = new Float64Array(COUNT).fill(-1);
	#armedAt = 0;
	#armedFor = -1;

	constructor(timer: Timer, time: Time, onDeadline: (which: number) => void) {
		this.#timer = timer;
		this.#time = time;
		this.#onDeadline = onDeadline;
		this.#onTimer = () => this.#fire();
	}

	running(which: number): boolean {
		return this.#duration[which] >= 0;
	}

	/** @param ms from now, rounded up to at least 1 */
	start(which: number, ms: number): void {
		const duration = Math.max(ms, 1);
		const now = this.#time.ticks;
		this.#startedAt[which] = now;
		this.#duration[which] = duration;
		if (this.#armedFor < 0 || duration < this.#armedFor - this.#time.delta(this.#armedAt, now)) this.#arm(duration, now);
	}

	stop(which: number): void {
		this.#duration[which] = -1;
	}

	stopAll(): void {
		this.#duration.fill(-1);
	}

	/** Stops everything and gives the timer back. */
	end(): void {
		this.stopAll();
		this.#armedFor = -1;
		const id = this.#id;
		this.#id = undefined;
		if (id !== undefined) this.#timer.clear(id);
	}

	#arm(duration: number, now: number): void {
		// Always a repeat: a one-shot timer is spent after its callback on some hosts.
		const ms = Math.ceil(duration);
		if (this.#id === undefined) this.#id = this.#timer.set(this.#onTimer, ms, ms);
		else this.#timer.schedule(this.#id, ms, ms);
		this.#armedAt = now;
		this.#armedFor = ms;
	}

	#fire(): void {
		if (this.#id === undefined) return;
		const id = this.#id;
		for (let which = 0; which < COUNT; which++) {
			const duration = this.#duration[which];
			if (duration < 0 || this.#time.delta(this.#startedAt[which]) < duration) continue;
			this.#duration[which] = -1;
			this.#onDeadline(which);
			// The owner closed, and perhaps opened again.
			if (this.#id !== id) return;
		}
		const now = this.#time.ticks;
		let next = -1;
		for (let which = 0; which < COUNT; which++) {
			const duration = this.#duration[which];
			if (duration < 0) continue;
			const remaining = Math.max(duration - this.#time.delta(this.#startedAt[which], now), 1);
			if (next < 0 || remaining < next) next = remaining;
		}
		if (next >= 0) this.#arm(next, now);
		else {
			this.#armedFor = -1;
			this.#timer.schedule(id);
		}
	}
}
