import type { Scheduler } from "./scheduler";

/**
 * Ratio of virtual to wall-clock time: 1 is real time, 60 one minute per second, "max" as fast as possible.
 */
export type Speed = number | "max";

export interface PaceOptions {
	readonly speed: Speed;
	/** Wall clock, ms, monotonic. */
	wallClock?(): number;
}

/** Longest run of virtual events at speed "max" before sockets and signals are handled, wall ms. */
const SLICE_MS = 8;
/** Longest single wait, wall ms; an external event ends it early. */
const MAX_WAIT_MS = 1000;

/**
 * Drives a scheduler against the wall clock. While a real socket is open or connecting ({@link
 * holdRealTime}), virtual time follows the wall clock one to one, whatever the speed, so that timeouts keep
 * their real length; otherwise it runs at `speed`.
 */
export class Pace {
	readonly #scheduler: Scheduler;
	#speed: Speed;
	#paused = false;
	#running = false;
	#until = Infinity;
	readonly #wallClock: () => number;
	#holds = 0;
	#listenerCount = 0;
	#stopped = false;
	#failure: unknown;
	#failed = false;
	#wake: (() => void) | undefined;
	#anchorVirtual: number;
	#anchorWall: number;

	constructor(scheduler: Scheduler, options: PaceOptions) {
		this.#scheduler = scheduler;
		this.#speed = options.speed;
		this.#wallClock = options.wallClock ?? (() => performance.now());
		this.#anchorVirtual = scheduler.now;
		this.#anchorWall = this.#wallClock();
	}

	/** The present: virtual time as the wall clock allows it, no later than the next event. */
	get now(): number {
		const { now, next } = this.#scheduler;
		if (!this.#running) return now;
		const target = this.#target();
		return target === Infinity ? now : Math.max(now, Math.min(target, next, this.#until));
	}

	get speed(): Speed {
		return this.#speed;
	}

	set speed(speed: Speed) {
		this.#advanceToPresent();
		this.#speed = speed;
		this.#wake?.();
	}

	/** While true, virtual time stands still; external events are handled all the same. */
	get paused(): boolean {
		return this.#paused;
	}

	set paused(paused: boolean) {
		this.#advanceToPresent();
		this.#paused = paused;
		this.#wake?.();
	}

	/**
	 * A real socket opens: virtual time runs at the speed of the wall clock until the matching {@link
	 * releaseRealTime}.
	 */
	holdRealTime(): void {
		if (this.#holds++ === 0) this.#setAnchor();
	}

	releaseRealTime(): void {
		if (--this.#holds === 0) this.#setAnchor();
	}

	/**
	 * A real listener is open: {@link run} does not end when no event is scheduled until the matching {@link
	 * removeListener}.
	 */
	addListener(): void {
		this.#listenerCount++;
	}

	removeListener(): void {
		this.#listenerCount--;
	}

	/** Handles an external event (bytes arrived): advances virtual time to the present, then runs `action`. */
	runExternalEvent(action: () => void): void {
		if (this.#stopped) return;
		try {
			const target = Math.min(this.#target(), this.#until);
			while (!this.#stopped && this.#scheduler.step(target));
			if (this.#stopped) return;
			if (Number.isFinite(target) && target > this.#scheduler.now) this.#scheduler.advance(target);
			action();
		} catch (error) {
			this.#failed = true;
			this.#failure = error;
			this.#stopped = true;
		}
		this.#wake?.();
	}

	/** Acts on the simulation at the present, for a person: unlike an external event, at any speed. */
	runAtPresent(action: () => void): void {
		if (this.#stopped) return;
		this.#advanceToPresent();
		action();
		this.#wake?.();
	}

	/** Ends {@link run} at the present, which depends on the wall clock. */
	interrupt(): void {
		if (!this.#stopped) this.#advanceToPresent();
		this.stop();
	}

	/** Ends {@link run} before the next event. */
	stop(): void {
		this.#stopped = true;
		this.#wake?.();
	}

	/**
	 * Runs until {@link stop}, or until no event is left.
	 * @param until virtual ms since 1970 at which the run ends at the latest
	 */
	async run(until = Infinity): Promise<void> {
		this.#until = until;
		this.#running = true;
		this.#setAnchor();
		try {
			await this.#runEvents();
		} finally {
			this.#running = false;
		}
		if (this.#failed) throw this.#failure;
	}

	async #runEvents(): Promise<void> {
		const scheduler = this.#scheduler;
		while (!this.#stopped) {
			const sliceEnd = this.#wallClock() + SLICE_MS;
			let count = 0;
			for (;;) {
				// The target moves when an event opens the first real socket or closes the last one.
				if (!scheduler.step(Math.min(this.#target(), this.#until))) break;
				if (this.#stopped || ((++count & 63) === 0 && this.#wallClock() >= sliceEnd)) break;
			}
			if (this.#stopped) break;
			const next = scheduler.next;
			if (next > this.#until && this.#target() >= this.#until) {
				scheduler.advance(this.#until);
				return;
			}
			if (next === Infinity && this.#holds === 0 && this.#listenerCount === 0) return;
			await this.#waitUntil(Math.min(next, this.#until));
		}
	}

	/** The virtual time that the wall clock allows now, whole ms since the anchor. */
	#target(): number {
		if (this.#paused) return this.#scheduler.now;
		if (this.#holds > 0) return this.#anchorVirtual + Math.floor(this.#wallClock() - this.#anchorWall);
		if (this.#speed === "max") return Infinity;
		return this.#anchorVirtual + Math.floor((this.#wallClock() - this.#anchorWall) * this.#speed);
	}

	/** So that a change of speed, from here on, does not move the time that has passed. */
	#advanceToPresent(): void {
		if (!this.#running) return;
		this.#scheduler.advance(this.now);
		this.#setAnchor();
	}

	#setAnchor(): void {
		this.#anchorVirtual = this.#scheduler.now;
		this.#anchorWall = this.#wallClock();
	}

	#waitUntil(virtual: number): Promise<void> {
		const factor = this.#holds > 0 ? 1 : this.#speed;
		const waitMs =
			virtual === Infinity || this.#paused
				? MAX_WAIT_MS
				: factor === "max"
					? 0
					: this.#anchorWall + (virtual - this.#anchorVirtual) / factor - this.#wallClock();
		return new Promise((resolve) => {
			if (waitMs <= 0) {
				setImmediate(resolve);
				return;
			}
			const timer = setTimeout(done, Math.min(Math.ceil(waitMs), MAX_WAIT_MS));
			const self = this;
			function done(): void {
				clearTimeout(timer);
				self.#wake = undefined;
				resolve();
			}
			this.#wake = done;
		});
	}
}
