import type { Device, WakeReason } from "../device";
import { backoffDelay } from "./backoff";
import {
	REAL_DRIFT,
	REAL_LAST_SYNC,
	REAL_NODE_TIME,
	REAL_ORDERED_SLEEP,
	REAL_SYNC_RETRY,
	REAL_WALL_TIME,
	WORD_UNANSWERED_SYNCS,
} from "./layout";
import type { RetainedState } from "./retained-state";

/** A time server is asked again after this time, in ms. */
const SYNC_INTERVAL_MS = 86_400_000;
/**
 * Upper end of the wait before a time server that did not answer is asked again, in ms: after the first time,
 * and at most.
 */
const SYNC_RETRY_MINIMUM_MS = 60_000;
const SYNC_RETRY_MAXIMUM_MS = 21_600_000;
/** Weight of the newest sleep in the estimate of the drift. */
const DRIFT_WEIGHT = 0.25;
/** Beyond this a sleep was cut short or the clock was set in between. */
const DRIFT_LIMIT = 0.1;
/** Shorter sleeps, in ms, say nothing about drift. */
const DRIFT_MINIMUM_SLEEP_MS = 5000;

/**
 * Node time and wall time. Node time, in ms, goes on from boot to boot, never jumps and never runs backwards:
 * everything is scheduled by it. Wall time is the host's clock where it is set, else what was known before
 * the sleep.
 */
export class NodeClock {
	readonly #device: Pick<Device, "time" | "clockIsSet">;
	readonly #retained: RetainedState;
	readonly #reals: Float64Array;
	#lastTicks = 0;
	#now = 0;
	/** Wall time − node time, for a host that forgets wall time in sleep; NaN: unknown. */
	#wallOffset = NaN;
	/** The same when {@link jumpedSinceLastCheck} was last asked. */
	#lastWallOffset = NaN;

	constructor(device: Pick<Device, "time" | "clockIsSet">, retained: RetainedState) {
		this.#device = device;
		this.#retained = retained;
		this.#reals = retained.reals;
		this.#lastTicks = device.time.ticks;
	}

	/**
	 * Takes up time from what {@link saveTimes} left behind; learns how much sleeps differ from what was
	 * ordered. Not where another boot came after that sleep: a crash, and the pause after it, would pass for
	 * drift.
	 */
	restore(reason: WakeReason): void {
		const reals = this.#reals;
		const orderedSleep = this.#retained.markBoot() ? 0 : reals[REAL_ORDERED_SLEEP];
		const wallTimeBefore = reals[REAL_WALL_TIME];
		let drift = reals[REAL_DRIFT];
		let elapsed = reason === "deep-sleep" ? orderedSleep * (1 + drift) : 0;
		if (this.#device.clockIsSet) {
			const slept = Date.now() - wallTimeBefore;
			// NaN, or set back meanwhile, compares false.
			if (slept >= 0) {
				if (reason === "deep-sleep" && orderedSleep >= DRIFT_MINIMUM_SLEEP_MS) {
					const error = slept / orderedSleep - 1;
					if (Math.abs(error) < DRIFT_LIMIT) drift += (error - drift) * DRIFT_WEIGHT;
					reals[REAL_DRIFT] = drift;
				}
				elapsed = slept;
			}
		} else if (reason === "deep-sleep" && orderedSleep > 0)
			this.#wallOffset = wallTimeBefore - reals[REAL_NODE_TIME];
		this.#lastWallOffset = wallTimeBefore - reals[REAL_NODE_TIME];
		this.#now = reals[REAL_NODE_TIME] + Math.round(elapsed);
	}

	/** Node time. */
	get now(): number {
		const { time } = this.#device;
		const ticks = time.ticks;
		this.#now += time.delta(this.#lastTicks, ticks);
		this.#lastTicks = ticks;
		return this.#now;
	}

	/** Wall time − node time; NaN: unknown. */
	get wallOffset(): number {
		return this.wallOffsetAt(this.now);
	}

	/** The same. @param now node time, just read */
	wallOffsetAt(now: number): number {
		return this.#device.clockIsSet ? Date.now() - now : this.#wallOffset;
	}

	/** Whether wall time became known, or changed by more than the passing of time since last asked. */
	get jumpedSinceLastCheck(): boolean {
		const { wallOffset } = this;
		const lastWallOffset = this.#lastWallOffset;
		this.#lastWallOffset = wallOffset;
		return (
			Math.abs(wallOffset - lastWallOffset) > 500 ||
			(Number.isNaN(lastWallOffset) && !Number.isNaN(wallOffset))
		);
	}

	/**
	 * Whether to ask a time server: no wall time, or not heard from one for a day; and none is being waited for
	 * after asking in vain.
	 */
	get needsSync(): boolean {
		const reals = this.#reals;
		const { wallOffset, now } = this;
		if (now < reals[REAL_SYNC_RETRY]) return false;
		if (Number.isNaN(wallOffset)) return true;
		// Set by someone else, just now as far as is known.
		if (Number.isNaN(reals[REAL_LAST_SYNC])) reals[REAL_LAST_SYNC] = now;
		return now - reals[REAL_LAST_SYNC] > SYNC_INTERVAL_MS;
	}

	/** A time server is asked: until it answers, it counts as one that does not. */
	countSyncRequest(): void {
		const failures = ++this.#retained.words[WORD_UNANSWERED_SYNCS];
		this.#reals[REAL_SYNC_RETRY] =
			this.now + backoffDelay(failures, SYNC_RETRY_MINIMUM_MS, SYNC_RETRY_MAXIMUM_MS, Math.random());
	}

	/** A time server has answered. */
	recordSync(): void {
		this.#retained.words[WORD_UNANSWERED_SYNCS] = 0;
		this.#reals[REAL_SYNC_RETRY] = 0;
		this.#reals[REAL_LAST_SYNC] = this.now;
	}

	/** Notes both times for the next boot; to be committed. @param orderedSleepMs ms ordered, 0: none */
	saveTimes(orderedSleepMs: number): void {
		const reals = this.#reals;
		const { now } = this;
		reals[REAL_NODE_TIME] = now;
		reals[REAL_WALL_TIME] = now + this.wallOffsetAt(now);
		reals[REAL_ORDERED_SLEEP] = orderedSleepMs;
	}
}
