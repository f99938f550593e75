import { generate, type Packet } from "mqtt-packet";
import { frame, request } from "../../websocket/support/frames";

type Fields = Record<string, unknown>;

/** A conversation with every type of packet that a client sends. */
function allPackets(version: 4 | 5): Fields[] {
	const isV5 = version === 5;
	const properties = (more: Fields) => (isV5 ? { properties: more } : {});
	const will = {
		topic: "fuzz/will",
		payload: Buffer.from("gone"),
		qos: 2,
		retain: true,
		...properties({ willDelayInterval: 3, contentType: "t" }),
	};
	const persistent = {
		clean: false,
		...properties({
			sessionExpiryInterval: 20,
			topicAliasMaximum: 3,
			receiveMaximum: 3,
			requestResponseInformation: true,
		}),
	};
	const publish = { cmd: "publish", topic: "fuzz/a", payload: "12345", retain: true, dup: false };
	return [
		{
			cmd: "connect",
			clientId: "fuzz",
			keepalive: 10,
			username: "u",
			password: Buffer.from("p"),
			will,
			...persistent,
		},
		{
			cmd: "subscribe",
			messageId: 1,
			subscriptions: [
				{ topic: "fuzz/#", qos: 2, rap: true },
				{ topic: isV5 ? "$share/g/fuzz/+" : "fuzz/+", qos: 1 },
				{ topic: isV5 ? "$SYS/broker/errors" : "fuzz/a/$SYS", qos: 1, rh: 1 },
			],
			...properties({ subscriptionIdentifier: 5 }),
		},
		{
			...publish,
			qos: 0,
			...properties({ messageExpiryInterval: 9, topicAlias: 1, userProperties: { k: "v" } }),
		},
		{
			...publish,
			qos: 1,
			messageId: 2,
			...properties({ topicAlias: 2, responseTopic: "r", correlationData: Buffer.from("c") }),
		},
		{ ...publish, topic: "fuzz/b/c", qos: 2, messageId: 3 },
		{ cmd: "puback", messageId: 1 },
		{ cmd: "pubrec", messageId: 2 },
		{ cmd: "pubcomp", messageId: 2 },
		{ cmd: "pubrel", messageId: 3 },
		{ cmd: "pingreq" },
		{ cmd: "unsubscribe", messageId: 4, unsubscriptions: ["fuzz/#"] },
		{ cmd: "disconnect", ...(isV5 ? { reasonCode: 4, properties: { sessionExpiryInterval: 5 } } : {}) },
	];
}

/** A sensor that publishes short and long reports and disconnects. */
function sensorPackets(version: 4 | 5): Fields[] {
	const publish = { cmd: "publish", topic: "fuzz/node-7/climate", qos: 1, retain: true, dup: false };
	return [
		{
			cmd: "connect",
			clientId: "",
			clean: true,
			keepalive: 60,
			...(version === 5 ? { properties: { topicAliasMaximum: 0 } } : {}),
		},
		{ ...publish, messageId: 1, payload: '{"temperature":21.5,"humidity":48}' },
		{ ...publish, messageId: 2, dup: true, payload: "0123456789".repeat(20) },
		{ ...publish, messageId: 0xffff, topic: "fuzz/node-7/status", payload: "" },
		{ cmd: "disconnect" },
	];
}

/** A panel with many subscriptions that accepts small packets only. */
function panelPackets(version: 4 | 5): Fields[] {
	const topics = [
		"fuzz/+/climate",
		"+/b/#",
		version === 5 ? "fuzz/a" : "$SYS/#",
		"other/very/deep/topic/filter/with/levels/#",
	];
	return [
		{
			cmd: "connect",
			clientId: "panel",
			clean: false,
			keepalive: 0,
			...(version === 5 ? { properties: { sessionExpiryInterval: 60, maximumPacketSize: 90 } } : {}),
		},
		{
			cmd: "subscribe",
			messageId: 9,
			subscriptions: topics.map((topic, i) => ({ topic, qos: i % 3, nl: i === 1, rh: i % 3 })),
		},
		{ cmd: "publish", topic: "fuzz/b/set", payload: "on", qos: 2, messageId: 10, retain: false, dup: false },
		{
			cmd: "pubrec",
			messageId: 1,
			...(version === 5 ? { reasonCode: 0x80, properties: { reasonString: "no" } } : {}),
		},
		{ cmd: "pubrel", messageId: 10 },
		{ cmd: "unsubscribe", messageId: 11, unsubscriptions: topics.slice(0, 2) },
		{ cmd: "pingreq" },
	];
}

const browserFields = {
	Origin: "http://192.168.1.10:8080",
	"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)",
	"Cache-Control": "no-cache",
	"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
};
const pageFields = {
	Upgrade: undefined,
	Connection: "keep-alive",
	"Sec-WebSocket-Key": undefined,
	"Sec-WebSocket-Version": undefined,
	"Sec-WebSocket-Protocol": undefined,
};

/** Recorded conversation: the packets of the client, or its HTTP request. */
export interface Conversation {
	readonly http: boolean;
	readonly packets: readonly Uint8Array[];
}

export interface Recordings {
	readonly conversations: readonly Conversation[];
	readonly requests: readonly Conversation[];
	/** Upgrade requests that begin a conversation over WebSocket. */
	readonly upgrades: readonly Uint8Array[];
	/** A CONNECT that is longer than all others, mutated or not. */
	readonly longestConnect: Uint8Array;
}

export function recordings(): Recordings {
	const conversations: Conversation[] = [];
	for (const version of [4, 5] as const) {
		for (const createPackets of [allPackets, sensorPackets, panelPackets]) {
			const packets = createPackets(version).map((fields) => {
				const packet =
					fields.cmd === "connect" ? { protocolId: "MQTT", protocolVersion: version, ...fields } : fields;
				return generate(packet as unknown as Packet, { protocolVersion: version });
			});
			conversations.push({ http: false, packets });
		}
	}
	const upgrades = [request({}, "GET /mqtt HTTP/1.1"), request(browserFields)];
	const requests = upgrades.map((upgrade) => ({
		http: true,
		packets: [upgrade, frame(2, conversations[0]!.packets[0]!, { mask: Buffer.of(1, 2, 3, 4) })],
	}));
	requests.push({
		http: true,
		packets: [request({ ...pageFields, Authorization: "Basic dTpw" }, "GET /?live HTTP/1.1")],
	});
	requests.push({ http: true, packets: [request({ ...pageFields, Accept: "text/html" })] });
	const connect = {
		cmd: "connect",
		protocolId: "MQTT",
		protocolVersion: 4,
		clientId: "long",
		username: "u",
		password: Buffer.alloc(440),
		clean: true,
	};
	return { conversations, requests, upgrades, longestConnect: generate(connect as unknown as Packet) };
}
