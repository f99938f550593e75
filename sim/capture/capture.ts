import { ConnectionTrace } from "./connection-trace";
import type { PcapFile } from "./pcap-file";
import type { Connection, ConnectionTap, NetworkTap, SegmentTap } from "./tap";
import type { TracedPacket } from "./traced-packet";

/** Whose connection a packet passes on. */
export interface PacketSource {
	/** A board, or the broker of another client. */
	readonly node: string;
	/** The address and port of a client that is no board. */
	readonly client?: string;
}

export interface CaptureOptions {
	/** The time, ms since 1970. */
	now(): number;
	/** Receives all that is sent. */
	readonly pcap?: PcapFile | undefined;
	/** Receives each MQTT packet. */
	readonly packet?: ((source: PacketSource, packet: TracedPacket) => void) | undefined;
}

/** Captures the connections of networks. */
export class Capture {
	readonly #options: CaptureOptions;

	constructor(options: CaptureOptions) {
		this.#options = options;
	}

	/** The tap for a network. @param sourceOf names a connection, or excludes it with undefined */
	tap(sourceOf: (connection: Connection) => PacketSource | undefined): NetworkTap {
		return {
			connection: (connection) => {
				const source = sourceOf(connection);
				return source && this.#connection(source, connection);
			},
		};
	}

	/** The tap for a board whose clients are on this machine's network. */
	brokerTap(node: string): NetworkTap {
		return this.tap(({ client: { address, port } }) => ({
			node,
			client: address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`,
		}));
	}

	#connection(source: PacketSource, connection: Connection): ConnectionTap | undefined {
		const { now, pcap, packet } = this.#options;
		const file = pcap?.connection(connection, now);
		const trace = packet && new ConnectionTrace((traced) => packet(source, traced));
		return file && trace
			? { client: both(file.client, trace.client), server: both(file.server, trace.server) }
			: (file ?? trace);
	}
}

function both(first: SegmentTap, second: SegmentTap): SegmentTap {
	return {
		segment(flags, position, bytes, acknowledged, window) {
			first.segment(flags, position, bytes, acknowledged, window);
			second.segment(flags, position, bytes, acknowledged, window);
		},
	};
}
