import {
	AUTH,
	CONTINUE_AUTHENTICATION,
	type FailureCode,
	PROTOCOL_ERROR,
	RE_AUTHENTICATE,
	SUCCESS,
} from "../mqtt/constants";
import { reasonSize } from "../mqtt/encode/reason";
import type { Encoder } from "../mqtt/encoder";
import type { Packet } from "../mqtt/packet";
import { AUTHENTICATION_METHOD } from "../mqtt/properties";
import { PropertyWriter } from "../mqtt/property-writer";
import { utf8 } from "../mqtt/utf8";
import { packetSize } from "../mqtt/varint";
import { type ClientPhase, CONNECTED, isBeforeConnack } from "../session/client-phase";
import type { Negotiated } from "../session/negotiated";
import { CONNECT_DEADLINE, type Deadlines } from "./deadlines";
import type { ClientOptions } from "./options";

/*
 * Enhanced authentication (§4.12): CONNECT or an AUTH of the client, then any number of AUTHs of the broker
 * and the client in turn, until CONNACK, or AUTH with success. The method itself is the application's.
 */

/** Nothing is exchanged. */
export const NONE = 0;
/** The broker's AUTH has arrived: the client's is next. */
const TURN_OF_CLIENT = 1;
/** The client's AUTH has left: the broker's is next. */
const TURN_OF_BROKER = 2;
export type AuthenticationTurn = typeof NONE | typeof TURN_OF_CLIENT | typeof TURN_OF_BROKER;

/** Parts of a connection that this needs. */
export interface AuthenticatingConnection {
	readonly phase: ClientPhase;
	readonly encoder: Encoder;
	readonly negotiated: Negotiated;
	readonly deadlines: Deadlines;
	readonly reservedBytes: number;
	/** Undefined until the first AUTH of a connection. */
	authenticationTurn?: AuthenticationTurn | undefined;
	flush(): void;
}

/** AUTH of the broker has arrived. @returns 0, or the reason code with which the connection must end */
export function receiveAuth(
	connection: AuthenticatingConnection,
	method: string,
	packet: Packet,
): FailureCode | 0 {
	const { phase, authenticationTurn } = connection;
	const { reasonCode, properties } = packet;
	const beforeConnack = isBeforeConnack(phase);
	// CONNECT was the client's turn; afterwards it is the client that begins.
	const expected = authenticationTurn ?? (beforeConnack ? TURN_OF_BROKER : NONE);
	if (expected !== TURN_OF_BROKER || (beforeConnack && reasonCode === SUCCESS)) return PROTOCOL_ERROR;
	// [MQTT-4.12.0-5]
	if (properties.find(AUTHENTICATION_METHOD)) {
		const wanted = utf8(method);
		const { bytes, start, end } = properties;
		if (end - start !== wanted.length) return PROTOCOL_ERROR;
		for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return PROTOCOL_ERROR;
	}
	connection.authenticationTurn = reasonCode === SUCCESS ? NONE : TURN_OF_CLIENT;
	if (!beforeConnack) connection.deadlines.stop(CONNECT_DEADLINE);
	return 0;
}

/** See `Client.authenticate`. @returns false: there is no room now */
export function sendAuth(
	connection: AuthenticatingConnection,
	options: ClientOptions,
	data: Uint8Array | undefined,
): boolean {
	const { phase, encoder, negotiated, deadlines, authenticationTurn = NONE } = connection;
	const { authenticationMethod, acknowledgeTimeout, sendBuffer } = options;
	// [MQTT-4.12.0-7]
	if (authenticationMethod === undefined) throw new Error("authenticate() needs authenticationMethod");
	const answers = authenticationTurn === TURN_OF_CLIENT;
	if (!(phase === CONNECTED || (isBeforeConnack(phase) && answers)) || authenticationTurn === TURN_OF_BROKER)
		throw new Error("authenticate() answers AUTH, or follows CONNACK while no AUTH is awaited");
	const method = utf8(authenticationMethod);
	const properties = new PropertyWriter(6 + method.length + (data?.length ?? 0));
	properties.authenticationMethod(method); // [MQTT-4.12.1-1]
	if (data !== undefined) properties.authenticationData(data);
	const reasonCode = answers ? CONTINUE_AUTHENTICATION : RE_AUTHENTICATE; // [MQTT-4.12.0-3]
	const size = packetSize(reasonSize(AUTH, reasonCode, properties, negotiated.version));
	if (size > sendBuffer || size > negotiated.maximumPacketSize)
		throw new RangeError(`AUTH takes ${size} bytes, more than sendBuffer or the broker takes`);
	if (encoder.room < size + connection.reservedBytes) connection.flush();
	if (encoder.room < size + connection.reservedBytes) return false;
	encoder.auth(reasonCode, properties);
	connection.authenticationTurn = TURN_OF_BROKER;
	// Before CONNACK it is running.
	if (phase === CONNECTED) deadlines.start(CONNECT_DEADLINE, acknowledgeTimeout);
	return true;
}
