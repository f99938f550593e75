import type { Time, Timer, TimerId } from "../../src/device";

interface ScheduledEvent {
	at: number;
	readonly order: number;
	readonly run: () => void;
}

interface VirtualTimer {
	readonly callback: (id: TimerId) => void;
	repeat: number;
	event: ScheduledEvent | undefined;
	/** A one-shot timer that has run: some hosts do not allow scheduling it again. */
	expired: boolean;
}

/** A clock that the test advances; events at the same time run in scheduling order. */
export class VirtualClock {
	/** Present time, ms. */
	now = 0;
	/** Timers created so far, and calls of schedule(). */
	timersCreated = 0;
	timersMoved = 0;
	/** Added to `ticks`, which wraps at 2^31 as on an ESP32. */
	ticksOffset = 0;
	#events: ScheduledEvent[] = [];
	#order = 0;

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
				const timer: VirtualTimer = { callback, repeat, event: undefined, expired: false };
				this.#schedule(timer, delay);
				return timer;
			},
			schedule: (id, delay, repeat = 0) => {
				this.timersMoved++;
				const timer = id as VirtualTimer;
				if (timer.expired) throw new Error("a one-shot timer is spent after its callback");
				this.#cancel(timer);
				if (delay === undefined) return;
				timer.repeat = repeat;
				this.#schedule(timer, delay);
			},
			clear: (id) => {
				if (id !== undefined) this.#cancel(id as VirtualTimer);
			},
		};
	}

	/** Calls `run` in `delay` ms. */
	after(delay: number, run: () => void): void {
		this.#events.push(this.#event(delay, run));
	}

	/** Advances time by `ms`. */
	advance(ms: number): void {
		this.#runUntil(this.now + ms);
	}

	/**
	 * Advances time until no event is pending, or `limit` ms have passed.
	 * @returns whether no event is pending
	 */
	run(limit: number): boolean {
		return this.#runUntil(this.now + limit);
	}

	get pending(): number {
		return this.#events.length;
	}

	#runUntil(end: number): boolean {
		for (;;) {
			let next: ScheduledEvent | undefined;
			for (const event of this.#events)
				if (next === undefined || event.at < next.at || (event.at === next.at && event.order < next.order))
					next = event;
			if (next === undefined || next.at > end) {
				this.now = end;
				return next === undefined;
			}
			this.#events.splice(this.#events.indexOf(next), 1);
			this.now = next.at;
			next.run();
		}
	}

	#event(delay: number, run: () => void): ScheduledEvent {
		return { at: this.now + delay, order: this.#order++, run };
	}

	#schedule(timer: VirtualTimer, delay: number): void {
		if (!Number.isInteger(delay) || delay < 0) throw new Error(`timer delay ${delay}`);
		const event = this.#event(delay, () => {
			if (timer.repeat > 0) this.#schedule(timer, timer.repeat);
			else {
				timer.event = undefined;
				timer.expired = true;
			}
			timer.callback(timer);
		});
		timer.event = event;
		this.#events.push(event);
	}

	#cancel(timer: VirtualTimer): void {
		const index = timer.event === undefined ? -1 : this.#events.indexOf(timer.event);
		if (index >= 0) this.#events.splice(index, 1);
		timer.event = undefined;
	}
}
