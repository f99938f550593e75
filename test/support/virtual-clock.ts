import { type Scheduled, Scheduler } from "../../sim/clock/scheduler";
import type { Time, Timer, TimerId } from "../../src/device";

interface VirtualTimer {
	readonly callback: (id: TimerId) => void;
	repeat: number;
	event: Scheduled | undefined;
	/** A one-shot timer that has run: some hosts do not allow scheduling it again. */
	expired: boolean;
	/** Its callback is running. */
	firing: boolean;
}

/** The simulator's clock, advanced by the test; events at the same time run in scheduling order. */
export class VirtualClock {
	readonly scheduler = new Scheduler(0);
	/** Timers created so far, and calls of schedule(). */
	timersCreated = 0;
	timersMoved = 0;
	/** Timers that are scheduled now. */
	scheduledTimers = 0;
	/** Added to `ticks`, which wraps at 2^31 as on an ESP32. */
	ticksOffset = 0;

	readonly time: Time;
	readonly timer: Timer;

	constructor() {
		const clock = this;
		this.time = {
			get ticks() {
				return (clock.now + clock.ticksOffset) | 0;
			},
			delta(start: number, end: number = clock.time.ticks) {
				return (end - start) | 0;
			},
		};
		this.timer = {
			set: (callback, delay, repeat = 0) => {
				this.timersCreated++;
				const timer: VirtualTimer = { callback, repeat, event: undefined, expired: false, firing: false };
				this.#schedule(timer, delay);
				return timer;
			},
			schedule: (id, delay, repeat = 0) => {
				this.timersMoved++;
				const timer = id as VirtualTimer;
				if (timer.expired) throw new Error("a one-shot timer is spent after its callback");
				this.#cancel(timer);
				if (delay === undefined) return;
				if (timer.firing && repeat === 0)
					throw new Error("a timer scheduled without repeat from its own callback never fires");
				timer.repeat = repeat;
				this.#schedule(timer, delay);
			},
			clear: (id) => {
				if (id !== undefined) this.#cancel(id as VirtualTimer);
			},
		};
	}

	/** Present time, ms. */
	get now(): number {
		return this.scheduler.now;
	}

	/** Whether no event is pending. */
	get isIdle(): boolean {
		return this.scheduler.next === Number.POSITIVE_INFINITY;
	}

	/** Calls `run` in `delay` ms. */
	after(delay: number, run: () => void): void {
		this.scheduler.after(delay, run);
	}

	/** Advances time by `ms`. */
	advance(ms: number): void {
		const end = this.now + ms;
		while (this.scheduler.step(end));
		this.scheduler.advance(end);
	}

	/**
	 * Advances time until no event is pending, or `limit` ms have passed.
	 * @returns whether no event is pending
	 */
	run(limit: number): boolean {
		this.advance(limit);
		return this.isIdle;
	}

	#schedule(timer: VirtualTimer, delay: number): void {
		if (!Number.isInteger(delay) || delay < 0) throw new Error(`timer delay ${delay}`);
		this.scheduledTimers++;
		timer.event = this.scheduler.after(delay, () => {
			timer.event = undefined;
			this.scheduledTimers--;
			if (timer.repeat > 0) this.#schedule(timer, timer.repeat);
			else timer.expired = true;
			timer.firing = true;
			timer.callback(timer);
			timer.firing = false;
		});
	}

	#cancel(timer: VirtualTimer): void {
		if (timer.event === undefined) return;
		this.scheduler.cancel(timer.event);
		this.scheduledTimers--;
		timer.event = undefined;
	}
}
