import {
	CONNECT,
	DISCONNECT,
	PINGREQ,
	PUBACK,
	PUBCOMP,
	PUBLISH,
	PUBREC,
	PUBREL,
	SUBSCRIBE,
	UNSUBSCRIBE,
} from "../mqtt/constants";
import {
	ALL_PACKETS,
	compilePhases,
	IGNORED,
	type PacketType,
	type PhaseRow,
	SAME,
	UNREAD,
	type VIOLATION,
} from "./phase";

/*
 * What may happen next on one of a broker's connections: its phases, and what each packet of the client and
 * each event of this end leads to. No I/O, no clock, no allocation.
 */

// Phases
/** No socket. */
export const FREE = 0;
/** TCP was accepted, and CONNECT has not arrived. */
export const AWAITING_CONNECT = 1;
/**
 * CONNECT, or its first part, stays in the socket while another client is being authenticated, or while wrong
 * passwords arrive too fast.
 */
export const CONNECT_UNREAD = 2;
/**
 * CONNECT waits for its authentication: a copy of it is kept, and what follows stays in the socket. A client
 * may send other packets behind CONNECT without waiting for CONNACK (§3.1.4).
 */
export const AUTHENTICATING = 3;
/** CONNACK accepted the connection; it has a session. */
export const CONNECTED = 4;
/** To be closed before the present callback ends; nothing more is read or written, but for DISCONNECT. */
export const CLOSING = 5;
/**
 * The last packet was written, and the session has ended or is suspended. Input is discarded until the peer
 * closes, within limits, so that the last packet arrives: closing with unread input would send RST (lwIP:
 * tcp_close). A new connection may take the place at once.
 */
export const DRAINING = 6;
const PHASES = 7;

export type BrokerPhase =
	| typeof FREE
	| typeof AWAITING_CONNECT
	| typeof CONNECT_UNREAD
	| typeof AUTHENTICATING
	| typeof CONNECTED
	| typeof CLOSING
	| typeof DRAINING;

// Events. A packet of the client is the event with the number of its type, 0 … 15; these are the others.
/** A socket was accepted. */
export const ACCEPT = 16;
/** Bytes have arrived of a CONNECT that must not be read yet. */
export const HOLD_CONNECT = 17;
/** CONNECT may be read. */
export const RESUME_CONNECT = 18;
/** CONNECT is correct; whether its client may log in is known later. */
export const DEFER_CONNECT = 19;
/** CONNACK with success. */
export const ACCEPT_CONNECT = 20;
/** The connection is to end: refused, lost, taken over, timed out, an internal error, or by DISCONNECT. */
export const CLOSE = 21;
/** The session was detached, and input is discarded. */
export const DRAIN = 22;
/** The socket was closed. */
export const END = 23;
export const BROKER_EVENTS = 24;

export type BrokerEvent =
	| PacketType
	| typeof ACCEPT
	| typeof HOLD_CONNECT
	| typeof RESUME_CONNECT
	| typeof DEFER_CONNECT
	| typeof ACCEPT_CONNECT
	| typeof CLOSE
	| typeof DRAIN
	| typeof END;

/** Phases from TCP until CONNACK. */
const BEFORE_CONNACK = [AWAITING_CONNECT, CONNECT_UNREAD, AUTHENTICATING] as const;

type Row = PhaseRow<BrokerPhase, BrokerEvent>;

const ROWS: readonly Row[] = [
	// Packets. CONNECT comes first, and once. [MQTT-3.1.0-1] [MQTT-3.1.0-2] [MQTT-3.1.1:3.1.0-1]
	// [MQTT-3.1.1:3.1.0-2] AUTH needs an authentication method, and a CONNECT with one is refused.
	// [MQTT-4.12.0-1] [MQTT-4.12.0-6]
	[[AWAITING_CONNECT], [CONNECT], SAME],
	[[CONNECT_UNREAD, AUTHENTICATING], ALL_PACKETS, UNREAD],
	[[CONNECTED], [PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, UNSUBSCRIBE, PINGREQ], SAME],
	[[CONNECTED], [DISCONNECT], CLOSING], // [MQTT-3.14.4-1] [MQTT-3.14.4-2]
	// [MQTT-3.1.4-6] [MQTT-3.1.1:3.1.4-5]
	[[FREE, CLOSING, DRAINING], ALL_PACKETS, IGNORED],
	// Events of this end
	[[FREE], [ACCEPT], AWAITING_CONNECT],
	[[AWAITING_CONNECT, CONNECT_UNREAD], [HOLD_CONNECT], CONNECT_UNREAD],
	[[AWAITING_CONNECT, CONNECT_UNREAD], [RESUME_CONNECT], AWAITING_CONNECT],
	[[AWAITING_CONNECT], [DEFER_CONNECT], AUTHENTICATING],
	[[AWAITING_CONNECT, AUTHENTICATING], [ACCEPT_CONNECT], CONNECTED],
	[[...BEFORE_CONNACK, CONNECTED], [CLOSE], CLOSING],
	[[CLOSING], [DRAIN], DRAINING],
	[[...BEFORE_CONNACK, CONNECTED, CLOSING, DRAINING], [END], FREE],
];

/** What each event leads to in each phase, at phase × BROKER_EVENTS + event: for the path of every packet. */
export const BROKER_PHASES: Uint8Array = compilePhases(ROWS, PHASES, BROKER_EVENTS);

/** The phase after an event; VIOLATION, IGNORED and UNREAD leave it as it is. */
export function brokerPhaseAfter(
	phase: BrokerPhase,
	event: BrokerEvent,
): BrokerPhase | typeof IGNORED | typeof UNREAD | typeof VIOLATION {
	return BROKER_PHASES[phase * BROKER_EVENTS + event] as
		| BrokerPhase
		| typeof IGNORED
		| typeof UNREAD
		| typeof VIOLATION;
}

/** Whether TCP was accepted and CONNACK was not sent. */
export function isBeforeConnack(phase: BrokerPhase): boolean {
	return phase >= AWAITING_CONNECT && phase <= AUTHENTICATING;
}

/** Whether the client waits for its CONNECT to be read or authenticated: it is not idle. */
export function awaitsAuthentication(phase: BrokerPhase): boolean {
	return phase === CONNECT_UNREAD || phase === AUTHENTICATING;
}
