import type { Device, WakeReason } from "../device";
import { backoff } from "./backoff";
import { REAL_ASK, REAL_DRIFT, REAL_NOW, REAL_SLEEP, REAL_SYNCHRONISED, REAL_WALL, WORD_ASKED } from "./layout";
import type { Retained } from "./retained";

/** A time server is asked again after this time, in ms. */
const STALE = 86_400_000;
/** Upper end of the wait before a time server that did not answer is asked again, in ms: after the first time, and at most. */
const ASK_MINIMUM = 60_000;
const ASK_MAXIMUM = 21_600_000;
/** Weight of the newest sleep in the estimate of the drift. */
const DRIFT_WEIGHT = 0.25;
/** Beyond this a sleep was cut short or the clock was set in between. */
const DRIFT_LIMIT = 0.1;
/** Shorter sleeps, in ms, say nothing about drift. */
const DRIFT_SLEEP = 5000;

/**
 * Node time and wall time. Node time, in ms, goes on from boot to boot, never jumps and never runs backwards: everything is
 * scheduled by it. Wall time is the host's clock where it is set, else what was known before the sleep.
 */
export class Clock {
	readonly #device: Pick<Device, "time" | "clockIsSet">;
	readonly #retained: Retained;
	readonly #reals: Float64Array;
	#ticks = 0;
	#now = 0;
	/** Wall time − node time, for a host that forgets wall time in sleep; NaN: unknown. */
	#offset = NaN;
	/** The same when {@link jumped} was last asked. */
	#before = NaN;

	constructor(device: Pick<Device, "time" | "clockIsSet">, retained: Retained) {
		this.#device = device;
		this.#retained = retained;
		this.#reals = retained.reals;
		this.#ticks = device.time.ticks;
	}

	/**
	 * Takes up time from what {@link stamp} left behind; learns how much sleeps differ from what was ordered. Not where another boot came after that sleep: a crash,
	 * and the pause after it, would pass for drift.
	 */
	restore(reason: WakeReason): void {
		const reals = this.#reals;
		const ordered = this.#retained.enter() ? 0 : reals[REAL_SLEEP];
		const before = reals[REAL_WALL];
		let drift = reals[REAL_DRIFT];
		let elapsed = reason === "deep-sleep" ? ordered * (1 + drift) : 0;
		if (this.#device.clockIsSet) {
			const slept = Date.now() - before;
			// NaN, or set back meanwhile, compares false.
			if (slept >= 0) {
				if (reason === "deep-sleep" && ordered >= DRIFT_SLEEP) {
					const error = slept / ordered - 1;
					if (Math.abs(error) < DRIFT_LIMIT) drift += (error - drift) * DRIFT_WEIGHT;
					reals[REAL_DRIFT] = drift;
				}
				elapsed = slept;
			}
		} else if (reason === "deep-sleep" && ordered > 0) this.#offset = before - reals[REAL_NOW];
		this.#before = before - reals[REAL_NOW];
		this.#now = reals[REAL_NOW] + Math.round(elapsed);
	}

	/** Node time. */
	get now(): number {
		const { time } = this.#device;
		const ticks = time.ticks;
		this.#now += time.delta(this.#ticks, ticks);
		this.#ticks = ticks;
		return this.#now;
	}

	/** Wall time − node time; NaN: unknown. */
	get offset(): number {
		return this.offsetAt(this.now);
	}

	/** The same. @param now node time, just read */
	offsetAt(now: number): number {
		return this.#device.clockIsSet ? Date.now() - now : this.#offset;
	}

	/** Whether wall time became known, or changed by more than the passing of time since last asked. */
	get jumped(): boolean {
		const { offset } = this;
		const before = this.#before;
		this.#before = offset;
		return Math.abs(offset - before) > 500 || (Number.isNaN(before) && !Number.isNaN(offset));
	}

	/** Whether to ask a time server: no wall time, or not heard from one for a day; and none is being waited for after asking in vain. */
	get stale(): boolean {
		const reals = this.#reals;
		const { offset, now } = this;
		if (now < reals[REAL_ASK]) return false;
		if (Number.isNaN(offset)) return true;
		// Set by someone else, just now as far as is known.
		if (Number.isNaN(reals[REAL_SYNCHRONISED])) reals[REAL_SYNCHRONISED] = now;
		return now - reals[REAL_SYNCHRONISED] > STALE;
	}

	/** A time server is asked: until it answers, it counts as one that does not. */
	asked(): void {
		const failures = ++this.#retained.words[WORD_ASKED];
		this.#reals[REAL_ASK] = this.now + backoff(failures, ASK_MINIMUM, ASK_MAXIMUM, Math.random());
	}

	/** A time server has answered. */
	synchronised(): void {
		this.#retained.words[WORD_ASKED] = 0;
		this.#reals[REAL_ASK] = 0;
		this.#reals[REAL_SYNCHRONISED] = this.now;
	}

	/** Notes both times for the next boot; to be committed. @param sleep ms ordered, 0: none */
	stamp(sleep: number): void {
		const reals = this.#reals;
		const { now } = this;
		reals[REAL_NOW] = now;
		reals[REAL_WALL] = now + this.offsetAt(now);
		reals[REAL_SLEEP] = sleep;
	}
}
