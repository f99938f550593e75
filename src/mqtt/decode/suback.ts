import { type CheckResult, MALFORMED_PACKET, PROTOCOL_ERROR, SUBACK } from "../constants";
import type { Packet } from "../packet";
import { reasonAllowed } from "../reasons";
import { readProperties } from "./properties";

/** SUBACK and UNSUBACK (§3.9, §3.11). Returns 0 or a reason code. */
export function decodeSuback(packet: Packet, bytes: Uint8Array, start: number, end: number): CheckResult {
	if (start + 2 > end) return packet.refuse(MALFORMED_PACKET, "packet ends within its packet identifier");
	const packetId = (bytes[start] << 8) | bytes[start + 1];
	// [MQTT-2.2.1-6] [MQTT-3.1.1:2.3.1-7]
	if (packetId === 0) return packet.refuse(PROTOCOL_ERROR, "packet identifier 0");
	packet.packetId = packetId;
	const type = packet.type;
	let at = start + 2;
	packet.properties.setRange(bytes, at, at);
	packet.setList(at, end);
	if (packet.version === 4) {
		if (type !== SUBACK) return at === end ? 0 : packet.refuse(MALFORMED_PACKET, "UNSUBACK is too long");
	} else {
		const code = readProperties(packet, packet.properties, bytes, at, end, type);
		if (code !== 0) return code;
		at = packet.properties.to;
		packet.setList(at, end);
	}
	// [MQTT-3.8.4-6] [MQTT-3.1.1:3.8.4-5]
	if (at === end) return packet.refuse(PROTOCOL_ERROR, "no reason code");
	for (; at < end; at++) {
		const code = bytes[at];
		if (packet.version === 4 ? code > 2 && code !== 0x80 : !reasonAllowed(type, code, false))
			// [MQTT-3.9.3-2] [MQTT-3.11.3-2]
			return packet.refuse(PROTOCOL_ERROR, "reason code is not one of this packet");
	}
	return 0;
}
