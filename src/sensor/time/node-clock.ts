import { type Backoff, backoffDelay, FULL_JITTER } from "../../backoff";
import type { Device, WakeReason } from "../../device";
import {
	REAL_DRIFT,
	REAL_LAST_SYNC,
	REAL_NODE_TIME,
	REAL_ORDERED_SLEEP,
	REAL_SYNC_RETRY,
	REAL_WALL_TIME,
	WORD_UNANSWERED_SYNCS,
} from "../retained/layout";
import type { RetainedState } from "../retained/retained-state";

/** Time, in ms, from the last answer of a time server to the next request. */
const SYNC_INTERVAL_MS = 86_400_000;
/** Changes of wall time against node time, in ms, that are no jump. */
const JUMP_MS = 500;
/** For requests that a time server did not answer. */
const SYNC_BACKOFF: Backoff = Object.freeze({ minimum: 60_000, maximum: 21_600_000 });
/** Weight of the newest sleep in the estimate of the drift. */
const DRIFT_WEIGHT = 0.25;
/** A larger error means that the sleep was interrupted or the clock was set in between. */
const DRIFT_LIMIT = 0.1;
/** Shorter sleeps, in ms, are too inaccurate to estimate drift. */
const DRIFT_MINIMUM_SLEEP_MS = 5000;

/**
 * Node time and wall time. Node time, in ms, continues from boot to boot, never jumps and never runs
 * backwards: everything is scheduled by it. Wall time is the host's clock if it is set, otherwise an estimate
 * continued from before the sleep.
 */
export class NodeClock {
	private readonly device: Pick<Device, "time" | "clockIsSet">;
	private readonly retained: RetainedState;
	private readonly reals: Float64Array;
	private lastTicks = 0;
	private nodeTime = 0;
	/** Wall time − node time, for a host that loses wall time during sleep; NaN: unknown. */
	private estimatedOffset = NaN;
	/** Wall time − node time at the last call of {@link hasJumped}. */
	private lastWallOffset = NaN;

	constructor(device: Pick<Device, "time" | "clockIsSet">, retained: RetainedState) {
		this.device = device;
		this.retained = retained;
		this.reals = retained.reals;
		this.lastTicks = device.time.ticks;
	}

	/**
	 * Restores both times from what {@link saveTimes} stored, and estimates by how much sleeps differ from the
	 * requested duration. Not after a further boot since that sleep: a crash, and the pause after it, would
	 * count as drift.
	 * @param sleptMs how long a sleep lasted that ended before its time
	 * @returns whether node time has gone on by the time that has passed: false after such a boot, a reset or a
	 *   loss of power, unless the host's clock says how long it took. A clock that was never set does so too,
	 *   if it goes on meanwhile, as that of the ESP32 does except at power-on (ESP-IDF, "System Time").
	 */
	restore(reason: WakeReason, sleptMs?: number): boolean {
		const reals = this.reals;
		const savedSleep = reals[REAL_ORDERED_SLEEP];
		const orderedSleep = this.retained.markBoot() || savedSleep < 0 ? 0 : savedSleep;
		const clockIsSet = this.device.clockIsSet;
		// Below 0: the clock was to be set, and a reset may have come first.
		const stored = savedSleep < 0 && !clockIsSet ? savedSleep : reals[REAL_WALL_TIME];
		const wallTimeBefore = stored < 0 ? NaN : stored;
		let drift = reals[REAL_DRIFT];
		let elapsed = reason === "deep-sleep" ? orderedSleep * (1 + drift) : 0;
		if (sleptMs !== undefined) elapsed = Math.max(0, Math.min(sleptMs, elapsed));
		let known = elapsed > 0;
		if (clockIsSet) {
			const slept = Date.now() - wallTimeBefore;
			// False for NaN, and if the clock was set back meanwhile.
			if (slept >= 0) {
				if (reason === "deep-sleep" && sleptMs === undefined && orderedSleep >= DRIFT_MINIMUM_SLEEP_MS) {
					const error = slept / orderedSleep - 1;
					if (Math.abs(error) < DRIFT_LIMIT) drift += (error - drift) * DRIFT_WEIGHT;
					reals[REAL_DRIFT] = drift;
				}
				elapsed = slept;
				known = true;
			}
		} else if (stored < 0) {
			// Not so where the clock began anew with the boot.
			const passed = Date.now() + 1 + stored;
			if (passed >= elapsed * (1 - DRIFT_LIMIT)) {
				elapsed = passed;
				known = true;
			}
		} else if (reason === "deep-sleep" && orderedSleep > 0)
			this.estimatedOffset = wallTimeBefore - reals[REAL_NODE_TIME];
		this.lastWallOffset = wallTimeBefore - reals[REAL_NODE_TIME];
		this.nodeTime = reals[REAL_NODE_TIME] + Math.round(elapsed);
		return known;
	}

	/** Node time. */
	get now(): number {
		const time = this.device.time;
		const ticks = time.ticks;
		if (ticks === this.lastTicks) return this.nodeTime;
		this.nodeTime += time.delta(this.lastTicks, ticks);
		this.lastTicks = ticks;
		return this.nodeTime;
	}

	/** Wall time − node time; NaN: unknown. */
	get wallOffset(): number {
		return this.wallOffsetAt(this.now);
	}

	/** Wall time − node time; NaN: unknown. @param now node time, just read */
	wallOffsetAt(now: number): number {
		return this.device.clockIsSet ? Date.now() - now : this.estimatedOffset;
	}

	/** Whether wall time became known, or jumped, since the last call. @param wallOffset just read */
	hasJumped(wallOffset: number): boolean {
		const lastWallOffset = this.lastWallOffset;
		this.lastWallOffset = wallOffset;
		const change = wallOffset - lastWallOffset;
		if (change >= -JUMP_MS && change <= JUMP_MS) return false;
		return !Number.isNaN(change) || (Number.isNaN(lastWallOffset) && !Number.isNaN(wallOffset));
	}

	/**
	 * Whether to send a request to a time server: wall time is unknown, or the last answer is more than a day
	 * old; but not during the backoff after unanswered requests.
	 */
	get needsSync(): boolean {
		const reals = this.reals;
		const { wallOffset, now } = this;
		if (now < reals[REAL_SYNC_RETRY]) return false;
		if (Number.isNaN(wallOffset)) return true;
		// The clock was set by another source, at a time that is unknown: assume now.
		if (Number.isNaN(reals[REAL_LAST_SYNC])) reals[REAL_LAST_SYNC] = now;
		return now - reals[REAL_LAST_SYNC] > SYNC_INTERVAL_MS;
	}

	/** Call for each request to a time server: it counts as unanswered until the answer arrives. */
	countSyncRequest(): void {
		const failures = ++this.retained.words[WORD_UNANSWERED_SYNCS];
		this.reals[REAL_SYNC_RETRY] = this.now + backoffDelay(SYNC_BACKOFF, failures, FULL_JITTER);
	}

	/** Call when a time server has answered. */
	recordSync(): void {
		this.retained.words[WORD_UNANSWERED_SYNCS] = 0;
		this.reals[REAL_SYNC_RETRY] = 0;
		this.reals[REAL_LAST_SYNC] = this.now;
	}

	/**
	 * Stores both times for the next boot; the caller commits. @param orderedSleepMs requested sleep, 0: none
	 * @param now node time, just read
	 */
	saveTimes(orderedSleepMs: number, now = this.now): void {
		const reals = this.reals;
		reals[REAL_NODE_TIME] = now;
		const wallOffset = this.wallOffsetAt(now);
		// Below 0: the clock is not set, and this is what it shows.
		reals[REAL_WALL_TIME] = Number.isNaN(wallOffset) ? -1 - Math.max(0, Date.now()) : now + wallOffset;
		reals[REAL_ORDERED_SLEEP] = orderedSleepMs;
	}

	/**
	 * Stores both times for a clock that is about to be set; the caller commits. A boot then goes by the clock
	 * that it finds, whether a reset was before or after: without that it would lose the time since the last
	 * commit, with a clock that was set but no time of it, and date what waits too late.
	 * @param timeMs what the clock will be set to, ms since 1970
	 */
	saveTimesBeforeSet(timeMs: number): void {
		this.saveTimes(0);
		const reals = this.reals;
		const shown = reals[REAL_WALL_TIME];
		if (shown >= 0) return;
		reals[REAL_WALL_TIME] = timeMs;
		reals[REAL_ORDERED_SLEEP] = shown;
	}
}
