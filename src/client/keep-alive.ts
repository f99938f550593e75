import type { Time } from "../device";
import type { Encoder } from "../mqtt/encoder";
import { type Deadlines, KEEP_ALIVE_DEADLINE, PINGRESP_DEADLINE } from "./deadlines";

/**
 * Sends PINGREQ once nothing was sent, or nothing was received, for ¾ of the keep alive interval.
 * [MQTT-3.1.2-20] [MQTT-3.1.1:3.1.2-23]
 */
export class KeepAlive {
	private time: Pick<Time, "delta">;
	private encoder: Encoder;
	private deadlines: Deadlines;
	private pingTimeoutMs: number;
	private idleLimitMs = 0;
	/**
	 * Timeout for PINGRESP, in ms: at most the keep alive interval, within which the client must send another
	 * packet.
	 */
	private pingrespTimeoutMs = 0;
	private lastSentAt = 0;
	private lastReceivedAt = 0;
	/** PINGREQ was staged and PINGRESP has not arrived. */
	private pingInFlight = false;

	/** @param pingTimeoutMs timeout for PINGRESP */
	constructor(time: Pick<Time, "delta">, encoder: Encoder, deadlines: Deadlines, pingTimeoutMs: number) {
		this.time = time;
		this.encoder = encoder;
		this.deadlines = deadlines;
		this.pingTimeoutMs = pingTimeoutMs;
	}

	/** @param seconds 0 … 65535; 0 disables keep alive */
	start(seconds: number, now: number): void {
		this.pingInFlight = false;
		this.idleLimitMs = seconds * 750;
		// [MQTT-3.1.2-20]
		this.pingrespTimeoutMs = seconds > 0 ? Math.min(this.pingTimeoutMs, seconds * 1000) : this.pingTimeoutMs;
		this.lastSentAt = now;
		this.lastReceivedAt = now;
		if (seconds > 0) this.deadlines.start(KEEP_ALIVE_DEADLINE, this.idleLimitMs);
	}

	stop(): void {
		this.deadlines.stop(KEEP_ALIVE_DEADLINE);
		this.deadlines.stop(PINGRESP_DEADLINE);
	}

	noteSent(now: number): void {
		this.lastSentAt = now;
	}

	noteReceived(now: number): void {
		this.lastReceivedAt = now;
	}

	/** Called at KEEP_ALIVE_DEADLINE: stages PINGREQ, or keeps waiting if there was traffic. */
	onDeadline(now: number): void {
		const remaining = this.remainingMs(now);
		if (remaining > 0) this.deadlines.start(KEEP_ALIVE_DEADLINE, remaining);
		else this.ping();
	}

	/** Stages PINGREQ, unless one is unanswered: the send buffer's reserve has room for one. */
	ping(): void {
		if (this.pingInFlight) return;
		this.encoder.pingreq();
		this.pingInFlight = true;
		this.deadlines.start(PINGRESP_DEADLINE, this.pingrespTimeoutMs);
	}

	/** Handles PINGRESP. @returns whether it answers a PINGREQ */
	onPingresp(now: number): boolean {
		if (!this.pingInFlight) return false;
		this.pingInFlight = false;
		this.deadlines.stop(PINGRESP_DEADLINE);
		if (this.idleLimitMs > 0) this.deadlines.start(KEEP_ALIVE_DEADLINE, this.remainingMs(now));
		return true;
	}

	private remainingMs(now: number): number {
		return (
			this.idleLimitMs -
			Math.max(this.time.delta(this.lastSentAt, now), this.time.delta(this.lastReceivedAt, now))
		);
	}
}
