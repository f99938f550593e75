import type { Encoder } from "../mqtt/encoder";
import { type Deadlines, DISCONNECT_DEADLINE } from "./deadlines";
import type { Transport } from "./transport";

/** Time, in ms, to wait for unread data, or for DISCONNECT to leave, once the connection has failed. */
export const LINGER_MS = 250;

/**
 * Time, in ms, to wait for the broker to close TCP once DISCONNECT has left. To close is the client's duty
 * [MQTT-3.14.4-1] [MQTT-3.1.1:3.14.4-1]: many brokers leave it to the client, so that the wait only saves
 * the device TCP's TIME-WAIT where the broker is quick, and its end is no failure.
 */
export const BROKER_CLOSE_WAIT_MS = 100;

/**
 * Graceful end of a connection: DISCONNECT leaves this device, then TCP is closed. [MQTT-3.14.4-2]
 * [MQTT-3.1.1:3.14.4-1]
 */
export class GracefulClose {
	/** DISCONNECT has left this device. */
	disconnectSent = false;
	#encoder: Encoder;
	#transport: Transport;
	#deadlines: Deadlines;

	constructor(encoder: Encoder, transport: Transport, deadlines: Deadlines) {
		this.#encoder = encoder;
		this.#transport = transport;
		this.#deadlines = deadlines;
	}

	reset(): void {
		this.disconnectSent = false;
	}

	/** Stages DISCONNECT. @param timeoutMs time for it to leave */
	stageDisconnect(reasonCode: number, timeoutMs: number): void {
		this.#encoder.disconnect(reasonCode);
		this.#deadlines.start(DISCONNECT_DEADLINE, timeoutMs);
	}

	/** @returns true once, when DISCONNECT has left */
	pollDisconnectSent(): boolean {
		if (this.disconnectSent || this.#transport.writeFailed || !this.#transport.drained) return false;
		this.disconnectSent = true;
		// Before CONNACK the connection has its own deadline.
		this.#deadlines.stop(DISCONNECT_DEADLINE);
		return true;
	}

	/** Waits for the broker to close the connection; callers wait longer for missing acknowledgements. */
	awaitBrokerClose(timeoutMs: number): void {
		this.#deadlines.start(DISCONNECT_DEADLINE, timeoutMs);
	}
}
