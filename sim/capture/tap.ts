/** Flags of a TCP segment (RFC 9293 §3.1). */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

/** An IP address and a TCP port. */
export interface Endpoint {
	readonly address: string;
	readonly port: number;
}

/** The two ends of a TCP connection. */
export interface Connection {
	/** The end that sent SYN. */
	readonly client: Endpoint;
	readonly server: Endpoint;
}

/** Receives what one end of a connection sends. */
export interface SegmentTap {
	/**
	 * The end sends a segment now.
	 * @param position of the first byte in the stream of this end, from 0; FIN comes after the last byte
	 * @param bytes valid during the call
	 * @param acknowledged bytes received from the other end, plus one for its FIN
	 * @param window bytes that the end can receive
	 */
	segment(flags: number, position: number, bytes: Uint8Array, acknowledged: number, window: number): void;
}

/** Receives what both ends of a connection send. */
export interface ConnectionTap {
	readonly client: SegmentTap;
	readonly server: SegmentTap;
}

/** Receives what passes over a network. */
export interface NetworkTap {
	/** A connection is about to be opened. Returns undefined if it is not captured. */
	connection(connection: Connection): ConnectionTap | undefined;
}
