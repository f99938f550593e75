import type { Time, Timer, TimerId } from "../device";

/** TCP and CONNACK. */
export const CONNECT_DEADLINE = 0;
/** PUBACK. */
export const ACKNOWLEDGE_DEADLINE = 1;
/** PINGREQ. */
export const KEEP_ALIVE_DEADLINE = 2;
export const PINGRESP_DEADLINE = 3;
/** For DISCONNECT to leave; then for the broker to close. */
export const DISCONNECT_DEADLINE = 4;
/** For the platform to tell the end of a connection on which writing failed. */
export const WRITE_FAILED_DEADLINE = 5;
/** `onClosed` from an empty stack. */
export const CLOSED_DEADLINE = 6;
const DEADLINE_COUNT = 7;

/** What a turn is for, beside the transport's events. */
export const DEADLINE_PASSED = 3;

export interface DeadlinesHandler {
	/** @param event DEADLINE @param deadline of them */
	onEvent(event: number, deadline: number): void;
}

/**
 * Several deadlines on one timer. A deadline that moved to a later time does not touch the timer: the timer
 * fires early, finds nothing due, and goes on for the rest. So the owner lets recurring deadlines run out and
 * starts them again for what remains, and a steady exchange never reschedules.
 */
export class Deadlines {
	#timer: Timer;
	#time: Time;
	#handler: DeadlinesHandler;
	#id: TimerId | undefined;
	/**
	 * For each deadline its milliseconds, negative: not running; behind all of these, for each when it was
	 * started. One array is half the slots of two.
	 */
	#durationsAndStarts = new Float64Array(2 * DEADLINE_COUNT).fill(-1);
	#armedAt = 0;
	#armedForMs = -1;

	constructor(timer: Timer, time: Time, handler: DeadlinesHandler) {
		this.#timer = timer;
		this.#time = time;
		this.#handler = handler;
	}

	running(deadline: number): boolean {
		return this.#durationsAndStarts[deadline] >= 0;
	}

	/** @param ms from now, rounded up to at least 1 */
	start(deadline: number, ms: number): void {
		const duration = Math.max(ms, 1);
		const now = this.#time.ticks;
		this.#durationsAndStarts[DEADLINE_COUNT + deadline] = now;
		this.#durationsAndStarts[deadline] = duration;
		if (this.#armedForMs < 0 || duration < this.#armedForMs - this.#time.delta(this.#armedAt, now))
			this.setTimer(duration, now);
	}

	stop(deadline: number): void {
		this.#durationsAndStarts[deadline] = -1;
	}

	stopAll(): void {
		this.#durationsAndStarts.fill(-1);
	}

	/** Stops everything and gives the timer back. */
	dispose(): void {
		this.stopAll();
		this.#armedForMs = -1;
		const id = this.#id;
		this.#id = undefined;
		if (id !== undefined) this.#timer.clear(id);
	}

	private setTimer(duration: number, now: number): void {
		// Always a repeat: a one-shot timer is spent after its callback on some hosts.
		const ms = Math.ceil(duration);
		if (this.#id === undefined) this.#id = this.#timer.set(() => this.onTimer(), ms, ms);
		else this.#timer.schedule(this.#id, ms, ms);
		this.#armedAt = now;
		this.#armedForMs = ms;
	}

	private onTimer(): void {
		if (this.#id === undefined) return;
		const id = this.#id;
		for (let deadline = 0; deadline < DEADLINE_COUNT; deadline++) {
			const duration = this.#durationsAndStarts[deadline];
			if (duration < 0 || this.#time.delta(this.#durationsAndStarts[DEADLINE_COUNT + deadline]) < duration)
				continue;
			this.#durationsAndStarts[deadline] = -1;
			this.#handler.onEvent(DEADLINE_PASSED, deadline);
			// The owner closed, and perhaps opened again.
			if (this.#id !== id) return;
		}
		const now = this.#time.ticks;
		let next = -1;
		for (let deadline = 0; deadline < DEADLINE_COUNT; deadline++) {
			const duration = this.#durationsAndStarts[deadline];
			if (duration < 0) continue;
			const remaining = Math.max(
				duration - this.#time.delta(this.#durationsAndStarts[DEADLINE_COUNT + deadline], now),
				1,
			);
			if (next < 0 || remaining < next) next = remaining;
		}
		if (next >= 0) this.setTimer(next, now);
		else {
			this.#armedForMs = -1;
			this.#timer.schedule(id);
		}
	}
}
