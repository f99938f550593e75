import { connect, isIP, type Socket } from "node:net";
import type { TCP, TCPOptions } from "../../src/device";
import type { ConnectionFailure } from "../../src/fault";
import type { StreamTap } from "../capture/stream-tap";
import { type Flushable, flushScheduler } from "./flush-scheduler";
import { linger } from "./lingering-close";
import { attachOwner, type SocketOwner, startReading, transferOwner } from "./owned-socket";
import { WriteBuffer } from "./write-buffer";

/**
 * Bytes that may be buffered for sending; more than Node's high-water mark, above which Node emits "drain".
 */
const SEND_ROOM = 262_144;
/** Received bytes not yet read, above which reading from the peer is paused. */
const RECEIVE_ROOM = 131_072;
/** Up to this many bytes, copying in a loop is faster than through a view. */
const COPY_LOOP_LIMIT = 40;

/** An outgoing connection, and why it failed if that is known. */
export interface Opening {
	readonly socket: Socket;
	readonly failure?: ConnectionFailure | undefined;
}

/** ECMA-419's TCP socket over a socket of Node: accepted, plain or TLS, or its own, plain. */
export class NodeTCP implements TCP, SocketOwner, Flushable {
	#socket: Socket | undefined;
	#onReadable: TCPOptions["onReadable"];
	#onWritable: TCPOptions["onWritable"];
	#onError: TCPOptions["onError"];
	/** Received data: the first chunk, the bytes of it already read, and the later chunks. */
	#chunk: Uint8Array | undefined;
	#offset = 0;
	#laterChunks: Uint8Array[] | undefined;
	#available = 0;
	/** Whether reading is paused. */
	#paused = false;
	#ended = false;
	/** The connection has ended, but bytes of it are unread. */
	#endPending = false;
	#writeBuffer: WriteBuffer | undefined;
	#tap: StreamTap | undefined;
	/** Its own connection, until it has ended. */
	#opening: Opening | undefined;

	/**
	 * @param options `accepted`: a socket from a listener, without callbacks; `tap`: a receiver of its bytes
	 */
	constructor(options: TCPOptions | { readonly accepted: Socket; readonly tap?: StreamTap | undefined }) {
		if ("accepted" in options) {
			this.#socket = options.accepted;
			this.#tap = options.tap;
			attachOwner(options.accepted, this);
			return;
		}
		// Copied, because the options of a socket that is taken over refer to the previous owner.
		this.#onReadable = options.onReadable;
		this.#onWritable = options.onWritable;
		this.#onError = options.onError;
		if (options.from === undefined) this.#connect(options);
		else this.#takeOver(options.from as NodeTCP, options);
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
		if (this.#endPending && this.#available === 0) setImmediate(() => this.#reportEnd());
		if (this.#paused && this.#available < RECEIVE_ROOM) {
			this.#paused = false;
			socket.resume();
		}
		return wanted;
	}

	write(buffer: Uint8Array): number | undefined {
		const socket = this.#requireSocket();
		if (this.#ended || this.#endPending || !socket.writable) return undefined;
		if (buffer.length > this.#room) throw new Error("would block");
		if (buffer.length === 0) return this.#room;
		if (this.#writeBuffer === undefined) {
			this.#writeBuffer = WriteBuffer.acquire();
			flushScheduler.scheduleFlush(this);
		}
		this.#tap?.sent(buffer);
		this.#writeBuffer.add(buffer, socket);
		return this.#room;
	}

	/** Passes buffered writes to the system. */
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
		this.#tap?.closed(false);
		linger(socket);
	}

	canReceive(size: number): boolean {
		return !this.#paused && this.#available + size < RECEIVE_ROOM;
	}

	onReceived(chunk: Uint8Array): void {
		this.#tap?.received(chunk);
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
	 * Reports the end once all bytes are read, as the SDK's sockets do, so that a peer that sends a burst and
	 * leaves is heard to the end. A reader that does not read notices the end by a write.
	 */
	onClosed(): void {
		if (this.#available > 0) this.#endPending = true;
		else this.#reportEnd();
	}

	#reportEnd(): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#tap?.ended(this.#socket?.errored != null);
		this.#onError?.(this.#opening?.failure);
	}

	/** Opens a connection. @param address IP address @param onConnected called once data can be written */
	protected open(options: TCPOptions & { address: string; port: number }, onConnected: () => void): Opening {
		const { address, port, nodelay = false } = options;
		return { socket: connect({ host: address, port, noDelay: nodelay }, onConnected) };
	}

	/** Bytes that can be written now. */
	get #room(): number {
		return SEND_ROOM - (this.#socket?.writableLength ?? SEND_ROOM) - (this.#writeBuffer?.length ?? 0);
	}

	#connect(options: TCPOptions): void {
		const { address, port } = options;
		if (address === undefined || isIP(address) === 0 || port === undefined)
			throw new Error("invalid address");
		const opening = this.open({ ...options, address, port }, () => {
			if (this.#socket !== socket) return;
			startReading(socket);
			this.onDrained();
		});
		const { socket } = opening;
		this.#opening = opening;
		this.#socket = socket;
		attachOwner(socket, this);
		transferOwner(socket, this);
	}

	#takeOver(previous: NodeTCP, options: TCPOptions): void {
		const socket = previous.#socket;
		if (socket === undefined || previous.#ended) throw new Error("invalid from");
		previous.flush();
		previous.#socket = undefined;
		this.#socket = socket;
		this.#tap = previous.#tap;
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
