import type { Version } from "../../../src/mqtt/constants";
import type { PlainPacket } from "../plain-packet";

/** Raw bytes and what they are: a packet, or the reason code for which they are refused. */
export interface GoldenRow {
	version: Version;
	from: "client" | "broker";
	name: string;
	/** See notation.ts. */
	bytes: string;
	packet?: PlainPacket;
	/** False where the encoder writes the packet in another way. */
	canonical?: false;
	error?: number;
	/** Bytes of the decoder's buffer. */
	size?: number;
	maximumPacketSize?: number;
}

/** A row in a version and from a side: bytes that are a packet. */
export function good(
	version: Version,
	from: "client" | "broker",
	name: string,
	bytes: string,
	packet: PlainPacket,
): GoldenRow {
	return { version, from, name, bytes, packet };
}

/** As good(), where the encoder writes the packet in another way. */
export function nonCanonical(
	version: Version,
	from: "client" | "broker",
	name: string,
	bytes: string,
	packet: PlainPacket,
): GoldenRow {
	return { version, from, name, bytes, packet, canonical: false };
}

/** Bytes that are refused. */
export function bad(
	version: Version,
	from: "client" | "broker",
	name: string,
	bytes: string,
	error: number,
	options: Partial<GoldenRow> = {},
): GoldenRow {
	return { version, from, name, bytes, error, ...options };
}
