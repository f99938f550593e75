import {
	PUBACK,
	PUBCOMP,
	PUBREC,
	PUBREL,
	type ReasonCode,
	SUBACK,
	UNSPECIFIED_ERROR,
} from "../mqtt/constants";

/*
 * What MQTT allows next for one packet identifier: that of a message of QoS 1 or 2 (§4.3, §4.4), at the
 * sender and at the receiver, or of a SUBSCRIBE or UNSUBSCRIBE; the packets that can arrive, the answer.
 * Client and broker read the same table, each in both roles. No I/O, no clock, no allocation.
 */

// States of a packet identifier
/** Not in use. */
export const IDLE = 0;
/** Sent with QoS 1. */
export const PUBACK_PENDING = 1;
/** Sent with QoS 2. */
export const PUBREC_PENDING = 2;
/** PUBREC has arrived, so that PUBREL is to be sent until PUBCOMP [MQTT-4.3.3-4]. */
export const PUBCOMP_PENDING = 3;
/** Received with QoS 2 and passed on; PUBREL will release the identifier. */
export const PUBREL_PENDING = 4;
/** Of a SUBSCRIBE that was sent; this and the next end with their connection. */
export const SUBACK_PENDING = 5;
/** Of an UNSUBSCRIBE that was sent. */
export const UNSUBACK_PENDING = 6;
const STATES = 7;

export type SenderState =
	| typeof IDLE
	| typeof PUBACK_PENDING
	| typeof PUBREC_PENDING
	| typeof PUBCOMP_PENDING
	| typeof SUBACK_PENDING
	| typeof UNSUBACK_PENDING;
export type ReceiverState = typeof IDLE | typeof PUBREL_PENDING;
export type DeliveryState = SenderState | ReceiverState;

// Packets. An identifier of the sender and one of the receiver may be equal and are independent (§2.2.1).
/** To the sender; PUBACK and PUBCOMP with any reason code, PUBREC below 0x80. */
export const PUBACK_ARRIVES = 0;
export const PUBREC_ARRIVES = 1;
/** PUBREC with a reason code of 0x80 or above, MQTT 5.0 only. */
export const REFUSAL_ARRIVES = 2;
export const PUBCOMP_ARRIVES = 3;
/** To the receiver: PUBLISH with QoS 2, new or repeated. */
export const PUBLISH_ARRIVES = 4;
export const PUBREL_ARRIVES = 5;
/** To the sender of SUBSCRIBE and of UNSUBSCRIBE. */
export const SUBACK_ARRIVES = 6;
export const UNSUBACK_ARRIVES = 7;
const PACKETS = 8;

export type DeliveryPacket =
	| typeof PUBACK_ARRIVES
	| typeof PUBREC_ARRIVES
	| typeof REFUSAL_ARRIVES
	| typeof PUBCOMP_ARRIVES
	| typeof PUBLISH_ARRIVES
	| typeof PUBREL_ARRIVES
	| typeof SUBACK_ARRIVES
	| typeof UNSUBACK_ARRIVES;

// Actions
/** No answer. The acknowledgement may belong to an earlier connection. */
export const IGNORE = 0;
/** The message is acknowledged, or refused, or the request answered: its identifier is free. */
export const COMPLETE = 1;
export const SEND_PUBREL = 2;
/** Pass the message on, then send PUBREC. */
export const DELIVER = 3;
/** Send PUBREC without passing the message on again. */
export const SEND_PUBREC = 4;
export const SEND_PUBCOMP = 5;
/** The two ends disagree on the QoS: DISCONNECT 0x82 in MQTT 5.0, then close. */
export const PROTOCOL_VIOLATION = 6;
/** Send PUBREL or PUBCOMP with 0x92, packet identifier not found; without a reason code in MQTT 3.1.1. */
export const SEND_PUBREL_NOT_FOUND = 7;
export const SEND_PUBCOMP_NOT_FOUND = 8;

export type DeliveryAction =
	| typeof IGNORE
	| typeof COMPLETE
	| typeof SEND_PUBREL
	| typeof DELIVER
	| typeof SEND_PUBREC
	| typeof SEND_PUBCOMP
	| typeof PROTOCOL_VIOLATION
	| typeof SEND_PUBREL_NOT_FOUND
	| typeof SEND_PUBCOMP_NOT_FOUND;

/**
 * The packet of the table for a received acknowledgement.
 * @param type PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK or UNSUBACK, as in `Packet.type`
 */
export function deliveryPacket(type: number, reasonCode: ReasonCode): DeliveryPacket {
	switch (type) {
		case PUBACK:
			return PUBACK_ARRIVES;
		case PUBREC:
			return reasonCode >= UNSPECIFIED_ERROR ? REFUSAL_ARRIVES : PUBREC_ARRIVES;
		case PUBREL:
			return PUBREL_ARRIVES;
		case PUBCOMP:
			return PUBCOMP_ARRIVES;
		default:
			return type === SUBACK ? SUBACK_ARRIVES : UNSUBACK_ARRIVES;
	}
}

type Row = readonly [DeliveryState, DeliveryPacket, DeliveryAction, DeliveryState];

const ROWS: readonly Row[] = [
	// An identifier that is not in use: legal, as an acknowledgement may be repeated after a reconnect
	[IDLE, PUBACK_ARRIVES, IGNORE, IDLE],
	[IDLE, PUBREC_ARRIVES, SEND_PUBREL_NOT_FOUND, IDLE], // [MQTT-4.3.3-4]
	[IDLE, REFUSAL_ARRIVES, IGNORE, IDLE],
	[IDLE, PUBCOMP_ARRIVES, IGNORE, IDLE],
	[PUBACK_PENDING, PUBACK_ARRIVES, COMPLETE, IDLE], // [MQTT-4.3.2-3]
	[PUBREC_PENDING, PUBREC_ARRIVES, SEND_PUBREL, PUBCOMP_PENDING], // [MQTT-4.3.3-4]
	[PUBREC_PENDING, REFUSAL_ARRIVES, COMPLETE, IDLE], // [MQTT-4.3.3-3]
	[PUBCOMP_PENDING, PUBREC_ARRIVES, SEND_PUBREL, PUBCOMP_PENDING], // repeated after a reconnect
	[PUBCOMP_PENDING, PUBCOMP_ARRIVES, COMPLETE, IDLE], // [MQTT-4.3.3-5]
	[IDLE, PUBLISH_ARRIVES, DELIVER, PUBREL_PENDING], // [MQTT-4.3.3-8] [MQTT-4.3.3-12]
	[IDLE, PUBREL_ARRIVES, SEND_PUBCOMP_NOT_FOUND, IDLE], // [MQTT-4.3.3-11]
	[PUBREL_PENDING, PUBLISH_ARRIVES, SEND_PUBREC, PUBREL_PENDING], // [MQTT-4.3.3-10]
	[PUBREL_PENDING, PUBREL_ARRIVES, SEND_PUBCOMP, IDLE], // [MQTT-4.3.3-11]
	[SUBACK_PENDING, SUBACK_ARRIVES, COMPLETE, IDLE],
	[UNSUBACK_PENDING, UNSUBACK_ARRIVES, COMPLETE, IDLE],
];

/** Action in the low four bits, next state above. In a preloaded module it lies in flash; never written. */
const TABLE: Uint8Array = compile();

/**
 * Every pair without a row is a violation that leaves the state as it is [MQTT-4.13.1-1]
 * [MQTT-3.1.1:4.8.0-1].
 */
function compile(): Uint8Array {
	const table = new Uint8Array(STATES * PACKETS);
	for (let i = 0; i < table.length; i++) table[i] = PROTOCOL_VIOLATION | (Math.floor(i / PACKETS) << 4);
	for (let i = 0; i < ROWS.length; i++) {
		const [state, packet, action, next] = ROWS[i];
		table[state * PACKETS + packet] = action | (next << 4);
	}
	return table;
}

/** What to do when a packet arrives in a state. */
export function actionOn(state: DeliveryState, packet: DeliveryPacket): DeliveryAction {
	return (TABLE[state * PACKETS + packet] & 0x0f) as DeliveryAction;
}

/** The state after that action. */
export function stateAfter(state: DeliveryState, packet: DeliveryPacket): DeliveryState {
	return (TABLE[state * PACKETS + packet] >> 4) as DeliveryState;
}
