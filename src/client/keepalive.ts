import type { Time } from "../device";
import type { Encoder } from "../mqtt/encoder";
import { type Deadlines, KEEPALIVE_DEADLINE, PINGRESP_DEADLINE } from "./deadlines";

/** Sends PINGREQ once nothing was sent, or nothing was received, for ¾ of the keepalive interval. [MQTT-3.1.2-20] [MQTT-3.1.1:3.1.2-23] */
export class KeepAlive {
	#time: Pick<Time, "delta">;
	#encoder: Encoder;
	#deadlines: Deadlines;
	#pingTimeout: number;
	#interval = 0;
	/** For PINGRESP, ms: no longer than the keepalive interval, within which something else would have to be sent. */
	#patience = 0;
	#sentAt = 0;
	#receivedAt = 0;
	/** A PINGREQ is under way. */
	#awaiting = false;

	/** @param pingTimeout ms */
	constructor(time: Pick<Time, "delta">, encoder: Encoder, deadlines: Deadlines, pingTimeout: number) {
		this.#time = time;
		this.#encoder = encoder;
		this.#deadlines = deadlines;
		this.#pingTimeout = pingTimeout;
	}

	/** @param seconds 0 … 65535; 0: no keepalive */
	begin(seconds: number, now: number): void {
		this.#awaiting = false;
		this.#interval = seconds * 750;
		this.#patience = Math.min(this.#pingTimeout, seconds * 1000); // [MQTT-3.1.2-20]
		this.#sentAt = now;
		this.#receivedAt = now;
		if (seconds > 0) this.#deadlines.start(KEEPALIVE_DEADLINE, this.#interval);
	}

	stop(): void {
		this.#deadlines.stop(KEEPALIVE_DEADLINE);
		this.#deadlines.stop(PINGRESP_DEADLINE);
	}

	sent(now: number): void {
		this.#sentAt = now;
	}

	received(now: number): void {
		this.#receivedAt = now;
	}

	/** For the KEEPALIVE deadline: stages PINGREQ, or goes on waiting if there was traffic. */
	due(now: number): void {
		const remaining = this.remaining(now);
		if (remaining > 0) this.#deadlines.start(KEEPALIVE_DEADLINE, remaining);
		else {
			this.#encoder.pingreq();
			this.#awaiting = true;
			this.#deadlines.start(PINGRESP_DEADLINE, this.#patience);
		}
	}

	/** PINGRESP has come. @returns whether it answers a PINGREQ */
	answered(now: number): boolean {
		if (!this.#awaiting) return false;
		this.#awaiting = false;
		this.#deadlines.stop(PINGRESP_DEADLINE);
		this.#deadlines.start(KEEPALIVE_DEADLINE, this.remaining(now));
		return true;
	}

	private remaining(now: number): number {
		return this.#interval - Math.max(this.#time.delta(this.#sentAt, now), this.#time.delta(this.#receivedAt, now));
	}
}
