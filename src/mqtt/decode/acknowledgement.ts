import { type CheckResult, MALFORMED_PACKET, PROTOCOL_ERROR } from "../constants";
import type { Packet } from "../packet";
import { reasonAllowed } from "../reasons";
import { readProperties } from "./properties";

// First bytes of acknowledgements
const PUBACK_BYTE = 0x40;
const PUBREC_BYTE = 0x50;
const PUBREL_BYTE = 0x62;
const PUBCOMP_BYTE = 0x70;

/**
 * Decodes an acknowledgement that has nothing but a packet identifier, its two bytes at `start`, as nearly
 * all are: a quarter of the work of checkFirstByte() and decodeBody(), which are not needed then.
 * @param first the first byte of the packet
 * @returns false: it is another packet, or malformed; nothing has changed
 */
export function decodeShortAcknowledgement(
	packet: Packet,
	first: number,
	bytes: Uint8Array,
	start: number,
): boolean {
	// [MQTT-3.6.1-1] [MQTT-2.1.3-1] [MQTT-3.1.1:2.2.2-1]
	if (first !== PUBACK_BYTE && first !== PUBREC_BYTE && first !== PUBREL_BYTE && first !== PUBCOMP_BYTE)
		return false;
	const packetId = (bytes[start] << 8) | bytes[start + 1];
	if (packetId === 0) return false; // [MQTT-2.2.1-5] [MQTT-3.1.1:2.3.1-6]
	packet.packetId = packetId;
	packet.reasonCode = 0; // §3.4.2.1, §3.5.2.1, §3.6.2.1, §3.7.2.1
	return true;
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP (§3.4 to §3.7). Returns 0 or a reason code. */
export function decodeAcknowledgement(
	packet: Packet,
	bytes: Uint8Array,
	start: number,
	end: number,
	fromClient: boolean,
): CheckResult {
	const length = end - start;
	if (length < 2) return packet.refuse(MALFORMED_PACKET, "acknowledgement is too short");
	const packetId = (bytes[start] << 8) | bytes[start + 1];
	// [MQTT-2.2.1-5] [MQTT-3.1.1:2.3.1-6]
	if (packetId === 0) return packet.refuse(PROTOCOL_ERROR, "packet identifier 0");
	packet.packetId = packetId;
	packet.reasonCode = 0;
	packet.properties.setRange(bytes, end, end);
	if (length === 2) return 0;
	if (packet.version === 4) return packet.refuse(MALFORMED_PACKET, "acknowledgement is too long");
	const code = bytes[start + 2];
	// [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]
	if (!reasonAllowed(packet.type, code, fromClient))
		return packet.refuse(PROTOCOL_ERROR, "reason code is not one of this packet");
	packet.reasonCode = code;
	if (length === 3) return 0; // §3.4.2.2.1
	const propertiesCode = readProperties(packet, packet.properties, bytes, start + 3, end, packet.type);
	if (propertiesCode !== 0) return propertiesCode;
	return packet.properties.to === end ? 0 : packet.refuse(MALFORMED_PACKET, "bytes after the properties");
}
