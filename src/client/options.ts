import type { BrokerSettings, WillSettings } from "../config/types";
import type { Device } from "../device";
import type { Packet } from "../mqtt/packet";
import type { ClientError } from "./errors";
import type { CachedLimits } from "./limits";

/** Name and value. */
export type UserProperty = readonly [name: string, value: string];

/** `BrokerSettings.will` and what else MQTT 5.0 knows about a will (§3.1.3.2). */
export interface WillOptions extends WillSettings {
	/** The payload is UTF-8 text. */
	readonly payloadFormatIndicator?: boolean;
	/** Seconds. */
	readonly messageExpiry?: number;
	readonly contentType?: string;
	readonly responseTopic?: string;
	readonly correlationData?: Uint8Array;
	readonly userProperties?: readonly UserProperty[];
}

/** `Settings.broker` serves as it is. The optional members concern MQTT 5.0 only. */
export interface ClientOptions extends BrokerSettings {
	readonly will?: WillOptions;
	/** QoS 1 and 2 messages that the broker may have under way to us, 1 … 65535; 16 by default. */
	readonly receiveMaximum?: number;
	/** Bytes; the broker sends no larger packet. By default it is told nothing: payloads are streamed. */
	readonly maximumPacketSize?: number;
	readonly requestResponseInformation?: boolean;
	readonly requestProblemInformation?: boolean;
	readonly userProperties?: readonly UserProperty[];
	/** For methods that are done with CONNECT and CONNACK; an AUTH from the broker ends the connection. */
	readonly authenticationMethod?: string;
	readonly authenticationData?: Uint8Array;
}

/** What a single connection does differently. */
export interface OpenOptions {
	/** Whether packets leave before CONNACK; by default as configured, where "auto" means yes. */
	readonly pipeline?: boolean;
	/** By default what the last CONNACK that this client saw said. */
	readonly limits?: CachedLimits;
}

/**
 * Called by the client. Every method of the client may be called from inside; none of these is called from
 * inside a method of the client. What a handler throws ends the connection and comes back as
 * `onClosed(error)`, with the exception as its `cause`.
 */
export interface ClientHandler {
	/** CONNACK arrived and said yes. */
	onOpen(sessionPresent: boolean): void;
	/**
	 * Room for `publish()`: the first time as soon as packets may leave (when TCP is up if pipelining, else
	 * after CONNACK), later each time that `publish()` may succeed again after BUSY. What is published inside
	 * leaves in one flight.
	 */
	onWritable(): void;
	/** PUBACK. A reason code from 0x80 on means that the broker did not take the message. */
	onAcknowledged(packetId: number, reasonCode: number): void;
	/**
	 * The connection is gone: once for each `open()`. `undefined`: it ended as asked for by `close()` or
	 * `abort()`.
	 *
	 * After `close()` on a connection that was up, `undefined` further means: CONNACK had said yes, everything
	 * had left, and, where a QoS 0 message was sent on this connection or an acknowledgement is missing, the
	 * broker has closed it, having read them. A QoS 0 report is thus delivered if and only if `onOpen` and then
	 * `onClosed(undefined)` came after a `close()`; it takes two round trips when `close()` is called inside
	 * the first `onWritable`.
	 */
	onClosed(error: ClientError | undefined): void;
	/** Header of a message from the broker. Valid only during the call. */
	onMessage?(packet: Packet): void;
	/**
	 * Payload of that message: bytes [start, end), in one piece where it fits `receiveBuffer`, else in several.
	 * It is acknowledged after the last.
	 */
	onPayload?(bytes: Uint8Array, start: number, end: number, last: boolean): void;
}

/** What a client needs of a device. */
export type ClientDevice = Pick<Device, "tcp" | "timer" | "time" | "resolve"> &
	Partial<Pick<Device, "trace">>;

/** `connecting` lasts until TCP is up, `handshake` until CONNACK, `closing` until `onClosed`. */
export type ClientState = "closed" | "connecting" | "handshake" | "open" | "closing";
