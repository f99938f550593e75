import type { Time } from "../device";

/** Milliseconds since the broker was made, without the wraps of the host's ticks. Must be asked at least every 24 days. */
export class Clock {
	/** The time of the last tick(). */
	now = 0;
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
		this.now += time.delta(this.#ticks, ticks);
		this.#ticks = ticks;
	}
}
