import type { Packet } from "../mqtt/packet";

/**
 * Who may do what. Ranges [start, end) index `bytes`. Nothing here throws or allocates, but for `connect`.
 */
export interface Authority {
	/** Judges user name, password and client identifier of a CONNECT. @returns SUCCESS or the reason code of the refusal */
	connect(packet: Packet): number;
	/** Whether a session may publish to a topic name. */
	publish(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/** Whether a session may subscribe to a topic filter. */
	subscribe(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/** Whether a session may be sent what was published to a topic name. */
	receive(session: number, bytes: Uint8Array, start: number, end: number): boolean;
}

const DOLLAR = 0x24;

/** Everybody may do everything, but for publishing to topics that begin with `$`: these are the broker's own (§4.7.2). */
export class Anyone implements Authority {
	connect(_packet: Packet): number {
		return 0;
	}

	publish(_session: number, bytes: Uint8Array, start: number, _end: number): boolean {
		return bytes[start] !== DOLLAR;
	}

	subscribe(): boolean {
		return true;
	}

	receive(): boolean {
		return true;
	}
}
