import type { Encoder } from "../mqtt/encoder";
import { type Deadlines, LEAVE_DEADLINE } from "./deadlines";
import type { Transport } from "./transport";

/** Milliseconds to wait for the broker to close once DISCONNECT has left, or for its last words once writing failed. */
export const LINGER = 250;

/** The end of a connection: DISCONNECT leaves this device, then TCP is closed. [MQTT-3.14.4-2] [MQTT-3.1.1:3.14.4-1] */
export class Leaving {
	/** DISCONNECT has left this device. */
	left = false;
	#encoder: Encoder;
	#transport: Transport;
	#deadlines: Deadlines;

	constructor(encoder: Encoder, transport: Transport, deadlines: Deadlines) {
		this.#encoder = encoder;
		this.#transport = transport;
		this.#deadlines = deadlines;
	}

	begin(): void {
		this.left = false;
	}

	/** Stages DISCONNECT. @param ms for it to leave */
	start(reasonCode: number, ms: number): void {
		this.#encoder.disconnect(reasonCode);
		this.#deadlines.start(LEAVE_DEADLINE, ms);
	}

	/** @returns true once, when DISCONNECT has left */
	watch(): boolean {
		if (this.left || this.#transport.broken || !this.#transport.drained) return false;
		this.left = true;
		// Before CONNACK the connection has its own deadline.
		this.#deadlines.stop(LEAVE_DEADLINE);
		return true;
	}

	/** Waits for the broker to close: longer where only that confirms what was sent. */
	linger(ms: number): void {
		this.#deadlines.start(LEAVE_DEADLINE, ms);
	}
}
