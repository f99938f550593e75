import {
	AUTH,
	type CheckResult,
	DISCONNECT,
	MALFORMED_PACKET,
	PROTOCOL_ERROR,
	PUBLISH,
	type Version,
} from "../constants";
import type { Packet } from "../packet";

// Packet types that a peer may send (Table 2-1): bit n is type n
const FROM_CLIENT = 0b1101_0101_1111_1010;
const FROM_BROKER = 0b1110_1010_1111_1100;
/** Types whose reserved flags are 0010: PUBREL, SUBSCRIBE, UNSUBSCRIBE (Table 2-2). */
const RESERVED_FLAGS_0010 = 0b0000_0101_0100_0000;

/** Checks the first byte of a packet; returns 0 or the reason code with which it is refused. */
export function checkFirstByte(
	packet: Packet,
	first: number,
	fromClient: boolean,
	version: Version,
): CheckResult {
	const type = first >> 4;
	const flags = first & 15;
	if (type === PUBLISH) {
		if ((flags & 6) === 6) return packet.refuse(MALFORMED_PACKET, "QoS 3"); // [MQTT-3.3.1-4]
		if ((flags & 14) === 8) return packet.refuse(PROTOCOL_ERROR, "DUP with QoS 0"); // [MQTT-3.3.1-2]
		return 0;
	}
	// Table 2-1
	if (type === 0 || (type === AUTH && version === 4))
		return packet.refuse(MALFORMED_PACKET, "reserved packet type");
	if (
		(((fromClient ? FROM_CLIENT : FROM_BROKER) >> type) & 1) === 0 ||
		(type === DISCONNECT && version === 4 && !fromClient)
	)
		return packet.refuse(PROTOCOL_ERROR, "packet type does not go in this direction"); // Table 2-1
	// [MQTT-2.1.3-1] [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-3.14.1-1] [MQTT-3.15.1-1]
	// [MQTT-3.1.1:2.2.2-1] [MQTT-3.1.1:2.2.2-2]
	if (flags !== ((RESERVED_FLAGS_0010 >> type) & 1) << 1)
		return packet.refuse(MALFORMED_PACKET, "reserved flags");
	return 0;
}
