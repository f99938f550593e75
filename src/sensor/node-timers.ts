import type { Timer, TimerId } from "../device";

/** The next sample or try. */
export const NEXT_EVENT_TIMER = 0;
/** `awakeLimit`. */
export const WATCHDOG_TIMER = 1;
/** Limits the wait for the time server, then that for the broker on trial, then that for commands. */
export const STEP_TIMER = 2;
export type NodeTimer = typeof NEXT_EVENT_TIMER | typeof WATCHDOG_TIMER | typeof STEP_TIMER;

/** Longest timer, in ms. */
const LONGEST_TIMER_MS = 86_400_000;

/** The timers of a node: each is made when it is first needed, and then scheduled again. */
export class NodeTimers {
	private readonly timer: Timer;
	private readonly onTimer: (id: TimerId) => void;
	private nextEvent: TimerId | undefined;
	private watchdog: TimerId | undefined;
	private step: TimerId | undefined;

	/** @param onTimer callback of all; {@link nameOf} tells which has expired */
	constructor(timer: Timer, onTimer: (id: TimerId) => void) {
		this.timer = timer;
		this.onTimer = onTimer;
	}

	nameOf(id: TimerId): NodeTimer {
		return id === this.watchdog ? WATCHDOG_TIMER : id === this.step ? STEP_TIMER : NEXT_EVENT_TIMER;
	}

	/** Starts a timer, or starts it anew; it repeats until it is stopped. @param delayMs longer: a day */
	start(name: NodeTimer, delayMs: number): void {
		let ms = Math.ceil(delayMs);
		if (ms > LONGEST_TIMER_MS) ms = LONGEST_TIMER_MS;
		const id = this.idOf(name);
		if (id !== undefined) this.timer.schedule(id, ms, ms);
		else {
			const made = this.timer.set(this.onTimer, ms, ms);
			if (name === NEXT_EVENT_TIMER) this.nextEvent = made;
			else if (name === WATCHDOG_TIMER) this.watchdog = made;
			else this.step = made;
		}
	}

	stop(name: NodeTimer): void {
		const id = this.idOf(name);
		if (id !== undefined) this.timer.schedule(id);
	}

	private idOf(name: NodeTimer): TimerId | undefined {
		return name === NEXT_EVENT_TIMER ? this.nextEvent : name === WATCHDOG_TIMER ? this.watchdog : this.step;
	}
}
