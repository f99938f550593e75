import { SUCCESS } from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import { REQUEST_RESPONSE_INFORMATION, SESSION_EXPIRY_INTERVAL } from "../../mqtt/properties";
import type { PropertyWriter } from "../../mqtt/property-writer";
import { hasWildcard } from "../../mqtt/topics";
import { utf8 } from "../../mqtt/utf8";
import { SLASH } from "../../text/ascii";
import type { Core } from "../core/core";
import type { PacketWriter } from "../delivery/packet-writer";
import type { Connection } from "../session/connection";

/** Longest user name and client identifier that are put into a response topic, together, bytes. */
const RESPONSE_IDENTIFIER_LIMIT = 40;

/**
 * Encodes a successful CONNACK. Optional properties that exceed the client's maximum packet size are
 * omitted.
 * @param assignedIdentifier the client identifier, if the broker has chosen it
 * @param keepAlive seconds, as the broker applies it
 * @returns false if the packet is too large nevertheless
 */
export function encodeConnack(
	core: Core,
	packetWriter: PacketWriter,
	connection: Connection,
	packet: Packet,
	assignedIdentifier: Uint8Array | undefined,
	sessionPresent: boolean,
	keepAlive: number,
): boolean {
	const { settings, sessions, queues, aliases } = core;
	const { session } = connection;
	const requested = packet.properties;
	const properties = packetWriter.properties
		.reset()
		.receiveMaximum(queues.incomingQos2.limit)
		.maximumPacketSize(settings.packetSize);
	if (!core.retainAvailable) properties.retainAvailable(false); // [MQTT-3.2.2-13]
	if (requested.find(SESSION_EXPIRY_INTERVAL) && requested.number !== sessions.expirySeconds(session))
		properties.sessionExpiryInterval(sessions.expirySeconds(session));
	if (assignedIdentifier !== undefined) properties.assignedClientIdentifier(assignedIdentifier); // [MQTT-3.2.2-16]
	if (keepAlive !== packet.keepAlive) properties.serverKeepAlive(keepAlive); // [MQTT-3.2.2-21]
	const room = connection.maximumPacketSize - 6; // fixed header, flags, code, property length
	if (properties.length + 3 <= room && aliases.grant(connection.index) !== 0)
		properties.topicAliasMaximum(aliases.granted(connection.index));
	const needed = properties.length;
	if (requested.find(REQUEST_RESPONSE_INFORMATION) && requested.number === 1) {
		const information = responseInformation(core, session); // [MQTT-3.1.2-28]
		if (needed + 3 + information.length <= room) properties.responseInformation(information);
	}
	if (core.bridge !== undefined)
		appendUserProperty(properties, utf8("firefly-bridge"), core.bridge.brokerName, room);
	if (sessionPresent) {
		appendCount(properties, "firefly-queued", queues.waiting(session), room);
		const lost = queues.lost(session);
		if (lost !== 0) appendCount(properties, "firefly-lost", lost, room);
	}
	// [MQTT-3.1.2-24] [MQTT-3.2.2-2] [MQTT-3.2.2-3]
	return (
		packetWriter.encoderFor(connection).connack(sessionPresent, SUCCESS, properties) <=
		connection.maximumPacketSize
	);
}

/**
 * Response topic of this client: `response/`, its user name if it has one, and its identifier, so that a
 * rule with `{user}` and `{id}` keeps out other users who choose the same identifier; `response` if that is
 * too long or has wildcards.
 */
function responseInformation({ sessions, memory, authorizer }: Core, session: number): Uint8Array {
	const { bytes, sendStart } = memory;
	const start = sessions.identifierStart(session);
	const end = sessions.identifierEnd(session);
	const prefix = utf8("response/");
	const user = sendStart + prefix.length;
	memory.reopenSendArea();
	let at = authorizer.writeUserName(session, bytes, user);
	if (at !== user) bytes[at++] = SLASH;
	if (end - start + at - user > RESPONSE_IDENTIFIER_LIMIT) return prefix.slice(0, 8);
	bytes.set(prefix, sendStart);
	bytes.copyWithin(at, start, end);
	at += end - start;
	return hasWildcard(bytes, user, at) ? prefix.slice(0, 8) : bytes.slice(sendStart, at);
}

/** Adds a user property with a number, unless that makes the properties longer than `room`. */
function appendCount(properties: PropertyWriter, key: string, count: number, room: number): void {
	appendUserProperty(properties, utf8(key), utf8(String(count)), room);
}

/** Adds a user property, unless that makes the properties longer than `room`, or than their writer. */
function appendUserProperty(
	properties: PropertyWriter,
	name: Uint8Array,
	value: Uint8Array,
	room: number,
): void {
	// [MQTT-3.2.2-20]
	const length = properties.length + 5 + name.length + value.length;
	if (length <= room && length <= properties.bytes.length) properties.userProperty(name, value);
}
