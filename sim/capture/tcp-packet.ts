import { isIPv6 } from "node:net";
import { type Connection, type Endpoint, SYN } from "./tap";

/** One TCP segment in an IP packet. */
export interface TCPSegment {
	readonly flags: number;
	/** Sequence and acknowledgement numbers, 32 bits. */
	readonly sequence: number;
	readonly acknowledgement: number;
	readonly window: number;
	readonly bytes: Uint8Array;
}

/** Maximum segment size: that of ESP-IDF's lwIP, bytes. */
export const MAXIMUM_SEGMENT_SIZE = 1440;

const IPV4_HEADER_SIZE = 20;
const IPV6_HEADER_SIZE = 40;
const TCP_HEADER_SIZE = 20;
/** Bytes of the option Maximum Segment Size (RFC 9293 §3.2). */
const MSS_OPTION_SIZE = 4;
const TCP_PROTOCOL = 6;
const TIME_TO_LIVE = 64;

/** Builds the IP packets (RFC 791, RFC 8200) of one direction of a TCP connection (RFC 9293). */
export class TCPPacketBuilder {
	readonly #from: Endpoint;
	readonly #to: Endpoint;
	readonly #source: Uint8Array;
	readonly #destination: Uint8Array;
	readonly #headerSize: number;
	#identification = 0;

	constructor({ client, server }: Connection, fromClient: boolean) {
		this.#from = fromClient ? client : server;
		this.#to = fromClient ? server : client;
		this.#source = parseAddress(this.#from.address);
		this.#destination = parseAddress(this.#to.address);
		this.#headerSize = this.#source.length === 4 ? IPV4_HEADER_SIZE : IPV6_HEADER_SIZE;
	}

	build(segment: TCPSegment): Uint8Array {
		const headerSize = this.#headerSize;
		const options = segment.flags & SYN ? MSS_OPTION_SIZE : 0;
		const packet = new Uint8Array(headerSize + TCP_HEADER_SIZE + options + segment.bytes.length);
		const view = new DataView(packet.buffer);
		if (headerSize === IPV4_HEADER_SIZE) this.#writeIPv4(packet, view);
		else this.#writeIPv6(packet, view);
		this.#writeTCP(packet, view, segment, options);
		return packet;
	}

	#writeIPv4(packet: Uint8Array, view: DataView): void {
		packet[0] = 0x45;
		view.setUint16(2, packet.length);
		view.setUint16(4, this.#identification++);
		packet[6] = 0x40; // Don't Fragment
		packet[8] = TIME_TO_LIVE;
		packet[9] = TCP_PROTOCOL;
		packet.set(this.#source, 12);
		packet.set(this.#destination, 16);
		view.setUint16(10, checksum(packet, 0, IPV4_HEADER_SIZE, 0));
	}

	#writeIPv6(packet: Uint8Array, view: DataView): void {
		packet[0] = 0x60;
		view.setUint16(4, packet.length - IPV6_HEADER_SIZE);
		packet[6] = TCP_PROTOCOL;
		packet[7] = TIME_TO_LIVE;
		packet.set(this.#source, 8);
		packet.set(this.#destination, 24);
	}

	#writeTCP(packet: Uint8Array, view: DataView, segment: TCPSegment, options: number): void {
		const at = this.#headerSize;
		const size = packet.length - at;
		view.setUint16(at, this.#from.port);
		view.setUint16(at + 2, this.#to.port);
		view.setUint32(at + 4, segment.sequence);
		view.setUint32(at + 8, segment.acknowledgement);
		packet[at + 12] = ((TCP_HEADER_SIZE + options) / 4) << 4;
		packet[at + 13] = segment.flags;
		view.setUint16(at + 14, segment.window);
		if (options > 0) view.setUint32(at + TCP_HEADER_SIZE, 0x0204_0000 | MAXIMUM_SEGMENT_SIZE);
		packet.set(segment.bytes, at + TCP_HEADER_SIZE + options);
		// The checksum covers a pseudo header: both addresses, the protocol and the size (RFC 9293 §3.1).
		let sum = TCP_PROTOCOL + size;
		for (const address of [this.#source, this.#destination])
			for (let i = 0; i < address.length; i += 2) sum += (address[i]! << 8) | address[i + 1]!;
		view.setUint16(at + 16, checksum(packet, at, packet.length, sum));
	}
}

/** The Internet checksum (RFC 1071) of [start, end), whose checksum field is zero. */
function checksum(bytes: Uint8Array, start: number, end: number, initial: number): number {
	let sum = initial;
	for (let i = start; i < end; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
	while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
	return ~sum & 0xffff;
}

/** The 4 bytes of an IPv4 address, or the 16 of an IPv6 address. */
function parseAddress(address: string): Uint8Array {
	if (!isIPv6(address)) return Uint8Array.from(address.split("."), Number);
	const [head = "", tail] = address.split("::");
	const first = groups(head);
	const last = tail === undefined ? [] : groups(tail);
	const words = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
	return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));
}

function groups(text: string): number[] {
	if (text === "") return [];
	return text.split(":").flatMap((group) => {
		if (!group.includes(".")) return [Number.parseInt(group, 16)];
		const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
		return [(a << 8) | b, (c << 8) | d];
	});
}
