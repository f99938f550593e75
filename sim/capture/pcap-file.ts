import { closeSync, openSync, writeSync } from "node:fs";
import { ACK, type Connection, type ConnectionTap, FIN, PSH, type SegmentTap, SYN } from "./tap";
import { MAXIMUM_SEGMENT_SIZE, TCPPacketBuilder } from "./tcp-packet";

/** Bytes buffered before they are written. */
const BUFFER_SIZE = 65_536;
const FILE_HEADER_SIZE = 24;
const RECORD_HEADER_SIZE = 16;
/** A file with times in microseconds. */
const MAGIC = 0xa1b2_c3d4;
/** Each record is an IPv4 or IPv6 packet. */
const LINKTYPE_RAW = 101;
const SNAPSHOT_LENGTH = 262_144;

/**
 * A capture file that Wireshark and tshark open (pcap, draft-ietf-opsawg-pcap). It holds everything that was
 * sent, passwords too, so that only its owner may read it.
 */
export class PcapFile {
	readonly #failed: (error: Error) => void;
	#descriptor: number | undefined;
	#buffer: Uint8Array[] = [];
	#buffered = 0;
	#scheduled = false;
	#connections = 0;

	/**
	 * Creates or truncates the file. Throws the error of the file system.
	 * @param failed called if a later write fails; the capture ends
	 */
	constructor(path: string, failed: (error: Error) => void) {
		this.#failed = failed;
		this.#descriptor = openSync(path, "w", 0o600);
		const header = new DataView(new ArrayBuffer(FILE_HEADER_SIZE));
		header.setUint32(0, MAGIC);
		header.setUint16(4, 2);
		header.setUint16(6, 4);
		header.setUint32(16, SNAPSHOT_LENGTH);
		header.setUint32(20, LINKTYPE_RAW);
		this.#append(new Uint8Array(header.buffer));
	}

	/** Captures a connection. @param now the time, ms since 1970 */
	connection(connection: Connection, now: () => number): ConnectionTap {
		// Any number will do; it differs, so that a connection that reuses a port is seen as another one.
		const number = ++this.#connections;
		const start = { client: (number * 0x9e37_79b1) >>> 0, server: (number * 0x85eb_ca77) >>> 0 };
		const write = (packet: Uint8Array): void => this.#record(now(), packet);
		return {
			client: segmentWriter(new TCPPacketBuilder(connection, true), start.client, start.server, write),
			server: segmentWriter(new TCPPacketBuilder(connection, false), start.server, start.client, write),
		};
	}

	close(): void {
		this.#flush();
		if (this.#descriptor !== undefined) closeSync(this.#descriptor);
		this.#descriptor = undefined;
	}

	#record(time: number, packet: Uint8Array): void {
		const header = new DataView(new ArrayBuffer(RECORD_HEADER_SIZE));
		const seconds = Math.floor(time / 1000);
		header.setUint32(0, seconds);
		header.setUint32(4, Math.floor((time - seconds * 1000) * 1000));
		header.setUint32(8, packet.length);
		header.setUint32(12, packet.length);
		this.#append(new Uint8Array(header.buffer));
		this.#append(packet);
	}

	#append(bytes: Uint8Array): void {
		if (this.#descriptor === undefined) return;
		this.#buffer.push(bytes);
		this.#buffered += bytes.length;
		if (this.#buffered >= BUFFER_SIZE) this.#flush();
		else if (!this.#scheduled) {
			this.#scheduled = true;
			setImmediate(() => this.#flush());
		}
	}

	#flush(): void {
		this.#scheduled = false;
		const descriptor = this.#descriptor;
		if (descriptor === undefined || this.#buffered === 0) return;
		const bytes = Buffer.concat(this.#buffer);
		this.#buffer = [];
		this.#buffered = 0;
		try {
			for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
		} catch (error) {
			this.#descriptor = undefined;
			closeSync(descriptor);
			this.#failed(error instanceof Error ? error : new Error(String(error)));
		}
	}
}

/**
 * Writes the segments of one end as IP packets.
 * @param own initial sequence number of this end
 * @param other initial sequence number of the other end
 */
function segmentWriter(
	builder: TCPPacketBuilder,
	own: number,
	other: number,
	write: (packet: Uint8Array) => void,
): SegmentTap {
	return {
		segment(flags, position, bytes, acknowledged, window) {
			// SYN takes the first number of the sequence.
			const sequence = flags & SYN ? own : own + 1 + position;
			const acknowledgement = flags & ACK ? (other + 1 + acknowledged) >>> 0 : 0;
			let at = 0;
			do {
				const next = Math.min(at + MAXIMUM_SEGMENT_SIZE, bytes.length);
				write(
					builder.build({
						flags: next < bytes.length ? flags & ~(FIN | PSH) : flags,
						sequence: (sequence + at) >>> 0,
						acknowledgement,
						window: Math.max(0, window),
						bytes: bytes.subarray(at, next),
					}),
				);
				at = next;
			} while (at < bytes.length);
		},
	};
}
