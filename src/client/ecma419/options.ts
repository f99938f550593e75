import type { TCPConstructor } from "../../device";

/** Bytes as ECMA-419 takes them: an array buffer, or a view of one whose elements are bytes. */
export type ByteBuffer = ArrayBufferLike | Uint8Array | Int8Array | Uint8ClampedArray | DataView;

export interface Will {
	readonly topic: string;
	readonly message: string | ByteBuffer;
	readonly QoS?: number;
	/** The SDK's programs pass 0 and 1 as well. */
	readonly retain?: boolean | number;
}

/** A resolver of host names (ECMA-419 §18). */
export interface Resolver {
	/**
	 * ECMA-419 calls `callback`, the SDK `onResolved` or `onError`: a resolver calls whichever it knows, once.
	 */
	resolve(options: ResolveOptions, callback: ResolveCallback): void;
	close?(): void;
}

export type ResolveCallback = (error: unknown, address?: string) => void;

export interface ResolveOptions {
	readonly host: string;
	onResolved(host: string, address: string): void;
	onError(): void;
}

/** Constructor options of a resolver; `io` is its class. */
export interface ResolverOptions {
	readonly io: new (options: ResolverOptions) => Resolver;
	readonly [option: string]: unknown;
}

/** Constructor options of a TCP or TLS socket; `io` is its class. */
export interface SocketOptions {
	readonly io: TCPConstructor;
	readonly [option: string]: unknown;
}

/** Describes the bytes that `read` gives. */
export interface ReadableOptions {
	/** Whether more bytes of this message follow in another `onReadable`. */
	readonly more: boolean;
	// With the first bytes of a message only
	readonly topic?: string;
	readonly QoS?: number;
	/** Bytes of the whole payload. */
	readonly byteLength?: number;
}

/** A control packet of the broker. */
export interface ControlMessage {
	/** One of the constants of the class, such as `MQTTClient.SUBACK`. */
	readonly operation: number;
	/** Packet identifier; absent for CONNACK and PINGRESP. */
	readonly id?: number;
	/** SUBACK: for each filter the granted QoS, or 128: refused. */
	readonly payload?: readonly number[];
	/** CONNACK: the broker kept this client's session. Not part of ECMA-419. */
	readonly sessionPresent?: boolean;
}

/** What `this` is in the callbacks. */
export interface MQTTConnection {
	target: unknown;
	format: "buffer";
	read(target?: number): ArrayBuffer | undefined;
	read(target: ByteBuffer): number | undefined;
	write(data: ByteBuffer | null | undefined, options?: WriteOptions | null): number;
	close(): void;
}

/** ECMA-419 §25, and the sizes of the fixed buffers. */
export interface MQTTClientOptions {
	readonly socket: SocketOptions;
	readonly dns: ResolverOptions;
	/** Name or IPv4 address. */
	readonly host: string;
	/** 1883 by default. */
	readonly port?: number;
	/** Client identifier; empty by default, which needs `clean`. */
	readonly id?: string;
	readonly user?: string | null;
	readonly password?: string | ByteBuffer | null;
	/** ms, rounded up to seconds; at most 65,535,000. 0, the default: none. */
	readonly keepAlive?: number;
	/** As `keepAlive`, which takes precedence: an earlier name that the SDK's programs use. */
	readonly keepalive?: number;
	/** Whether the broker starts a new session; true by default. */
	readonly clean?: boolean;
	readonly will?: Will | null;
	/** Any value; the property of the same name. */
	readonly target?: unknown;
	/** "buffer", the only one there is. */
	readonly format?: "buffer";
	/** Bytes of a message are ready to be read. Nothing else is received until they are. */
	readonly onReadable?: (this: MQTTConnection, count: number, options: ReadableOptions) => void;
	/** `count` bytes may be written: after CONNACK, and again after each `write`. */
	readonly onWritable?: (this: MQTTConnection, count: number) => void;
	/**
	 * A control packet arrived. ECMA-419 passes its type and the message, the SDK the message alone: which of
	 * the two a function gets follows from its number of parameters, and the type of the first allows both.
	 */
	readonly onControl?: (
		this: MQTTConnection,
		first: number & ControlMessage,
		message: ControlMessage,
	) => void;
	/** The connection ended after DISCONNECT was written; without it `onError` is called. */
	readonly onClose?: (this: MQTTConnection) => void;
	/** The connection failed or was ended by the broker; nothing is called afterwards. */
	readonly onError?: (this: MQTTConnection, error?: Error) => void;
	// Not part of ECMA-419
	/** Bytes; the largest packet, except for a PUBLISH in pieces. 1536 by default. */
	readonly sendBuffer?: number;
	/** Bytes; the largest packet that comes in one piece. 512 by default. */
	readonly receiveBuffer?: number;
	/** Messages of QoS 1 and 2 and requests without an answer; 16 by default. */
	readonly inFlight?: number;
}

/** Filter of SUBSCRIBE or UNSUBSCRIBE. */
export interface Item {
	/** Text, or its bytes in UTF-8, as the SDK's module `mqtt` passes it. */
	readonly topic: string | ByteBuffer;
	/** Of SUBSCRIBE; 0 by default. */
	readonly QoS?: number;
}

/** What `write` sends. */
export interface WriteOptions {
	/** PUBLISH by default; otherwise SUBSCRIBE, UNSUBSCRIBE, PUBREL, PINGREQ or DISCONNECT. */
	readonly operation?: number;
	/** Packet identifier, 1 … 65535; by default one that is not in use. */
	readonly id?: number;
	/** Text, or its bytes in UTF-8. */
	readonly topic?: string | ByteBuffer;
	/** 0 by default. */
	readonly QoS?: number;
	readonly retain?: boolean | number;
	/** The message was sent on an earlier connection of this session; needs `id`. */
	readonly duplicate?: boolean | number;
	/** Bytes of the whole payload, where the rest follows in further writes. */
	readonly byteLength?: number;
	readonly items?: readonly Item[];
}
