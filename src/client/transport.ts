import type { Device, TCP, TCPOptions } from "../device";
import type { ConnectionFailure } from "../fault";
import type { Encoder } from "../mqtt/encoder";
import { ClientError } from "./errors";

// Events of a transport; none follows `close()`
/** `readable` or the room to write changed. */
export const TRANSPORT_CHANGED = 0;
/** TCP is established: data may be written for the first time. */
export const TRANSPORT_CONNECTED = 1;
/**
 * The connection ended or failed; `failure` has the reason, if it is known. All received data was reported
 * before.
 */
export const TRANSPORT_LOST = 2;

export type TransportEvent = typeof TRANSPORT_CHANGED | typeof TRANSPORT_CONNECTED | typeof TRANSPORT_LOST;

export interface TransportHandler {
	/** More room to write changes nothing. */
	readonly isQuiet: boolean;
	/** @param deadline without meaning */
	onEvent(event: TransportEvent, deadline: 0): void;
	/**
	 * Name resolution or socket creation failed, and the transport is closed. May be called inside `open()`.
	 */
	onUnreachable(error: ClientError): void;
}

/** What callbacks get as `this` from a socket that has a target. */
interface TransportSocket extends TCP {
	readonly target: Transport;
}

// Callbacks of a socket that has a target: functions in flash, where three closures take 30 slots of memory.

function targetOnReadable(this: TransportSocket, bytes: number): unknown {
	const target = this.target;
	return target.onReadable(bytes, target.generationOf(this));
}

function targetOnWritable(this: TransportSocket, bytes: number): unknown {
	const target = this.target;
	return target.onWritable(bytes, target.generationOf(this));
}

function targetOnError(this: TransportSocket, failure?: ConnectionFailure): unknown {
	const target = this.target;
	return target.onError(failure, target.generationOf(this));
}

/** Largest piece read at once, in bytes. */
const CHUNK_SIZE = 128;

/**
 * TCP socket with its unread input and unsent output. Staged packets stay in the encoder until the socket has
 * room for all of them, as `write` accepts all or nothing; they are written in slices only if they exceed the
 * room of an empty socket.
 */
export class Transport {
	/** The chunk last read. */
	readonly chunk: Uint8Array;
	/** Bytes ready to be read. */
	readable = 0;
	/**
	 * A write failed: staged packets are discarded. The platform may or may not report the end of the
	 * connection.
	 */
	writeFailed = false;
	/** Why the connection was lost, where a socket over TLS or WebSocket has said so. */
	declare failure?: ConnectionFailure | undefined;
	private buffer: ArrayBuffer;
	private slice: Uint8Array<ArrayBuffer> | undefined;
	private device: Pick<Device, "tcp" | "resolve">;
	private encoder: Encoder;
	private handler: TransportHandler;
	private socket: TCP | undefined;
	/** Identifies callbacks of an older look-up or socket, which are ignored. */
	private generation = 0;
	private connected = false;
	private room = 0;
	/** Room of an empty socket: the largest room reported so far. */
	private capacity = 0;
	/** Staged bytes already written in slices. */
	private sent = 0;

	constructor(device: Pick<Device, "tcp" | "resolve">, encoder: Encoder, handler: TransportHandler) {
		this.device = device;
		this.encoder = encoder;
		this.handler = handler;
		this.buffer = new ArrayBuffer(CHUNK_SIZE, { maxByteLength: CHUNK_SIZE });
		this.chunk = new Uint8Array(this.buffer);
	}

	/** Resolves the name and connects; the transport is new or closed. What is staged leaves first. */
	resolveAndConnect(host: string, port: number): void {
		if (this.failure !== undefined) this.failure = undefined;
		const generation = this.generation;
		try {
			this.device.resolve(host, (address) => {
				if (generation !== this.generation) return;
				if (address === undefined) this.fail(`${host} cannot be resolved`);
				else this.openSocket(host, address, port);
			});
		} catch (cause) {
			this.fail(`${host} cannot be resolved`, cause);
		}
	}

	private openSocket(host: string, address: string, port: number): void {
		try {
			this.socket = this.createSocket(host, address, port);
		} catch (cause) {
			const reason = cause instanceof Error ? `: ${cause.message}` : "";
			this.fail(`no socket to ${address}:${port}${reason}`, cause);
		}
	}

	private createSocket(host: string, address: string, port: number): TCP {
		const tcp = this.device.tcp;
		if (tcp.io.hasTarget) return new tcp.io(this.targetOptions(address, port));
		const { generation } = this;
		// What the closures do is in methods: each name that a closure mentions takes a slot in it.
		return new tcp.io({
			...tcp,
			host,
			address,
			port,
			nodelay: true,
			onReadable: (bytes) => this.onReadable(bytes, generation),
			onWritable: (bytes) => this.onWritable(bytes, generation),
			onError: (failure) => this.onError(failure, generation),
		});
	}

	/** Not where the socket is made: each function that is named takes a slot of the stack below that. */
	private targetOptions(address: string, port: number): TCPOptions {
		return {
			...this.device.tcp,
			address,
			port,
			nodelay: true,
			target: this,
			onReadable: targetOnReadable,
			onWritable: targetOnWritable,
			onError: targetOnError,
		};
	}

	// For the callbacks of the socket

	onReadable(bytes: number, generation: number): unknown {
		if (generation !== this.generation) return undefined;
		this.readable = bytes;
		return this.handler.onEvent(TRANSPORT_CHANGED, 0);
	}

	onWritable(bytes: number, generation: number): unknown {
		if (generation !== this.generation) return undefined;
		this.setRoom(bytes);
		if (this.connected) {
			// As after each acknowledgement of TCP, when all has been written before
			return this.handler.isQuiet ? undefined : this.handler.onEvent(TRANSPORT_CHANGED, 0);
		}
		this.connected = true;
		return this.handler.onEvent(TRANSPORT_CONNECTED, 0);
	}

	onError(failure: ConnectionFailure | undefined, generation: number): unknown {
		if (generation !== this.generation) return undefined;
		if (failure !== undefined) this.failure = failure;
		return this.handler.onEvent(TRANSPORT_LOST, 0);
	}

	/** The present one, if the socket is that of the present connection; −1: it is an older one. */
	generationOf(socket: TCP): number {
		return socket === this.socket ? this.generation : -1;
	}

	/** Address of the broker; undefined: there is no socket, or the platform does not know it. */
	get remoteAddress(): string | undefined {
		return this.socket?.remoteAddress;
	}

	private fail(message: string, cause?: unknown): void {
		this.close();
		this.handler.onUnreachable(new ClientError("transport", message, { cause }));
	}

	/** All staged packets were written and the platform's own buffer is empty: they have left this device. */
	get drained(): boolean {
		return this.encoder.length === 0 && this.room >= this.capacity;
	}

	/** Reads at most `limit` bytes into `chunk`. @returns their number */
	read(limit: number): number {
		let count = this.readable;
		if (count > CHUNK_SIZE) count = CHUNK_SIZE;
		if (count > limit) count = Math.floor(limit);
		if (count <= 0) return 0;
		this.buffer.resize(count);
		this.readable -= count;
		this.socket?.read(this.chunk);
		return count;
	}

	/** Writes the staged packets if the socket has room. @returns whether anything was written */
	flush(): boolean {
		const encoder = this.encoder;
		const length = encoder.length;
		if (length === 0 || !this.connected) return false;
		if (this.writeFailed) {
			this.discardStaged();
			return false;
		}
		if (this.sent === 0 && length <= this.capacity) {
			if (length > this.room) return false;
			this.write(encoder.seal());
			encoder.reset();
			return true;
		}
		return this.flushSlices(length);
	}

	/** Discards the staged packets, and all later ones: they cannot leave any more. */
	discardOutput(): void {
		this.onWriteFailed();
		this.discardStaged();
	}

	close(): void {
		this.generation++;
		this.discardStaged();
		const socket = this.socket;
		this.socket = undefined;
		this.connected = false;
		this.room = 0;
		this.capacity = 0;
		this.readable = 0;
		this.writeFailed = false;
		try {
			socket?.close();
		} catch {
			// The socket is already closed.
		}
	}

	private flushSlices(length: number): boolean {
		const staged = this.encoder.view;
		// Needed only if the platform's buffer is smaller than the encoder's.
		this.slice ??= new Uint8Array(new ArrayBuffer(CHUNK_SIZE, { maxByteLength: CHUNK_SIZE }));
		const slice = this.slice;
		const before = this.sent;
		while (this.sent < length && this.room > 0 && !this.writeFailed) {
			let count = length - this.sent;
			if (count > this.room) count = this.room;
			if (count > CHUNK_SIZE) count = CHUNK_SIZE;
			slice.buffer.resize(count);
			for (let i = 0, from = this.sent; i < count; i++) slice[i] = staged[from + i];
			this.write(slice);
			this.sent += count;
		}
		const wrote = this.sent > before;
		if (this.sent === length || this.writeFailed) this.discardStaged();
		return wrote;
	}

	private write(bytes: Uint8Array): void {
		try {
			const room = this.socket?.write(bytes);
			if (room === undefined) this.onWriteFailed();
			else this.setRoom(room);
		} catch {
			// The peer is gone; unread data may remain.
			this.onWriteFailed();
		}
	}

	private onWriteFailed(): void {
		this.writeFailed = true;
		this.room = 0;
	}

	private setRoom(room: number): void {
		this.room = room;
		if (room > this.capacity) this.capacity = room;
	}

	private discardStaged(): void {
		this.encoder.reset();
		this.sent = 0;
	}
}
