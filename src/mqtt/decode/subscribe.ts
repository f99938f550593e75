import { fieldEnd } from "../bytes";
import { type CheckResult, MALFORMED_PACKET, PROTOCOL_ERROR, SUBSCRIBE } from "../constants";
import type { Packet } from "../packet";
import { checkSubscriptionOptions } from "../subscription-options";
import { sharedFilterStart, validWildcards } from "../topics";
import { validUTF8 } from "../utf8";
import { readProperties } from "./properties";

/** SUBSCRIBE and UNSUBSCRIBE (§3.8, §3.10). Returns 0 or a reason code. */
export function decodeSubscribe(packet: Packet, bytes: Uint8Array, start: number, end: number): CheckResult {
	if (start + 2 > end) return packet.refuse(MALFORMED_PACKET, "packet ends within its packet identifier");
	const packetId = (bytes[start] << 8) | bytes[start + 1];
	// [MQTT-2.2.1-3] [MQTT-3.1.1:2.3.1-1]
	if (packetId === 0) return packet.refuse(PROTOCOL_ERROR, "packet identifier 0");
	packet.packetId = packetId;
	const subscribe = packet.type === SUBSCRIBE;
	const properties = packet.properties;
	let at = start + 2;
	properties.setRange(bytes, at, at);
	if (packet.version === 5) {
		const code = readProperties(packet, properties, bytes, at, end, packet.type);
		if (code !== 0) return code;
		at = properties.to;
	}
	// [MQTT-3.8.3-2] [MQTT-3.10.3-2] [MQTT-3.1.1:3.8.3-3]
	if (at === end) return packet.refuse(PROTOCOL_ERROR, "no topic filter");
	packet.setList(at, end);
	while (at < end) {
		const filterEnd = fieldEnd(bytes, at, end);
		// [MQTT-3.8.3-1] [MQTT-3.10.3-1]
		if (filterEnd < 0 || !validUTF8(bytes, at + 2, filterEnd))
			return packet.refuse(MALFORMED_PACKET, "malformed topic filter");
		const shared = packet.version === 5 ? sharedFilterStart(bytes, at + 2, filterEnd) : 0;
		if (shared < 0 || filterEnd === at + 2 || !validWildcards(bytes, at + 2, filterEnd))
			// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.8.2-1] [MQTT-4.8.2-2]
			// Not 0x8F, which says that the filter is correctly formed (§3.14.2.1)
			return packet.refuse(MALFORMED_PACKET, "invalid topic filter");
		at = filterEnd;
		if (subscribe) {
			// [MQTT-3.8.3-2] [MQTT-3.1.1:3.8.3-3]
			if (at === end) return packet.refuse(MALFORMED_PACKET, "topic filter without subscription options");
			const code = checkSubscriptionOptions(bytes[at], shared > 0, packet.version);
			if (code !== 0) return packet.refuse(code, "invalid subscription options");
			at++;
		}
	}
	return 0;
}
