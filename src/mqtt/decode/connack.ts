import {
	type CheckResult,
	CONNACK,
	MALFORMED_PACKET,
	PROTOCOL_ERROR,
	type ReasonCode,
	UNSUPPORTED_PROTOCOL_VERSION,
} from "../constants";
import type { Packet } from "../packet";
import { connackReasonCode, reasonAllowed } from "../reasons";
import { readProperties } from "./properties";

/** CONNACK (§3.2). Returns 0 or a reason code. */
export function decodeConnack(packet: Packet, bytes: Uint8Array, start: number, end: number): CheckResult {
	if (end - start < 2) return packet.refuse(MALFORMED_PACKET, "CONNACK is too short");
	const flags = bytes[start];
	if (flags > 1) return packet.refuse(MALFORMED_PACKET, "reserved CONNACK flags"); // [MQTT-3.2.2-1]
	let code = bytes[start + 1];
	packet.properties.setRange(bytes, end, end);
	if (packet.version === 4) {
		if (end - start !== 2) return packet.refuse(MALFORMED_PACKET, "CONNACK is too long");
		code = connackReasonCode(code);
		// Table 3.1 of MQTT 3.1.1
		if (code < 0) return packet.refuse(PROTOCOL_ERROR, "reserved CONNACK return code");
	} else {
		// A broker that supports only MQTT 3.1.1 answers in its own format: "unacceptable protocol version" (its
		// §3.2.2.3)
		if (end - start === 2 && code === 1)
			return packet.refuse(UNSUPPORTED_PROTOCOL_VERSION, "the broker does not speak MQTT 5.0");
		// [MQTT-3.2.2-8]
		if (!reasonAllowed(CONNACK, code, false))
			return packet.refuse(PROTOCOL_ERROR, "reason code is not one of CONNACK");
		const propertiesCode = readProperties(packet, packet.properties, bytes, start + 2, end, CONNACK);
		if (propertiesCode !== 0) return propertiesCode;
		if (packet.properties.to !== end)
			return packet.refuse(MALFORMED_PACKET, "bytes after the CONNACK properties");
	}
	// [MQTT-3.2.2-6] [MQTT-3.1.1:3.2.2-4]
	if (flags === 1 && code !== 0) return packet.refuse(PROTOCOL_ERROR, "session present in a refusal");
	packet.sessionPresent = flags === 1;
	packet.reasonCode = code as ReasonCode;
	return 0;
}
