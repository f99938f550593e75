import { AUTH, type CheckResult, MALFORMED_PACKET, PROTOCOL_ERROR } from "../constants";
import type { Packet } from "../packet";
import { AUTHENTICATION_METHOD, SESSION_EXPIRY_INTERVAL } from "../properties";
import { reasonAllowed } from "../reasons";
import { readProperties } from "./properties";

/** DISCONNECT and AUTH (§3.14, §3.15), which have the same structure. Returns 0 or a reason code. */
export function decodeDisconnect(
	packet: Packet,
	bytes: Uint8Array,
	start: number,
	end: number,
	fromClient: boolean,
): CheckResult {
	const properties = packet.properties;
	properties.setRange(bytes, end, end);
	packet.reasonCode = 0;
	if (packet.version === 4)
		return start === end ? 0 : packet.refuse(MALFORMED_PACKET, "DISCONNECT is too long");
	const auth = packet.type === AUTH;
	if (start < end) {
		const code = bytes[start];
		// [MQTT-3.14.2-1] [MQTT-3.15.2-1]
		if (!reasonAllowed(packet.type, code, fromClient))
			return packet.refuse(PROTOCOL_ERROR, "reason code is not one of this packet");
		packet.reasonCode = code;
	} else if (auth && fromClient)
		// [MQTT-3.15.2-1]
		return packet.refuse(PROTOCOL_ERROR, "success is not for a client to send");
	if (start + 1 < end) {
		const propertiesCode = readProperties(packet, properties, bytes, start + 1, end, packet.type);
		if (propertiesCode !== 0) return propertiesCode;
		if (properties.to !== end) return packet.refuse(MALFORMED_PACKET, "bytes after the properties");
		if (!auth && !fromClient && properties.has(SESSION_EXPIRY_INTERVAL))
			return packet.refuse(PROTOCOL_ERROR, "session expiry interval from a broker"); // [MQTT-3.14.2-2]
	}
	// §3.15.2.2.2; remaining length 0 means success without properties (§3.15.2.1)
	if (auth && start < end && !properties.has(AUTHENTICATION_METHOD))
		return packet.refuse(PROTOCOL_ERROR, "AUTH without an authentication method");
	return 0;
}
