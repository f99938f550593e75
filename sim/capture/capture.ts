import { connectionLog } from "./connection-log";
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
	/** Receives a line for each client that is no board, as it connects, leaves or is refused. */
	readonly log?: ((line: string) => void) | undefined;
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
		const { now, pcap, packet, log } = this.#options;
		const taps = [
			pcap?.connection(connection, now),
			packet && new ConnectionTrace((traced) => packet(source, traced)),
			log && source.client !== undefined ? connectionLog(source.client, log) : undefined,
		].filter((tap) => tap !== undefined);
		if (taps.length < 2) return taps[0];
		return {
			client: all(taps.map(({ client }) => client)),
			server: all(taps.map(({ server }) => server)),
		};
	}
}

function all(taps: readonly SegmentTap[]): SegmentTap {
	return {
		segment(flags, position, bytes, acknowledged, window) {
			for (const tap of taps) tap.segment(flags, position, bytes, acknowledged, window);
		},
	};
}
