import type { Time } from "../../device";

/**
 * A time that never comes, s of the broker's clock; also the session expiry interval of a session that does
 * not expire (§3.1.2.11.2).
 */
export const NEVER_SECONDS = 0xffff_ffff;

/**
 * Milliseconds since the broker was made, without the wraps of the host's ticks. Must be asked at least every
 * 24 days.
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

	/** Takes the time; called once when the host calls in. */
	tick(): void {
		const time = this.#time;
		const ticks = time.ticks;
		this.nowMs += time.delta(this.#ticks, ticks);
		this.#ticks = ticks;
	}

	/** The second, of this clock, by whose begin `seconds` have passed from now. NEVER for NEVER. */
	deadlineSeconds(seconds: number): number {
		return seconds === NEVER_SECONDS
			? NEVER_SECONDS
			: Math.min(Math.ceil(this.nowMs / 1000 + seconds), NEVER_SECONDS - 1);
	}
}
