import type { Version } from "../../../src/mqtt/constants";
import type { PlainPacket } from "../plain-packet";

/** Raw bytes and their meaning: a packet, or the reason code of the error. */
export interface GoldenRow {
	version: Version;
	from: "client" | "broker";
	name: string;
	/** Bytes in the notation of notation.ts. */
	bytes: string;
	packet?: PlainPacket;
	/** False if the encoder writes the packet differently. */
	canonical?: false;
	error?: number;
	/** Size of the decoder's buffer, bytes. */
	size?: number;
	maximumPacketSize?: number;
}

/** A row for a version and a sender: bytes of a valid packet. */
export function good(
	version: Version,
	from: "client" | "broker",
	name: string,
	bytes: string,
	packet: PlainPacket,
): GoldenRow {
	return { version, from, name, bytes, packet };
}

/** Like good(), but the encoder writes the packet differently. */
export function nonCanonical(
	version: Version,
	from: "client" | "broker",
	name: string,
	bytes: string,
	packet: PlainPacket,
): GoldenRow {
	return { version, from, name, bytes, packet, canonical: false };
}

/** Bytes that are rejected. */
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
