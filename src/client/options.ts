import type { Device } from "../device";
import type { ReasonCode } from "../mqtt/constants";
import type { Packet } from "../mqtt/packet";
import type { PropertyReader } from "../mqtt/property-reader";
import type { CachedLimits } from "../session/negotiated";
import type { ClientError } from "./errors";
import type { ServerAddress } from "./server-reference";

/** Name and value. */
export type UserProperty = readonly [name: string, value: string];

/** The message that the broker publishes when the client is lost. All else concerns MQTT 5.0 (§3.1.3.2). */
export interface WillOptions {
	readonly topic: string;
	readonly payload: string | Uint8Array;
	readonly qos: 0 | 1 | 2;
	readonly retain: boolean;
	/** Seconds that the broker waits before it publishes the will. */
	readonly delay: number;
	/** The payload is UTF-8 text. */
	readonly payloadFormatIndicator?: boolean;
	/** Seconds. */
	readonly messageExpiry?: number;
	readonly contentType?: string;
	readonly responseTopic?: string;
	readonly correlationData?: Uint8Array;
	readonly userProperties?: readonly UserProperty[];
}

/** Timeouts are in ms. */
export interface ClientOptions {
	/** Name or address. */
	readonly host: string;
	/** 1 … 65535. */
	readonly port: number;
	/** MQTT 3.1.1 is 4, MQTT 5.0 is 5 (the protocol version byte of CONNECT). */
	readonly version: 4 | 5;
	/** Seconds, 0 … 65535; 0 disables keep alive. */
	readonly keepAlive: number;
	/** Whether packets leave before CONNACK, unless `open()` says otherwise; "auto" means yes. */
	readonly pipeline: "auto" | boolean;
	readonly clientId: string;
	readonly username?: string;
	readonly password?: string | Uint8Array;
	readonly cleanStart: boolean;
	/** Seconds that the broker keeps the session after the connection has ended, 0 … 2^32 − 1 (no expiry). */
	readonly sessionExpiry: number;
	readonly will?: WillOptions;
	/** From the start of the TCP connection to CONNACK. */
	readonly connectTimeout: number;
	/** For PUBACK, PUBREC, PUBCOMP, SUBACK and UNSUBACK. */
	readonly acknowledgeTimeout: number;
	/** For PINGRESP. */
	readonly pingTimeout: number;
	/** Bytes; the largest packet. */
	readonly sendBuffer: number;
	/** Bytes; the largest packet, except for streamed payloads. */
	readonly receiveBuffer: number;
	/** Maximum number of QoS 1 and 2 messages, SUBSCRIBEs and UNSUBSCRIBEs sent and not yet acknowledged. */
	readonly inFlight: number;
	// Optional, MQTT 5.0 only
	/** Maximum number of QoS 1 and 2 messages in flight from the broker, 1 … 65535; 16 by default. */
	readonly receiveMaximum?: number;
	/** Bytes; the broker sends no larger packet. No limit by default, as payloads are streamed. */
	readonly maximumPacketSize?: number;
	/**
	 * Topics that the client remembers for topic aliases (§3.3.2.3.4), 0 … 255; 0, the default, for none. The
	 * second message on a topic gives it an alias, later ones have the alias in its place, as far as the
	 * broker's Topic Alias Maximum allows; other topics are sent in full.
	 */
	readonly topicAliases?: number;
	/** Bytes of the longest topic with an alias, 7 … 255; 64 by default. Each alias takes two more. */
	readonly aliasedTopicBytes?: number;
	readonly requestResponseInformation?: boolean;
	readonly requestProblemInformation?: boolean;
	readonly userProperties?: readonly UserProperty[];
	/**
	 * Name of the method of an enhanced authentication (§4.12). What it exchanges besides CONNECT and CONNACK
	 * is up to the application: `onAuth` and `authenticate()`. No other packet leaves before CONNACK.
	 */
	readonly authenticationMethod?: string;
	readonly authenticationData?: Uint8Array;
	/**
	 * For an application that passes deliveries on to another party: PUBREL is sent only by `release()`, once
	 * `onReceived` was called, and PUBCOMP only by `complete()`, once `onReleased` was. By default the client
	 * sends both itself.
	 */
	readonly manualRelease?: boolean;
}

/** Options of a single connection. */
export interface OpenOptions {
	/** Whether packets leave before CONNACK; as configured by default, where "auto" means yes. */
	readonly pipeline?: boolean;
	/** By default those of the last CONNACK that this client received. */
	readonly limits?: CachedLimits;
	/** Whether the broker discards the session that it may have; as configured by default. */
	readonly cleanStart?: boolean;
	/**
	 * Where this connection leads, by default to `host` and `port` of the options: a server that the broker
	 * refers to, see `serverAddresses(error.serverReference, …)`. The client follows no reference by itself.
	 */
	readonly server?: ServerAddress;
	/**
	 * MQTT 3.1.1 only: CONNECT says by protocol level 0x84 that the client is a bridge, as mosquitto's does
	 * with `try_private`. A broker that knows it sends the client nothing that it has published, and RETAIN as
	 * published; others refuse the connection with 0x84, or close it without CONNACK.
	 */
	readonly isBridge?: boolean;
}

/**
 * Callbacks of the client. They may call every method of the client; no callback runs inside a method of the
 * client. An exception in a handler ends the connection and is reported as `onClosed(error)`, with the
 * exception as its `cause`.
 */
export interface ClientHandler {
	/**
	 * CONNACK accepted the connection. Where `isSubscribed` of the client is false, the session may lack the
	 * subscriptions of earlier connections.
	 * @param properties of CONNACK, such as user properties; valid only during the call, empty in MQTT 3.1.1
	 */
	onOpen(sessionPresent: boolean, properties: PropertyReader): void;
	/**
	 * `publish()` may succeed. First called as soon as packets may leave (with pipelining when TCP is
	 * established, otherwise after CONNACK), later each time that `publish()`, `subscribe()` or
	 * `unsubscribe()` may succeed again after BUSY. Messages published inside leave together.
	 */
	onWritable(): void;
	/**
	 * The broker has taken a message: PUBACK (QoS 1) or PUBCOMP (QoS 2) arrived; or it has rejected it, with a
	 * reason code of 0x80 or above in PUBACK or PUBREC. A PUBCOMP always counts as success.
	 * @param tag with which it was published; 0: none, or it was removed
	 */
	onAcknowledged(packetId: number, reasonCode: ReasonCode, tag: number): void;
	/**
	 * PUBREC arrived for a QoS 2 message: it must not be published again, but released
	 * (`Client.release`) on the next connection of this session, if this one ends before `onAcknowledged`.
	 * PUBREL has not left yet. With `manualRelease` it leaves by `release()`, which the application must call
	 * on this connection.
	 * @param tag with which it was published; 0: none, or it was removed
	 */
	onReceived?(packetId: number, tag: number): void;
	/**
	 * SUBACK arrived for `packet.packetId`: `packet.nextReason()` moves through the results, one for each topic
	 * filter in the order of `subscribe()`. `packet.reasonCode` is the granted QoS, or 0x80 or above: refused.
	 * Valid only during the call.
	 */
	onSubscribed?(packet: Packet): void;
	/**
	 * UNSUBACK arrived for `packet.packetId`; results as above, 0x11 for a filter that had no subscription. In
	 * MQTT 3.1.1 there are none: all filters are gone.
	 */
	onUnsubscribed?(packet: Packet): void;
	/**
	 * PUBREL arrived for a QoS 2 message of the broker, which will not repeat it; PUBCOMP is the answer. With
	 * `manualRelease` it leaves by `complete()`.
	 */
	onReleased?(packetId: number): void;
	/**
	 * AUTH arrived (§4.12): with `packet.reasonCode` 0x18 the broker waits for `authenticate()`, inside the
	 * call or later; with 0 a re-authentication is complete. `packet.properties` may have Authentication Data;
	 * so may those of `onOpen`. Valid only during the call. Without this callback an AUTH ends the connection.
	 */
	onAuth?(packet: Packet): void;
	/** PINGRESP arrived. */
	onPingresp?(): void;
	/**
	 * The connection has ended; called once for each `open()`. `undefined`: it ended as requested by `close()`
	 * or `abort()`.
	 *
	 * After `close()` on an established connection, `undefined` also means: CONNACK accepted the connection,
	 * and all staged packets, DISCONNECT included, have left. A QoS 0 report therefore counts as sent if and
	 * only if `onOpen` and, after a `close()`, `onClosed(undefined)` were called; this takes two round trips if
	 * `close()` is called inside the first `onWritable`. If an acknowledgement is missing, the broker has
	 * closed the connection.
	 */
	onClosed(error: ClientError | undefined): void;
	/** Header of a message from the broker. Valid only during the call. */
	onMessage?(packet: Packet): void;
	/**
	 * Payload of that message: bytes [start, end), in one piece if the packet fits `receiveBuffer`, otherwise
	 * in several. The message is acknowledged after the last piece.
	 */
	onPayload?(bytes: Uint8Array, start: number, end: number, last: boolean): void;
}

/** The parts of a device that a client uses. */
export type ClientDevice = Pick<Device, "tcp" | "timer" | "time" | "resolve"> &
	Partial<Pick<Device, "trace">>;

/** `connecting` lasts until TCP is established, `handshake` until CONNACK, `closing` until `onClosed`. */
export type ClientState = "closed" | "connecting" | "handshake" | "open" | "closing";
