import type { Socket } from "node:net";
import type { TCP, TCPOptions } from "../../src/device";
import { type Flushable, flushScheduler } from "./flush-scheduler";
import { attachOwner, detachOwner, type SocketOwner, startReading, transferOwner } from "./owned-socket";
import { WriteBuffer } from "./write-buffer";

/** Bytes that may wait to be sent; more than Node's own mark, past which it tells when they are gone. */
const SEND_ROOM = 262_144;
/** Bytes received and not yet read, past which the peer is not read from any more. */
const RECEIVE_ROOM = 131_072;
/** How long a closed socket may take to send what was written, ms. */
const LINGER_MS = 2000;
/** Up to so many bytes a loop is quicker than a view. */
const COPY_LOOP_LIMIT = 40;

/** ECMA-419's TCP socket over one that Node has accepted, plain or TLS. */
export class NodeTCP implements TCP, SocketOwner, Flushable {
	#socket: Socket | undefined;
	#onReadable: TCPOptions["onReadable"];
	#onWritable: TCPOptions["onWritable"];
	#onError: TCPOptions["onError"];
	/** What was received: the first chunk, how much of it was read, and those after it. */
	#chunk: Uint8Array | undefined;
	#offset = 0;
	#laterChunks: Uint8Array[] | undefined;
	#available = 0;
	/** Whether Node was told to read no more. */
	#paused = false;
	#ended = false;
	#writeBuffer: WriteBuffer | undefined;

	/** @param options a socket: as a listener hands it out, without callbacks */
	constructor(options: TCPOptions | { readonly accepted: Socket }) {
		if ("accepted" in options) {
			this.#socket = options.accepted;
			attachOwner(options.accepted, this);
			return;
		}
		if (options.from === undefined) throw new Error("this host accepts connections and makes none");
		this.#takeOver(options.from as NodeTCP, options);
	}

	/** Undefined once the connection is gone. */
	get remoteAddress(): string | undefined {
		return this.#socket?.remoteAddress?.replace(/^::ffff:/, "");
	}

	read(buffer: Uint8Array): number | undefined {
		const socket = this.#requireSocket();
		const wanted = buffer.length;
		const available = this.#available;
		if (available === 0) return undefined;
		if (wanted === 0 || wanted > available) throw new Error("invalid");
		let at = 0;
		while (at < wanted) {
			const chunk = this.#chunk!;
			const from = this.#offset;
			const size = Math.min(wanted - at, chunk.length - from);
			if (size <= COPY_LOOP_LIMIT) for (let i = 0; i < size; i++) buffer[at + i] = chunk[from + i]!;
			else buffer.set(size === chunk.length ? chunk : chunk.subarray(from, from + size), at);
			at += size;
			if (from + size === chunk.length) {
				this.#chunk = this.#laterChunks?.shift();
				this.#offset = 0;
			} else this.#offset = from + size;
		}
		this.#available = available - wanted;
		if (this.#paused && this.#available < RECEIVE_ROOM) {
			this.#paused = false;
			socket.resume();
		}
		return wanted;
	}

	write(buffer: Uint8Array): number | undefined {
		const socket = this.#requireSocket();
		if (this.#ended || !socket.writable) return undefined;
		if (buffer.length > this.#room) throw new Error("would block");
		if (this.#writeBuffer === undefined) {
			this.#writeBuffer = WriteBuffer.acquire();
			flushScheduler.scheduleFlush(this);
		}
		this.#writeBuffer.add(buffer, socket);
		return this.#room;
	}

	/** Hands what was written to the system. */
	flush(): void {
		const writeBuffer = this.#writeBuffer;
		if (writeBuffer === undefined) return;
		this.#writeBuffer = undefined;
		writeBuffer.flushAndRelease(this.#socket!);
	}

	close(): void {
		const socket = this.#socket;
		if (socket === undefined) return;
		this.flush();
		this.#socket = undefined;
		this.#onReadable = undefined;
		this.#onWritable = undefined;
		this.#onError = undefined;
		this.#chunk = undefined;
		this.#laterChunks = undefined;
		this.#available = 0;
		detachOwner(socket);
		socket.destroySoon();
		// A peer that does not read keeps nothing alive.
		if (!socket.destroyed) setTimeout(() => socket.destroy(), LINGER_MS).unref();
	}

	canReceive(size: number): boolean {
		return !this.#paused && this.#available + size < RECEIVE_ROOM;
	}

	onReceived(chunk: Uint8Array): void {
		if (this.#chunk === undefined) this.#chunk = chunk;
		else {
			this.#laterChunks ??= [];
			this.#laterChunks.push(chunk);
		}
		this.#available += chunk.length;
		if (this.#available >= RECEIVE_ROOM && !this.#paused) {
			this.#paused = true;
			this.#socket?.pause();
		}
		flushScheduler.beginRead();
		this.#onReadable?.(this.#available);
		flushScheduler.endRead(this);
	}

	onDrained(): void {
		if (!this.#ended) this.#onWritable?.(this.#room);
	}

	/**
	 * Also when there is something left to read: half a packet is never going to be whole, and nobody would ask
	 * for it again.
	 */
	onClosed(): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#onError?.();
	}

	/** Bytes that can be written now. */
	get #room(): number {
		return SEND_ROOM - (this.#socket?.writableLength ?? SEND_ROOM) - (this.#writeBuffer?.length ?? 0);
	}

	#takeOver(donor: NodeTCP, options: TCPOptions): void {
		const socket = donor.#socket;
		if (socket === undefined || donor.#ended) throw new Error("invalid from");
		donor.flush();
		donor.#socket = undefined;
		this.#socket = socket;
		// Not the options themselves, which hold the donor
		this.#onReadable = options.onReadable;
		this.#onWritable = options.onWritable;
		this.#onError = options.onError;
		transferOwner(socket, this);
		if (options.nodelay) socket.setNoDelay(true);
		setImmediate(() => {
			if (this.#socket !== socket) return;
			this.onDrained();
			startReading(socket);
		});
	}

	#requireSocket(): Socket {
		if (this.#socket === undefined) throw new Error("invalid host data");
		return this.#socket;
	}
}
