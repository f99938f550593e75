import type { Time, Timer, TimerId } from "../device";

/** Until TCP is connected and CONNACK has arrived. */
export const CONNECT_DEADLINE = 0;
/** Until PUBACK has arrived. */
export const ACKNOWLEDGE_DEADLINE = 1;
/** Until the next PINGREQ. */
export const KEEP_ALIVE_DEADLINE = 2;
export const PINGRESP_DEADLINE = 3;
/** Until DISCONNECT has left; then until the broker closes the connection. */
export const DISCONNECT_DEADLINE = 4;
/** Until the platform reports the end of a connection on which a write failed. */
export const WRITE_FAILED_DEADLINE = 5;
/** Runs a turn, or calls `onClosed`, from an empty stack. */
export const TURN_DEADLINE = 6;
export type Deadline =
	| typeof CONNECT_DEADLINE
	| typeof ACKNOWLEDGE_DEADLINE
	| typeof KEEP_ALIVE_DEADLINE
	| typeof PINGRESP_DEADLINE
	| typeof DISCONNECT_DEADLINE
	| typeof WRITE_FAILED_DEADLINE
	| typeof TURN_DEADLINE;
const DEADLINE_COUNT = 7;

/** Event of a passed deadline; its number differs from those of the transport's events. */
export const DEADLINE_PASSED = 3;

export interface DeadlinesHandler {
	onEvent(event: typeof DEADLINE_PASSED, deadline: Deadline): void;
}

/**
 * Several deadlines on one timer. Moving a deadline to a later time does not touch the timer: it fires early,
 * finds nothing due, and is rescheduled for the remaining time. The owner therefore lets recurring deadlines
 * expire and restarts them for the remaining time, so that steady traffic never reschedules the timer.
 */
export class Deadlines {
	private timer: Timer;
	private time: Time;
	private handler: DeadlinesHandler;
	private id: TimerId | undefined;
	/**
	 * Duration of each deadline in ms, negative if it is not running, followed by the start of each in ticks.
	 * One array takes half the slots of two.
	 */
	private durationsAndStarts = new Float64Array(2 * DEADLINE_COUNT).fill(-1);
	private armedAt = 0;
	private armedForMs = -1;

	constructor(timer: Timer, time: Time, handler: DeadlinesHandler) {
		this.timer = timer;
		this.time = time;
		this.handler = handler;
	}

	running(deadline: Deadline): boolean {
		return this.durationsAndStarts[deadline] >= 0;
	}

	/** @param ms from now, rounded up to at least 1 */
	start(deadline: Deadline, ms: number): void {
		const duration = Math.max(ms, 1);
		const now = this.time.ticks;
		this.durationsAndStarts[DEADLINE_COUNT + deadline] = now;
		this.durationsAndStarts[deadline] = duration;
		this.arm(duration, now);
	}

	stop(deadline: Deadline): void {
		this.durationsAndStarts[deadline] = -1;
	}

	stopAll(): void {
		this.durationsAndStarts.fill(-1);
	}

	/** Stops all deadlines and releases the timer. */
	dispose(): void {
		this.stopAll();
		this.armedForMs = -1;
		const id = this.id;
		this.id = undefined;
		if (id !== undefined) this.timer.clear(id);
	}

	/** Sets the timer, unless it fires before. */
	private arm(duration: number, now: number): void {
		if (this.armedForMs >= 0 && duration >= this.armedForMs - this.time.delta(this.armedAt, now)) return;
		// Always with a repeat: on some hosts a one-shot timer cannot be rescheduled after its callback.
		const ms = Math.ceil(duration);
		if (this.id === undefined) this.id = this.timer.set(() => this.onTimer(), ms, ms);
		else this.timer.schedule(this.id, ms, ms);
		this.armedAt = now;
		this.armedForMs = ms;
	}

	private onTimer(): void {
		const id = this.id;
		if (id === undefined) return;
		const { time, durationsAndStarts: table } = this;
		const now = time.ticks;
		// It is not armed any more, so that a deadline that the handler starts arms it.
		this.armedForMs = -1;
		let next = Infinity;
		for (let deadline = 0; deadline < DEADLINE_COUNT; deadline++) {
			const duration = table[deadline];
			if (duration < 0) continue;
			const remaining = duration - time.delta(table[DEADLINE_COUNT + deadline], now);
			if (remaining > 0) {
				if (remaining < next) next = remaining;
				continue;
			}
			table[deadline] = -1;
			this.handler.onEvent(DEADLINE_PASSED, deadline as Deadline);
			// The handler closed the connection, and perhaps opened another.
			if (this.id !== id) return;
		}
		if (next < Infinity) this.arm(Math.max(next - time.delta(now), 1), time.ticks);
		else if (this.armedForMs < 0) this.timer.schedule(id);
	}
}
