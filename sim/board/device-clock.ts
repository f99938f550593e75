/**
 * The device's own clock. It starts at 1970 at power-on, continues through reset and deep sleep, and is only
 * as accurate as the sleep oscillator: a second of sleep by this clock takes 1 + drift seconds.
 */
export class DeviceClock {
	/** Error per second of sleep, parts per million; positive: sleep takes longer than by this clock. */
	drift: number;
	#offset: number;
	/** Accumulated rounding error of the sleeps so far, ms. */
	#remainder = 0;
	/** Of the last sleep: its true end, and how far the clock falls behind in each ms of it. */
	#sleepEnd = 0;
	#lag = 0;

	/**
	 * @param now virtual ms
	 * @param drift parts per million
	 * @param wall clock value at `now`, ms since 1970
	 */
	constructor(now: number, drift: number, wall: number) {
		this.drift = drift;
		this.#offset = wall - now;
	}

	/** Clock value at virtual time `now`, whole ms. */
	timeAt(now: number): number {
		return Math.floor(now + this.#offset);
	}

	/** @param wall clock value at `now`, ms since 1970 */
	set(now: number, wall: number): void {
		this.#offset = wall - now;
	}

	/** The clock jumps. @param ms positive: forward */
	step(ms: number): void {
		this.#offset += ms;
	}

	/**
	 * Starts a sleep of `duration` ms by this clock; returns its true length, whole ms. Rounding errors do not
	 * accumulate.
	 * @param now virtual ms
	 */
	sleep(now: number, duration: number): number {
		const exact = duration * (1 + this.drift / 1e6) + this.#remainder;
		const real = Math.max(0, Math.round(exact));
		this.#remainder = exact - real;
		this.#offset -= real - duration;
		this.#sleepEnd = now + real;
		this.#lag = real > 0 ? (real - duration) / real : 0;
		return real;
	}

	/** Ends the present sleep before its time. @param now virtual ms */
	endSleep(now: number): void {
		this.#offset += (this.#sleepEnd - now) * this.#lag;
	}
}
