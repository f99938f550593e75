/**
 * The device's own idea of the time. It starts at 1970 with power, runs on through reset and deep sleep, and
 * is only as good as the oscillator that counts the sleep: what the device believes to be a second asleep is
 * 1 + drift seconds.
 */
export class DeviceClock {
	/** Seconds too long per second asleep, × 10^−6. */
	readonly drift: number;
	#offset: number;
	/** Part of a millisecond that the sleeps so far were too short. */
	#remainder = 0;

	/**
	 * @param now virtual ms
	 * @param drift parts per million
	 * @param wall what it shows at `now`, ms since 1970
	 */
	constructor(now: number, drift: number, wall: number) {
		this.drift = drift;
		this.#offset = wall - now;
	}

	/** What it shows at virtual time `now`, whole ms. */
	timeAt(now: number): number {
		return Math.floor(now + this.#offset);
	}

	/** @param wall ms since 1970 that it is to show at `now` */
	set(now: number, wall: number): void {
		this.#offset = wall - now;
	}

	/**
	 * Starts a sleep of `duration` ms by this clock; returns how long it really is, whole ms, in the long run
	 * exactly.
	 */
	sleep(duration: number): number {
		const exact = duration * (1 + this.drift / 1e6) + this.#remainder;
		const real = Math.max(0, Math.round(exact));
		this.#remainder = exact - real;
		this.#offset -= real - duration;
		return real;
	}
}
