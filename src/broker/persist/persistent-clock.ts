import type { Host } from "../host";
import type { BrokerClock } from "../pool/clock";
import type { TransactionalStore } from "./transactional-store";

/** Longest time that u48 can hold, ms. */
const MAX_TIME_MS = 0xffff_ffff_ffff;

/**
 * A clock that goes on over restarts: ms since the storage was first used, as far as the broker knows. Time
 * without power counts once the host's clock is set, if it was set before too; until then it is taken for
 * none.
 */
export class PersistentClock {
	readonly #clock: BrokerClock;
	readonly #host: Host;
	readonly #recordStore: TransactionalStore;
	/** What the broker's clock lags behind this one, ms. */
	#offsetMs = 0;
	/**
	 * Where this clock stood at the last commit before the restart, and what time that was; 0 when nothing is
	 * to be found out any more.
	 */
	#committedTimeMs = 0;
	#committedWallMs = 0;

	constructor(clock: BrokerClock, host: Host, recordStore: TransactionalStore) {
		this.#clock = clock;
		this.#host = host;
		this.#recordStore = recordStore;
	}

	/** Goes on from the last commit. */
	resume(): void {
		const { persistentTimeMs, wallTimeMs } = this.#recordStore;
		this.#committedTimeMs = persistentTimeMs;
		this.#committedWallMs = wallTimeMs;
		this.#offsetMs = persistentTimeMs - this.#clock.nowMs;
		this.catchUp();
	}

	/** Whether it is not known yet for how long there was no power. */
	get awaitingWallClock(): boolean {
		return this.#committedWallMs !== 0;
	}

	/**
	 * Counts the time without power, if it can be known now.
	 * @returns that time, ms, 0 if there is nothing new
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

	/** Tells the vault what time it is. */
	setCommitTime(): void {
		this.#recordStore.persistentTimeMs = this.fromBrokerTime(this.#clock.nowMs);
		this.#recordStore.wallTimeMs = this.#host.clockIsSet === false ? 0 : Math.max(0, Math.floor(Date.now()));
	}

	/** A time of the broker's clock, ms, as one of this clock: 0 … 2^48 − 1. */
	fromBrokerTime(timeMs: number): number {
		return Math.min(MAX_TIME_MS, Math.max(0, Math.floor(timeMs + this.#offsetMs)));
	}

	/** A time of this clock as one of the broker's; negative for one before the restart. */
	toBrokerTime(timeMs: number): number {
		return timeMs - this.#offsetMs;
	}
}
