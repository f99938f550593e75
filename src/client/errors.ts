import type { ClientFault } from "../fault";
import {
	ADMINISTRATIVE_ACTION,
	BAD_AUTHENTICATION_METHOD,
	BAD_USER_NAME_OR_PASSWORD,
	BANNED,
	CLIENT_IDENTIFIER_NOT_VALID,
	CONNECTION_RATE_EXCEEDED,
	MAXIMUM_CONNECT_TIME,
	MESSAGE_RATE_TOO_HIGH,
	NOT_AUTHORIZED,
	PACKET_TOO_LARGE,
	PAYLOAD_FORMAT_INVALID,
	QOS_NOT_SUPPORTED,
	QUOTA_EXCEEDED,
	RECEIVE_MAXIMUM_EXCEEDED,
	RETAIN_NOT_SUPPORTED,
	type ReasonCode,
	reasonName,
	SERVER_BUSY,
	SERVER_MOVED,
	SERVER_SHUTTING_DOWN,
	SERVER_UNAVAILABLE,
	SESSION_TAKEN_OVER,
	TOPIC_NAME_INVALID,
	UNSPECIFIED_ERROR,
	UNSUPPORTED_PROTOCOL_VERSION,
	USE_ANOTHER_SERVER,
	type Version,
} from "../mqtt/constants";
import type { Packet } from "../mqtt/packet";
import { REASON_STRING, SERVER_REFERENCE } from "../mqtt/properties";
import type { PropertyReader } from "../mqtt/property-reader";
import { decodeUTF8 } from "../mqtt/utf8";

export interface ClientErrorDetail {
	readonly reasonCode?: ReasonCode;
	readonly pipelineRefused?: boolean;
	readonly isConnectUnanswered?: boolean;
	readonly serverReference?: string | undefined;
	readonly cause?: unknown;
}

/** Why a connection ended. */
export class ClientError extends Error {
	readonly fault: ClientFault;
	/**
	 * The MQTT 5.0 reason code (§2.4) that the broker sent or that describes the broker's violation; 0 if there
	 * is none.
	 */
	readonly reasonCode: ReasonCode;
	/**
	 * The broker closed the connection before CONNACK, after PUBLISH or DISCONNECT had been sent: retry without
	 * pipelining.
	 */
	readonly pipelineRefused: boolean;
	/** The broker closed the connection instead of a CONNACK, or sent none in time. Absent: it did neither. */
	declare readonly isConnectUnanswered?: boolean;
	/** The server to which the broker refers its clients (§3.2.2.3.16, §3.14.2.2.5). */
	readonly serverReference: string | undefined;

	constructor(fault: ClientFault, message: string, detail?: ClientErrorDetail) {
		super(message);
		this.fault = fault;
		this.reasonCode = detail?.reasonCode ?? 0;
		this.pipelineRefused = detail?.pipelineRefused ?? false;
		this.serverReference = detail?.serverReference;
		if (detail?.isConnectUnanswered) this.isConnectUnanswered = true;
		if (detail?.cause !== undefined) this.cause = detail.cause;
	}

	static {
		// Not a field: assigning to an inherited name that is frozen in ROM throws.
		Object.defineProperty(ClientError.prototype, "name", { value: "ClientError" });
	}
}

/** Classifies a reason code (§2.4) of CONNACK or of the broker's DISCONNECT. */
export function faultOf(reasonCode: ReasonCode): ClientFault {
	// The broker ended the connection without an error.
	if (reasonCode < UNSPECIFIED_ERROR) return "transport";
	switch (reasonCode) {
		case UNSUPPORTED_PROTOCOL_VERSION:
		case CLIENT_IDENTIFIER_NOT_VALID:
		case BAD_USER_NAME_OR_PASSWORD:
		case NOT_AUTHORIZED:
		case BANNED:
		case BAD_AUTHENTICATION_METHOD:
		case TOPIC_NAME_INVALID:
		case PAYLOAD_FORMAT_INVALID:
		case RETAIN_NOT_SUPPORTED:
		case QOS_NOT_SUPPORTED:
		case USE_ANOTHER_SERVER:
		case SERVER_MOVED:
		// Another client uses the same identifier.
		case SESSION_TAKEN_OVER:
			return "configuration";
		case SERVER_UNAVAILABLE:
		case SERVER_BUSY:
		case SERVER_SHUTTING_DOWN:
		case RECEIVE_MAXIMUM_EXCEEDED:
		case PACKET_TOO_LARGE:
		case MESSAGE_RATE_TOO_HIGH:
		case QUOTA_EXCEEDED:
		case CONNECTION_RATE_EXCEEDED:
		case MAXIMUM_CONNECT_TIME:
		case ADMINISTRATIVE_ACTION:
			return "resource";
		default:
			return "peer";
	}
}

/** Error for a CONNACK that refuses the connection, or for the broker's DISCONNECT. */
export function refusalError(context: string, packet: Packet): ClientError {
	const { reasonCode, properties } = packet;
	const reasonString = propertyText(properties, REASON_STRING);
	const serverReference = propertyText(properties, SERVER_REFERENCE);
	let message = `${context}: ${reasonName(reasonCode)}`;
	if (reasonString !== undefined) message += ` (${reasonString})`;
	if (serverReference !== undefined) message += `, see ${serverReference}`;
	return new ClientError(faultOf(reasonCode), message, { reasonCode, serverReference });
}

/**
 * Error for a protocol violation by the broker (§4.13). MQTT 3.1.1 gives a client no means to announce a
 * receive maximum, so exceeding it is not a violation there.
 */
export function violationError(reasonCode: ReasonCode, message: string, version: Version): ClientError {
	const fault = reasonCode === RECEIVE_MAXIMUM_EXCEEDED && version === 4 ? "resource" : "peer";
	return new ClientError(fault, message, { reasonCode });
}

export function timeoutError(
	fault: ClientFault,
	problem: string,
	timeoutMs: number,
	detail?: ClientErrorDetail,
): ClientError {
	return new ClientError(fault, `${problem} within ${timeoutMs} ms`, detail);
}

function propertyText(properties: PropertyReader, id: number): string | undefined {
	return properties.find(id) ? decodeUTF8(properties.bytes, properties.start, properties.end) : undefined;
}
