import {
	AUTH,
	CONNACK,
	DISCONNECT,
	PINGRESP,
	PUBACK,
	PUBCOMP,
	PUBLISH,
	PUBREC,
	PUBREL,
	type ReasonCode,
	SUBACK,
	UNSPECIFIED_ERROR,
	UNSUBACK,
} from "../mqtt/constants";
import {
	ALL_PACKETS,
	compilePhases,
	IGNORED,
	type PacketType,
	type PhaseRow,
	SAME,
	type VIOLATION,
} from "./phase";

/*
 * What may happen next on a client's connection: its phases, and what each packet of the broker and each
 * event of this end leads to. No I/O, no clock, no allocation.
 */

// Phases
/** No connection. */
export const CLOSED = 0;
/** From name resolution until TCP is established. */
export const CONNECTING = 1;
/** CONNECT was sent; no other packet leaves before CONNACK. */
export const AWAITING_CONNACK = 2;
/** CONNECT was sent; other packets may leave before CONNACK (§3.1.4), and none has. */
export const MAY_PIPELINE = 3;
/** CONNECT and other packets were sent before CONNACK. */
export const PIPELINED = 4;
/** The client closes: DISCONNECT waits for CONNACK. */
export const CLOSE_AWAITS_CONNACK = 5;
/** The client closes: DISCONNECT leaves before CONNACK, together with other packets. */
export const CLOSE_PIPELINED = 6;
/** DISCONNECT was staged before CONNACK. */
export const DISCONNECT_PIPELINED = 7;
/** DISCONNECT has left before CONNACK. */
export const DISCONNECTED_PIPELINED = 8;
/** CONNACK accepted the connection. */
export const CONNECTED = 9;
/** The client closes after CONNACK; DISCONNECT waits for the packets before it. */
export const CLOSE_REQUESTED = 10;
/** DISCONNECT is staged. */
export const DISCONNECTING = 11;
/** DISCONNECT has left; the broker may close TCP, and acknowledgements may arrive. */
export const DISCONNECTED = 12;
/** DISCONNECT with an error is staged: nothing is read any more. */
export const FAILING = 13;
/** TCP was closed; the end is yet to be reported. */
export const DROPPED = 14;
const PHASES = 15;

export type ClientPhase =
	| typeof CLOSED
	| typeof CONNECTING
	| typeof AWAITING_CONNACK
	| typeof MAY_PIPELINE
	| typeof PIPELINED
	| typeof CLOSE_AWAITS_CONNACK
	| typeof CLOSE_PIPELINED
	| typeof DISCONNECT_PIPELINED
	| typeof DISCONNECTED_PIPELINED
	| typeof CONNECTED
	| typeof CLOSE_REQUESTED
	| typeof DISCONNECTING
	| typeof DISCONNECTED
	| typeof FAILING
	| typeof DROPPED;

// Events. A packet of the broker is the event with the number of its type, 1 … 15; these are the others.
/** CONNACK with a reason code of 0x80 or above, or a return code that refuses. */
export const CONNACK_REFUSES = 16;
/** DISCONNECT with a reason code of 0x80 or above. */
export const DISCONNECT_FAILS = 17;
/** The application opens a connection. */
export const OPEN = 18;
/** TCP is established, and CONNECT is staged. */
export const TCP_CONNECTED = 19;
/** Packets may leave before CONNACK. */
export const PIPELINE = 20;
/** A packet of the application is staged. */
export const SEND = 21;
/** The application closes the connection. */
export const CLOSE = 22;
/** DISCONNECT is staged, the last packet. */
export const STAGE_DISCONNECT = 23;
/** All that was staged has left. */
export const DISCONNECT_LEFT = 24;
/** An error of which DISCONNECT informs the broker. */
export const FAIL = 25;
/** TCP is closed by this end, and the application is told later. */
export const DROP = 26;
/** The connection has ended, and the application is told now. */
export const END = 27;
const EVENTS = 28;

export type ClientEvent =
	| PacketType
	| typeof CONNACK_REFUSES
	| typeof DISCONNECT_FAILS
	| typeof OPEN
	| typeof TCP_CONNECTED
	| typeof PIPELINE
	| typeof SEND
	| typeof CLOSE
	| typeof STAGE_DISCONNECT
	| typeof DISCONNECT_LEFT
	| typeof FAIL
	| typeof DROP
	| typeof END;

/** The event of a packet from the broker. @param type as in `Packet.type` */
export function clientEvent(type: number, reasonCode: ReasonCode): ClientEvent {
	if (reasonCode < UNSPECIFIED_ERROR || (type !== CONNACK && type !== DISCONNECT)) return type as PacketType;
	return type === CONNACK ? CONNACK_REFUSES : DISCONNECT_FAILS;
}

type Row = PhaseRow<ClientPhase, ClientEvent>;

/** Phases in which CONNACK may arrive: TCP is established, and it has not arrived. */
const BEFORE_CONNACK = [
	AWAITING_CONNACK,
	MAY_PIPELINE,
	PIPELINED,
	CLOSE_AWAITS_CONNACK,
	CLOSE_PIPELINED,
	DISCONNECT_PIPELINED,
	DISCONNECTED_PIPELINED,
] as const;
/** Phases from CONNACK until DISCONNECT is staged: packets may be answered. */
const IN_SESSION = [CONNECTED, CLOSE_REQUESTED] as const;
/** Phases after DISCONNECT, in which no packet may be sent [MQTT-3.14.4-1]. */
const AFTER_DISCONNECT = [DISCONNECTING, DISCONNECTED] as const;
const ACKNOWLEDGEMENTS = [PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK] as const;
/** Phases that this end may leave at any time. */
const NOT_CLOSED = [
	CONNECTING,
	...BEFORE_CONNACK,
	...IN_SESSION,
	...AFTER_DISCONNECT,
	FAILING,
	DROPPED,
] as const;

const ROWS: readonly Row[] = [
	// Packets. CONNACK comes first, and once; nothing comes before it but AUTH. [MQTT-3.2.0-1] [MQTT-3.2.0-2]
	// [MQTT-3.14.0-1] [MQTT-4.12.0-6] [MQTT-3.1.1:3.2.0-1]
	[BEFORE_CONNACK, [AUTH], SAME],
	[BEFORE_CONNACK, [CONNACK_REFUSES], CLOSED],
	[[AWAITING_CONNACK, MAY_PIPELINE, PIPELINED], [CONNACK], CONNECTED],
	[[CLOSE_AWAITS_CONNACK, CLOSE_PIPELINED], [CONNACK], CLOSE_REQUESTED],
	[[DISCONNECT_PIPELINED], [CONNACK], DISCONNECTING],
	[[DISCONNECTED_PIPELINED], [CONNACK], DISCONNECTED],
	[IN_SESSION, [PUBLISH, PINGRESP, AUTH], SAME],
	[IN_SESSION, ACKNOWLEDGEMENTS, SAME],
	[[CONNECTED], [DISCONNECT], CLOSED],
	// Acknowledgements still count; what would need an answer is dropped, and the broker keeps it.
	[AFTER_DISCONNECT, [PUBACK, PUBCOMP, SUBACK, UNSUBACK, AUTH], SAME],
	[AFTER_DISCONNECT, [PUBLISH, PUBREC, PUBREL, PINGRESP], IGNORED],
	[[CLOSE_REQUESTED, ...AFTER_DISCONNECT], [DISCONNECT], IGNORED],
	[[...IN_SESSION, ...AFTER_DISCONNECT], [DISCONNECT_FAILS], CLOSED],
	// Nothing is read any more: this is the rest of the piece that was read last.
	[[CLOSED, CONNECTING, FAILING, DROPPED], [...ALL_PACKETS, CONNACK_REFUSES, DISCONNECT_FAILS], IGNORED],
	// Events of this end
	[[CLOSED], [OPEN], CONNECTING],
	[[CONNECTING], [TCP_CONNECTED], AWAITING_CONNACK],
	[[AWAITING_CONNACK], [PIPELINE], MAY_PIPELINE],
	[[MAY_PIPELINE, PIPELINED], [SEND], PIPELINED],
	[[CONNECTED], [SEND], CONNECTED],
	[[CONNECTING], [CLOSE], DROPPED],
	[[AWAITING_CONNACK], [CLOSE], CLOSE_AWAITS_CONNACK],
	[[MAY_PIPELINE, PIPELINED], [CLOSE], CLOSE_PIPELINED],
	[[CONNECTED], [CLOSE], CLOSE_REQUESTED],
	[[CLOSE_PIPELINED], [STAGE_DISCONNECT], DISCONNECT_PIPELINED],
	[[CLOSE_REQUESTED], [STAGE_DISCONNECT], DISCONNECTING],
	[[DISCONNECT_PIPELINED], [DISCONNECT_LEFT], DISCONNECTED_PIPELINED],
	[[DISCONNECTING], [DISCONNECT_LEFT], DISCONNECTED],
	[IN_SESSION, [FAIL], FAILING],
	[NOT_CLOSED, [DROP], DROPPED],
	[NOT_CLOSED, [END], CLOSED],
];

const TABLE: Uint8Array = compilePhases(ROWS, PHASES, EVENTS);

/** The phase after an event; VIOLATION and IGNORED leave it as it is. */
export function clientPhaseAfter(
	phase: ClientPhase,
	event: ClientEvent,
): ClientPhase | typeof IGNORED | typeof VIOLATION {
	return TABLE[phase * EVENTS + event] as ClientPhase | typeof IGNORED | typeof VIOLATION;
}

/** Whether TCP is established and CONNACK has not arrived. */
export function isBeforeConnack(phase: ClientPhase): boolean {
	return phase >= AWAITING_CONNACK && phase <= DISCONNECTED_PIPELINED;
}

/** Whether packets were sent before CONNACK, which has not arrived. */
export function hasPipelined(phase: ClientPhase): boolean {
	return phase === PIPELINED || phase === DISCONNECT_PIPELINED || phase === DISCONNECTED_PIPELINED;
}

/** Whether packets are read: TCP is established, and the connection has not failed. */
export function isReading(phase: ClientPhase): boolean {
	return phase >= AWAITING_CONNACK && phase <= DISCONNECTED;
}
