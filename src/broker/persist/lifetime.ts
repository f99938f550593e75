import type { Clock } from "../clock";
import type { Host } from "../host";
import type { Vault } from "./vault";

/** Longest time that u48 can hold, ms. */
const LONGEST = 0xffff_ffff_ffff;

/**
 * A clock that goes on over restarts: ms since the storage was first used, as far as the broker knows. Time without power counts once the host's clock is
 * set, if it was set before too; until then it is taken for none.
 */
export class Lifetime {
	readonly #clock: Clock;
	readonly #host: Host;
	readonly #vault: Vault;
	/** What the broker's clock lags behind this one, ms. */
	#ahead = 0;
	/** Where this clock stood at the last commit before the restart, and what time that was; 0 when nothing is to be found out any more. */
	#lastTime = 0;
	#lastWall = 0;

	constructor(clock: Clock, host: Host, vault: Vault) {
		this.#clock = clock;
		this.#host = host;
		this.#vault = vault;
	}

	/** Goes on from the last commit. */
	begin(): void {
		const { time, wall } = this.#vault;
		this.#lastTime = time;
		this.#lastWall = wall;
		this.#ahead = time - this.#clock.now;
		this.catchUp();
	}

	/** Whether it is not known yet for how long there was no power. */
	get waits(): boolean {
		return this.#lastWall !== 0;
	}

	/** Counts the time without power, if it can be known now. @returns that time, ms, 0 if there is nothing new */
	catchUp(): number {
		if (this.#lastWall === 0 || this.#host.clockIsSet === false) return 0;
		const real = Date.now() - this.#lastWall;
		const counted = this.#clock.now + this.#ahead - this.#lastTime;
		this.#lastWall = 0;
		const missed = Math.max(0, Math.floor(real - counted));
		this.#ahead += missed;
		return missed;
	}

	/** Tells the vault what time it is. */
	stamp(): void {
		this.#vault.time = this.from(this.#clock.now);
		this.#vault.wall = this.#host.clockIsSet === false ? 0 : Math.max(0, Math.floor(Date.now()));
	}

	/** A time of the broker's clock, ms, as one of this clock: 0 … 2^48 − 1. */
	from(time: number): number {
		return Math.min(LONGEST, Math.max(0, Math.floor(time + this.#ahead)));
	}

	/** A time of this clock as one of the broker's; negative for one before the restart. */
	to(time: number): number {
		return time - this.#ahead;
	}
}
