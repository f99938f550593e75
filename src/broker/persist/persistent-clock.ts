import type { BrokerClock } from "../pool/clock";
import type { Host } from "../pool/host";
import type { TransactionalStore } from "./transactional-store";

/** Longest time that u48 can hold, ms. */
const MAX_TIME_MS = 0xffff_ffff_ffff;

/**
 * Clock that continues across restarts: ms since the storage was first used, as far as the broker knows. Time
 * without power is added once the host's clock is set, provided that it was set before the power loss too;
 * until then it counts as zero.
 */
export class PersistentClock {
	readonly #clock: BrokerClock;
	readonly #host: Host;
	readonly #recordStore: TransactionalStore;
	/** Difference between this clock and the broker's clock, ms. */
	#offsetMs = 0;
	/**
	 * This clock and the host's clock, ms, at the last commit before the restart. The host's is 0 if it was not
	 * set, or once the time without power is added.
	 */
	#committedTimeMs = 0;
	#committedWallMs = 0;

	constructor(clock: BrokerClock, host: Host, recordStore: TransactionalStore) {
		this.#clock = clock;
		this.#host = host;
		this.#recordStore = recordStore;
	}

	/**
	 * Continues from the last commit.
	 * @param earliestMs time of this clock before which that was not, ms: if commit records are lost, all that
	 *   is stored would otherwise lie in the future
	 */
	resume(earliestMs: number): void {
		const { persistentTimeMs, wallTimeMs } = this.#recordStore;
		const laterMs = Math.max(0, earliestMs - persistentTimeMs);
		this.#committedTimeMs = persistentTimeMs + laterMs;
		this.#committedWallMs = wallTimeMs === 0 ? 0 : wallTimeMs + laterMs;
		this.#offsetMs = this.#committedTimeMs - this.#clock.nowMs;
		this.catchUp();
	}

	/** Whether the duration of the last power loss is not known yet. */
	get awaitingWallClock(): boolean {
		return this.#committedWallMs !== 0;
	}

	/**
	 * Adds the time without power, if it is known now.
	 * @returns that time, ms; 0 if nothing was added
	 */
	catchUp(): number {
		if (this.#committedWallMs === 0 || this.#host.clockIsSet === false) return 0;
		const wallElapsedMs = Date.now() - this.#committedWallMs;
		const countedMs = this.#clock.nowMs + this.#offsetMs - this.#committedTimeMs;
		this.#committedWallMs = 0;
		const missedMs = Math.max(0, Math.floor(wallElapsedMs - countedMs));
		this.#offsetMs += missedMs;
		return missedMs;
	}

	/** Sets the times that the next commit record stores. */
	setCommitTime(): void {
		this.#recordStore.persistentTimeMs = this.fromBrokerTime(this.#clock.nowMs);
		this.#recordStore.wallTimeMs = this.#host.clockIsSet === false ? 0 : Math.max(0, Math.floor(Date.now()));
	}

	/** Converts a time of the broker's clock, ms, to this clock: 0 … 2^48 − 1. */
	fromBrokerTime(timeMs: number): number {
		return Math.min(MAX_TIME_MS, Math.max(0, Math.floor(timeMs + this.#offsetMs)));
	}

	/** Converts a time of this clock, ms, to the broker's clock; negative for a time before the restart. */
	toBrokerTime(timeMs: number): number {
		return timeMs - this.#offsetMs;
	}
}
