import type { Socket } from "node:net";
import { ACK, type ConnectionTap, FIN, type NetworkTap, PSH, RST, type SegmentTap, SYN } from "./tap";

/** Window that both ends announce: the largest without window scaling (RFC 9293 §3.1). */
const WINDOW = 65_535;
const EMPTY = new Uint8Array(0);

/**
 * Taps a socket of this machine, which shows the streams and not the segments: each chunk becomes a segment
 * that the other end acknowledges at once.
 */
export class StreamTap {
	readonly #local: StreamEnd;
	readonly #remote: StreamEnd;

	private constructor({ client, server }: ConnectionTap, local: "client" | "server") {
		const ends = { client: new StreamEnd(client), server: new StreamEnd(server) };
		this.#local = ends[local];
		this.#remote = ends[local === "client" ? "server" : "client"];
		ends.client.send(SYN, EMPTY, ends.server);
		ends.server.send(SYN | ACK, EMPTY, ends.client);
		ends.client.send(ACK, EMPTY, ends.server);
	}

	/**
	 * Taps a connected socket.
	 * @param local the role of this end
	 */
	static open(
		tap: NetworkTap | undefined,
		socket: Socket,
		local: "client" | "server",
	): StreamTap | undefined {
		if (tap === undefined) return undefined;
		const own = { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 };
		const peer = { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 };
		const connection = tap.connection(
			local === "client" ? { client: own, server: peer } : { client: peer, server: own },
		);
		return connection && new StreamTap(connection, local);
	}

	sent(bytes: Uint8Array): void {
		this.#local.send(PSH | ACK, bytes, this.#remote);
		this.#remote.send(ACK, EMPTY, this.#local);
	}

	received(bytes: Uint8Array): void {
		this.#remote.send(PSH | ACK, bytes, this.#local);
		this.#local.send(ACK, EMPTY, this.#remote);
	}

	/** This end closed the connection. @param reset with RST instead of FIN */
	closed(reset: boolean): void {
		end(this.#local, this.#remote, reset);
	}

	/** The other end closed the connection. @param reset with RST instead of FIN */
	ended(reset: boolean): void {
		end(this.#remote, this.#local, reset);
	}
}

/** The position of one end in its stream. */
class StreamEnd {
	/** Whether FIN or RST has been sent. */
	finished = false;
	readonly #tap: SegmentTap;
	#position = 0;

	constructor(tap: SegmentTap) {
		this.#tap = tap;
	}

	send(flags: number, bytes: Uint8Array, to: StreamEnd): void {
		this.#tap.segment(flags, this.#position, bytes, to.#position, WINDOW);
		this.#position += bytes.length + (flags & FIN);
	}
}

function end(from: StreamEnd, to: StreamEnd, reset: boolean): void {
	if (from.finished) return;
	from.finished = true;
	if (reset) {
		to.finished = true;
		from.send(RST | ACK, EMPTY, to);
		return;
	}
	from.send(FIN | ACK, EMPTY, to);
	to.send(ACK, EMPTY, from);
}

/**
 * The address without the IPv6 form of an IPv4 address and without a zone; the unspecified one if unknown.
 */
function plainAddress(address: string | undefined): string {
	return address?.replace(/^::ffff:/, "").replace(/%.*$/, "") ?? "0.0.0.0";
}
