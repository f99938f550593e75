import type { Socket } from "node:net";
import type { TCP, TCPOptions } from "../../src/device";
import { Outbox } from "./outbox";

/** Bytes that may wait to be sent; more than Node's own mark, past which it tells when they are gone. */
const SEND_ROOM = 262_144;
/** Bytes received and not yet read, past which the peer is not read from any more. */
const RECEIVE_ROOM = 131_072;
/** How long a closed socket may take to send what was written, ms. */
const LINGER = 2000;

/** ECMA-419's TCP socket over one that Node has accepted, plain or TLS. */
export class NodeTCP implements TCP {
	#socket: Socket | undefined;
	#options: TCPOptions | undefined;
	readonly #chunks: Uint8Array[] = [];
	/** Bytes of the first chunk that were read. */
	#offset = 0;
	#available = 0;
	#ended = false;
	#outbox: Outbox | undefined;
	readonly #gone = (): void => this.#end();

	/** @param options a socket: as a listener hands it out, without callbacks */
	constructor(options: TCPOptions | { readonly accepted: Socket }) {
		if ("accepted" in options) {
			this.#socket = options.accepted;
			options.accepted.on("error", this.#gone).on("close", this.#gone);
			return;
		}
		if (options.from === undefined) throw new Error("this host accepts connections and makes none");
		this.#adopt(options.from as NodeTCP, options);
	}

	/** Undefined once the connection is gone. */
	get remoteAddress(): string | undefined {
		return this.#socket?.remoteAddress?.replace(/^::ffff:/, "");
	}

	read(buffer: Uint8Array): number | undefined {
		this.#open();
		const wanted = buffer.length;
		const available = this.#available;
		if (available === 0) return undefined;
		if (wanted === 0 || wanted > available) throw new Error("invalid");
		const chunks = this.#chunks;
		let at = 0;
		while (at < wanted) {
			const chunk = chunks[0]!;
			const from = this.#offset;
			const size = Math.min(wanted - at, chunk.length - from);
			// A loop is quicker than a view for the few bytes of a header
			if (size < 32) for (let i = 0; i < size; i++) buffer[at + i] = chunk[from + i]!;
			else buffer.set(chunk.subarray(from, from + size), at);
			at += size;
			if (from + size === chunk.length) {
				chunks.shift();
				this.#offset = 0;
			} else this.#offset = from + size;
		}
		this.#available = available - wanted;
		if (available >= RECEIVE_ROOM && this.#available < RECEIVE_ROOM) this.#socket?.resume();
		return wanted;
	}

	write(buffer: Uint8Array): number | undefined {
		const socket = this.#open();
		if (this.#ended || !socket.writable) return undefined;
		if (buffer.length > this.#room) throw new Error("would block");
		this.#outbox?.add(buffer);
		return this.#room;
	}

	close(): void {
		const socket = this.#socket;
		if (socket === undefined) return;
		this.#socket = undefined;
		this.#options = undefined;
		this.#chunks.length = 0;
		this.#available = 0;
		this.#outbox?.flush();
		this.#outbox = undefined;
		socket.removeAllListeners("data").removeAllListeners("end").resume();
		socket.destroySoon();
		// A peer that does not read keeps nothing alive.
		if (!socket.destroyed) setTimeout(() => socket.destroy(), LINGER).unref();
	}

	/** Bytes that can be written now. */
	get #room(): number {
		return SEND_ROOM - (this.#socket?.writableLength ?? SEND_ROOM) - (this.#outbox?.length ?? 0);
	}

	#adopt(donor: NodeTCP, options: TCPOptions): void {
		const socket = donor.#socket;
		if (socket === undefined || donor.#ended) throw new Error("invalid from");
		donor.#socket = undefined;
		socket.off("error", donor.#gone).off("close", donor.#gone);
		this.#socket = socket;
		this.#outbox = new Outbox(socket);
		this.#options = options;
		socket.on("error", this.#gone).on("close", this.#gone).on("end", this.#gone);
		socket.on("drain", () => this.#writable());
		if (options.nodelay) socket.setNoDelay(true);
		setImmediate(() => {
			if (this.#socket !== socket) return;
			this.#writable();
			socket.on("data", (chunk: Uint8Array) => this.#data(chunk));
		});
	}

	#data(chunk: Uint8Array): void {
		if (this.#options === undefined) return;
		this.#chunks.push(chunk);
		this.#available += chunk.length;
		if (this.#available >= RECEIVE_ROOM) this.#socket?.pause();
		this.#options.onReadable?.(this.#available);
	}

	#writable(): void {
		if (!this.#ended) this.#options?.onWritable?.(this.#room);
	}

	/** Also when there is something left to read: half a packet is never going to be whole, and nobody would ask for it again. */
	#end(): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#options?.onError?.();
	}

	#open(): Socket {
		if (this.#socket === undefined) throw new Error("invalid host data");
		return this.#socket;
	}
}
