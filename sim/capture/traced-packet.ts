import type { ReasonCode } from "../../src/mqtt/constants";
/** The end of a connection that sent a packet. */
export type Sender = "client" | "broker";

/** The names of the control packets (Table 2-1), from type 1 to 15. */
export const PACKET_TYPE_NAMES = [
	"CONNECT",
	"CONNACK",
	"PUBLISH",
	"PUBACK",
	"PUBREC",
	"PUBREL",
	"PUBCOMP",
	"SUBSCRIBE",
	"SUBACK",
	"UNSUBSCRIBE",
	"UNSUBACK",
	"PINGREQ",
	"PINGRESP",
	"DISCONNECT",
	"AUTH",
] as const;

/** The name of a control packet, or of what is none. */
export type PacketName =
	| (typeof PACKET_TYPE_NAMES)[number]
	/** A request, or a response without its content. */
	| "HTTP"
	/** A control frame (RFC 6455 §5.5). */
	| "WebSocket"
	/** A packet that violates the protocol, or no MQTT at all. */
	| "malformed"
	/** Bytes after a malformed packet. */
	| "undecoded";

/**
 * A packet decoded for people and scripts. A field is absent if the packet has none, and passwords and
 * authentication data are absent but for their size.
 */
export interface TracedPacket {
	readonly sender: Sender;
	readonly packet: PacketName;
	/** The client identifier of the connection, after its CONNECT. */
	readonly clientId?: string;
	/** Bytes of the whole packet. */
	readonly size: number;
	/** The packet identifier. */
	readonly packetId?: number;
	/** CONNACK, DISCONNECT, AUTH, and acknowledgements unless it is 0. */
	readonly reasonCode?: ReasonCode;
	/** SUBACK and UNSUBACK. */
	readonly reasonCodes?: readonly ReasonCode[];
	/** CONNACK. */
	readonly sessionPresent?: boolean;
	readonly connect?: TracedConnect;
	/** PUBLISH. */
	readonly dup?: boolean;
	readonly message?: TracedMessage;
	/** SUBSCRIBE and UNSUBSCRIBE. */
	readonly filters?: readonly TracedFilter[];
	readonly properties?: TracedProperties;
	/** What is wrong; the method and path, or the status, of HTTP; the kind of a control frame. */
	readonly text?: string;
	/** The first bytes of what is not decoded, hexadecimal after `0x`. */
	readonly bytes?: string;
}

export interface TracedConnect {
	readonly version: "3.1.1" | "5.0";
	readonly clientId: string;
	readonly cleanStart: boolean;
	/** Seconds. */
	readonly keepAlive: number;
	readonly username?: string;
	/** The size of the password in bytes. */
	readonly passwordSize?: number;
	readonly will?: TracedMessage;
}

export interface TracedMessage {
	readonly qos: number;
	readonly retain: boolean;
	/** Empty if a topic alias replaces it. */
	readonly topic: string;
	/** The start of the payload as text, if that is UTF-8. */
	readonly payload?: string;
	/** Otherwise its first bytes, hexadecimal after `0x`. */
	readonly payloadHex?: string;
	/** Bytes of the whole payload. */
	readonly payloadSize: number;
	/** Properties of a will. */
	readonly properties?: TracedProperties;
}

export interface TracedFilter {
	readonly filter: string;
	/** SUBSCRIBE: the maximum QoS, and the options of MQTT 5.0 that differ from their default. */
	readonly qos?: number;
	readonly noLocal?: true;
	readonly retainAsPublished?: true;
	readonly retainHandling?: number;
}

/** Properties of MQTT 5.0 by name, in the order of the packet; those that occur repeatedly are arrays. */
export type TracedProperties = Readonly<Record<string, TracedValue | readonly TracedValue[]>>;

export type TracedValue = string | number;
