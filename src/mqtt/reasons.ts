import {
	AUTH,
	CLIENT_IDENTIFIER_NOT_VALID,
	CONNACK,
	type ConnackReturnCode,
	DISCONNECT,
	DISCONNECT_WITH_WILL_MESSAGE,
	PUBACK,
	PUBCOMP,
	PUBREC,
	PUBREL,
	type ReasonCode,
	SUBACK,
	UNSUBACK,
} from "./constants";

/**
 * Whether a packet of this type may carry this MQTT 5.0 reason code (§2.4), sent by a client or by a broker.
 */
export function reasonAllowed(type: number, code: number, fromClient: boolean): code is ReasonCode {
	switch (type) {
		case CONNACK:
			return connackReasonAllowed(code); // [MQTT-3.2.2-8]
		case PUBACK: // [MQTT-3.4.2-1]
		case PUBREC: // [MQTT-3.5.2-1]
			return code === 0 || pubackReasonAllowed(code);
		case PUBREL: // [MQTT-3.6.2-1]
		case PUBCOMP: // [MQTT-3.7.2-1]
			return code === 0 || code === 0x92;
		case SUBACK:
			return code <= 2 || subackReasonAllowed(code); // [MQTT-3.9.3-2]
		case UNSUBACK:
			return code === 0 || unsubackReasonAllowed(code); // [MQTT-3.11.3-2]
		case DISCONNECT:
			return code === 0 || disconnectReasonAllowed(code, fromClient); // [MQTT-3.14.2-1]
		case AUTH:
			return code === 0x18 || code === (fromClient ? 0x19 : 0x00); // [MQTT-3.15.2-1]
		default:
			return false;
	}
}

/** Table 3-1. */
function connackReasonAllowed(code: number): boolean {
	if (code < 0x80) return code === 0;
	if (code <= 0x8a) return true;
	switch (code) {
		case 0x8c:
		case 0x90:
		case 0x95:
		case 0x97:
		case 0x99:
		case 0x9a:
		case 0x9b:
		case 0x9c:
		case 0x9d:
		case 0x9f:
			return true;
		default:
			return false;
	}
}

/** Tables 3-4 and 3-5. */
function pubackReasonAllowed(code: number): boolean {
	switch (code) {
		case 0x10:
		case 0x80:
		case 0x83:
		case 0x87:
		case 0x90:
		case 0x91:
		case 0x97:
		case 0x99:
			return true;
		default:
			return false;
	}
}

/** Table 3-8. */
function subackReasonAllowed(code: number): boolean {
	switch (code) {
		case 0x80:
		case 0x83:
		case 0x87:
		case 0x8f:
		case 0x91:
		case 0x97:
		case 0x9e:
		case 0xa1:
		case 0xa2:
			return true;
		default:
			return false;
	}
}

/** Table 3-9. */
function unsubackReasonAllowed(code: number): boolean {
	switch (code) {
		case 0x11:
		case 0x80:
		case 0x83:
		case 0x87:
		case 0x8f:
		case 0x91:
			return true;
		default:
			return false;
	}
}

/** Table 3-10; 0x8C, which only §2.4 lists for DISCONNECT, is accepted from a broker. */
function disconnectReasonAllowed(code: number, fromClient: boolean): boolean {
	if (code === DISCONNECT_WITH_WILL_MESSAGE) return fromClient;
	if (code < 0x80 || code > 0xa2) return false;
	switch (code) {
		case 0x80:
		case 0x81:
		case 0x82:
		case 0x83:
		case 0x90:
		case 0x93:
		case 0x94:
		case 0x95:
		case 0x96:
		case 0x97:
		case 0x98:
		case 0x99:
			return true;
		case 0x84:
		case 0x85:
		case 0x86:
		case 0x88:
		case 0x8a:
		case 0x91:
		case 0x92:
			return false;
		default:
			return !fromClient;
	}
}

/**
 * The return code (§3.2.2.3 of MQTT 3.1.1) for a reason code; -1 if there is none and the connection must be
 * closed without a CONNACK [MQTT-3.1.1:3.2.2-6].
 */
export function connackReturnCode(reasonCode: ReasonCode): ConnackReturnCode | -1 {
	switch (reasonCode) {
		case 0x00:
			return 0;
		case 0x84:
			return 1;
		case CLIENT_IDENTIFIER_NOT_VALID:
			return 2;
		case 0x88:
		case 0x89:
		case 0x97:
		case 0x9f:
			return 3;
		case 0x86:
			return 4;
		case 0x87:
		case 0x8a:
		case 0x8c:
			return 5;
		default:
			return -1;
	}
}

/** The reason code for a return code of MQTT 3.1.1; -1 for a reserved one. */
export function connackReasonCode(returnCode: number): ReasonCode | -1 {
	switch (returnCode) {
		case 0:
			return 0x00;
		case 1:
			return 0x84;
		case 2:
			return 0x85;
		case 3:
			return 0x88;
		case 4:
			return 0x86;
		case 5:
			return 0x87;
		default:
			return -1;
	}
}
