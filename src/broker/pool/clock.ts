import type { Time } from "../../device";

/**
 * A time that is never reached, s of the broker's clock; also the session expiry interval of a session that
 * does not expire (§3.1.2.11.2).
 */
export const NEVER_SECONDS = 0xffff_ffff;

/**
 * Milliseconds since the broker was created, without the wrap-around of the host's ticks. tick() must be
 * called at least every 24 days; timeouts.ts sees to that.
 */
export class BrokerClock {
	/** The time of the last tick(). */
	nowMs = 0;
	readonly #time: Time;
	#ticks: number;

	constructor(time: Time) {
		this.#time = time;
		this.#ticks = time.ticks;
	}

	/** Updates `nowMs`; called once per callback of the host. */
	tick(): void {
		const time = this.#time;
		const ticks = time.ticks;
		this.nowMs += time.delta(this.#ticks, ticks);
		this.#ticks = ticks;
	}

	/**
	 * The first second of this clock at which `seconds` have passed from now. NEVER_SECONDS for NEVER_SECONDS.
	 */
	deadlineSeconds(seconds: number): number {
		return seconds === NEVER_SECONDS
			? NEVER_SECONDS
			: Math.min(Math.ceil(this.nowMs / 1000 + seconds), NEVER_SECONDS - 1);
	}
}
