import type { Packet } from "mqtt-packet";
import type { ReasonCode, Version } from "../../src/mqtt/constants";
import type { PlainPacket, Properties, Property } from "./plain-packet";

/** mqtt-packet's names of the properties, and their value types. */
const PROPERTIES: Record<number, readonly [name: string, kind: "boolean" | "number" | "string" | "binary"]> =
	{
		1: ["payloadFormatIndicator", "boolean"],
		2: ["messageExpiryInterval", "number"],
		3: ["contentType", "string"],
		8: ["responseTopic", "string"],
		9: ["correlationData", "binary"],
		11: ["subscriptionIdentifier", "number"],
		17: ["sessionExpiryInterval", "number"],
		18: ["assignedClientIdentifier", "string"],
		19: ["serverKeepAlive", "number"],
		21: ["authenticationMethod", "string"],
		22: ["authenticationData", "binary"],
		23: ["requestProblemInformation", "boolean"],
		24: ["willDelayInterval", "number"],
		25: ["requestResponseInformation", "boolean"],
		26: ["responseInformation", "string"],
		28: ["serverReference", "string"],
		31: ["reasonString", "string"],
		33: ["receiveMaximum", "number"],
		34: ["topicAliasMaximum", "number"],
		35: ["topicAlias", "number"],
		36: ["maximumQoS", "number"],
		37: ["retainAvailable", "boolean"],
		39: ["maximumPacketSize", "number"],
		40: ["wildcardSubscriptionAvailable", "boolean"],
		41: ["subscriptionIdentifiersAvailable", "boolean"],
		42: ["sharedSubscriptionAvailable", "boolean"],
	};

/** Union of the fields of mqtt-packet's objects. */
type OraclePacket = Record<string, unknown>;

function string(bytes: string): string {
	return Buffer.from(bytes, "latin1").toString("utf8");
}

function binary(bytes: string): Buffer {
	return Buffer.from(bytes, "latin1");
}

function bytes(value: unknown): string {
	return (typeof value === "string" ? Buffer.from(value, "utf8") : (value as Buffer)).toString("latin1");
}

function toProperties(list: Properties): OraclePacket {
	const result: OraclePacket = {};
	const users: Record<string, string[]> = Object.create(null);
	for (const [id, value, pairValue] of list) {
		if (id === 0x26) {
			const name = string(value as string);
			users[name] ??= [];
			users[name].push(string(pairValue as string));
			continue;
		}
		const [name, kind] = PROPERTIES[id] as (typeof PROPERTIES)[number];
		if (kind === "boolean") result[name] = value === 1;
		else if (kind === "string") result[name] = string(value as string);
		else if (kind === "binary") result[name] = binary(value as string);
		else if (id === 11 && result[name] !== undefined) result[name] = [result[name], value].flat();
		else result[name] = value;
	}
	if (Object.keys(users).length > 0) result.userProperties = users;
	return result;
}

function fromProperties(oraclePacket: unknown): Properties {
	const result: Property[] = [];
	for (const [name, value] of Object.entries((oraclePacket ?? {}) as OraclePacket)) {
		if (name === "userProperties") {
			for (const [name, values] of Object.entries(value as OraclePacket))
				for (const value of [values].flat()) result.push([0x26, bytes(name), bytes(value)]);
			continue;
		}
		const entry = Object.entries(PROPERTIES).find(([, [known]]) => known === name);
		if (entry === undefined) throw new Error(`property ${name}`);
		const [id, [, kind]] = entry;
		for (const one of [value].flat())
			result.push([
				Number(id),
				kind === "boolean" ? Number(one) : kind === "number" ? (one as number) : bytes(one),
			]);
	}
	return result;
}

/** Converts a packet to mqtt-packet's form. */
export function toOracle(packet: PlainPacket, version: Version): Packet {
	const oraclePacket: OraclePacket = { cmd: packet.type.toLowerCase() };
	if ("packetId" in packet) oraclePacket.messageId = packet.packetId;
	if ("properties" in packet && version === 5) oraclePacket.properties = toProperties(packet.properties);
	switch (packet.type) {
		case "CONNECT": {
			const { will, username, password } = packet;
			Object.assign(oraclePacket, {
				protocolVersion: version,
				clientId: string(packet.clientId),
				clean: packet.cleanStart,
				keepalive: packet.keepAlive,
			});
			if (username !== undefined) oraclePacket.username = string(username);
			if (password !== undefined) oraclePacket.password = binary(password);
			if (will)
				oraclePacket.will = {
					topic: string(will.topic),
					payload: binary(will.payload),
					qos: will.qos,
					retain: will.retain,
					properties: version === 5 ? toProperties(will.properties) : undefined,
				};
			break;
		}
		case "CONNACK":
			oraclePacket.sessionPresent = packet.sessionPresent;
			oraclePacket[version === 5 ? "reasonCode" : "returnCode"] =
				version === 5 ? packet.reasonCode : RETURN_CODES.indexOf(packet.reasonCode);
			break;
		case "PUBLISH":
			Object.assign(oraclePacket, {
				topic: string(packet.topic),
				payload: binary(packet.payload),
				qos: (packet.flags >> 1) & 3,
				dup: (packet.flags & 8) !== 0,
				retain: (packet.flags & 1) !== 0,
			});
			break;
		case "SUBSCRIBE":
			oraclePacket.subscriptions = packet.subscriptions.map(({ filter, options }) => ({
				topic: string(filter),
				qos: options & 3,
				nl: (options & 4) !== 0,
				rap: (options & 8) !== 0,
				rh: options >> 4,
			}));
			break;
		case "UNSUBSCRIBE":
			oraclePacket.unsubscriptions = packet.filters.map(string);
			break;
		case "SUBACK":
		case "UNSUBACK":
			oraclePacket.granted = packet.codes;
			break;
		case "PINGREQ":
		case "PINGRESP":
			break;
		default:
			oraclePacket.reasonCode = packet.reasonCode;
	}
	return oraclePacket as unknown as Packet;
}

const RETURN_CODES = [0, 0x84, 0x85, 0x88, 0x86, 0x87];

/** Converts a packet that mqtt-packet parsed. */
export function fromOracle(given: Packet, version: Version): PlainPacket {
	const oraclePacket = given as unknown as OraclePacket;
	const properties = fromProperties(oraclePacket.properties);
	const packetId = oraclePacket.messageId as number;
	const reasonCode = (oraclePacket.reasonCode as ReasonCode | undefined) ?? 0;
	switch (given.cmd) {
		case "connect": {
			const will = oraclePacket.will as OraclePacket | undefined;
			return {
				type: "CONNECT",
				clientId: bytes(oraclePacket.clientId),
				keepAlive: oraclePacket.keepalive as number,
				cleanStart: oraclePacket.clean as boolean,
				...(oraclePacket.username === undefined ? {} : { username: bytes(oraclePacket.username) }),
				...(oraclePacket.password === undefined ? {} : { password: bytes(oraclePacket.password) }),
				...(will
					? {
							will: {
								topic: bytes(will.topic),
								payload: bytes(will.payload),
								qos: will.qos as 0,
								retain: will.retain as boolean,
								properties: fromProperties(will.properties),
							},
						}
					: {}),
				properties,
			};
		}
		case "connack":
			return {
				type: "CONNACK",
				sessionPresent: oraclePacket.sessionPresent as boolean,
				reasonCode:
					version === 5 ? reasonCode : (RETURN_CODES[oraclePacket.returnCode as number] as ReasonCode),
				properties,
			};
		case "publish": {
			const qos = oraclePacket.qos as number;
			return {
				type: "PUBLISH",
				flags: (oraclePacket.dup ? 8 : 0) | (qos << 1) | (oraclePacket.retain ? 1 : 0),
				topic: bytes(oraclePacket.topic),
				packetId: qos > 0 ? packetId : 0,
				payload: bytes(oraclePacket.payload),
				properties,
			};
		}
		case "puback":
		case "pubrec":
		case "pubrel":
		case "pubcomp":
			return { type: given.cmd.toUpperCase() as "PUBACK", packetId, reasonCode, properties };
		case "subscribe":
			return {
				type: "SUBSCRIBE",
				packetId,
				subscriptions: given.subscriptions.map(({ topic, qos, nl, rap, rh }) => ({
					filter: bytes(topic),
					options: qos | (nl ? 4 : 0) | (rap ? 8 : 0) | ((rh ?? 0) << 4),
				})),
				properties,
			};
		case "unsubscribe":
			return { type: "UNSUBSCRIBE", packetId, filters: given.unsubscriptions.map(bytes), properties };
		case "suback":
		case "unsuback":
			return {
				type: given.cmd.toUpperCase() as "SUBACK",
				packetId,
				codes: (oraclePacket.granted as number[] | undefined) ?? [],
				properties,
			};
		case "pingreq":
		case "pingresp":
			return { type: given.cmd.toUpperCase() as "PINGREQ" };
		case "disconnect":
		case "auth":
			return { type: given.cmd.toUpperCase() as "AUTH", reasonCode, properties };
	}
}
