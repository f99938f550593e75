import {
	AUTH,
	type CheckResult,
	CONNACK,
	CONNECT,
	DISCONNECT,
	MALFORMED_PACKET,
	SUBACK,
	SUBSCRIBE,
	UNSUBACK,
	UNSUBSCRIBE,
} from "../constants";
import type { Packet } from "../packet";
import { decodeAcknowledgement } from "./acknowledgement";
import { decodeConnack } from "./connack";
import { decodeConnect } from "./connect";
import { decodeDisconnect } from "./disconnect";
import { decodeSuback } from "./suback";
import { decodeSubscribe } from "./subscribe";

/**
 * Decodes [start, end), everything after the fixed header of a packet other than PUBLISH. Returns 0 or the
 * reason code with which it is refused.
 */
export function decodeBody(
	packet: Packet,
	bytes: Uint8Array,
	start: number,
	end: number,
	fromClient: boolean,
): CheckResult {
	const type = packet.type;
	if (type < SUBSCRIBE) {
		if (type === CONNECT) return decodeConnect(packet, bytes, start, end);
		if (type === CONNACK) return decodeConnack(packet, bytes, start, end);
		return decodeAcknowledgement(packet, bytes, start, end, fromClient);
	}
	switch (type) {
		case SUBSCRIBE:
		case UNSUBSCRIBE:
			return decodeSubscribe(packet, bytes, start, end);
		case SUBACK:
		case UNSUBACK:
			return decodeSuback(packet, bytes, start, end);
		case DISCONNECT:
		case AUTH:
			return decodeDisconnect(packet, bytes, start, end, fromClient);
		default: // PINGREQ and PINGRESP (§3.12.2, §3.13.2)
			return start === end ? 0 : packet.refuse(MALFORMED_PACKET, "ping is too long");
	}
}
