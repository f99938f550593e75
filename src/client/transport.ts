import type { Device, TCP } from "../device";
import type { Encoder } from "../mqtt/encoder";
import { ClientError } from "./errors";

// What a transport tells; nothing after `close()`
/** `readable` or the room to write changed. */
export const TRANSPORT_CHANGED = 0;
/** TCP is up: the first time that anything may be written. */
export const TRANSPORT_CONNECTED = 1;
/**
 * The connection ended or failed; the platform knows no more. Everything that had arrived was offered before.
 */
export const TRANSPORT_LOST = 2;

export interface TransportHandler {
	/** @param event CHANGED, CONNECTED or LOST */
	onEvent(event: number, deadline: number): void;
	/** There is no address, or no socket: the transport is closed. May be called inside `open()`. */
	scheduleClose(error: ClientError): void;
}

/** Largest piece read at once, in bytes. */
const CHUNK_SIZE = 128;

/**
 * The socket and what is on its way in and out. Staged packets stay in the encoder until the socket has room
 * for all of them, as `write` takes all or nothing; they go in slices only where even the empty socket has
 * less room than they take.
 */
export class Transport {
	/** The chunk last read. */
	readonly chunk: Uint8Array;
	/** Bytes that wait to be read. */
	readable = 0;
	/**
	 * Writing failed: what is staged is thrown away. The end of the connection will be told, or not, as the
	 * platform pleases.
	 */
	writeFailed = false;
	#buffer: ArrayBuffer;
	#slice: Uint8Array<ArrayBuffer> | undefined;
	#device: Pick<Device, "tcp" | "resolve">;
	#encoder: Encoder;
	#handler: TransportHandler;
	#socket: TCP | undefined;
	/** Callbacks of an older socket are recognised by it and dropped. */
	#generation = 0;
	#connected = false;
	#room = 0;
	/** Room of the empty socket: the most ever told. */
	#capacity = 0;
	/** Staged bytes that already left, in slices. */
	#sent = 0;

	constructor(device: Pick<Device, "tcp" | "resolve">, encoder: Encoder, handler: TransportHandler) {
		this.#device = device;
		this.#encoder = encoder;
		this.#handler = handler;
		this.#buffer = new ArrayBuffer(CHUNK_SIZE, { maxByteLength: CHUNK_SIZE });
		this.chunk = new Uint8Array(this.#buffer);
	}

	/** Resolves the name and connects. */
	resolveAndConnect(host: string, port: number): void {
		this.close();
		const generation = this.#generation;
		try {
			this.#device.resolve(host, (address) => {
				if (generation !== this.#generation) return;
				if (address === undefined) this.fail(`${host} cannot be resolved`);
				else this.openSocket(address, port);
			});
		} catch (cause) {
			this.fail(`${host} cannot be resolved`, cause);
		}
	}

	private openSocket(address: string, port: number): void {
		try {
			this.#socket = this.createSocket(address, port);
		} catch (cause) {
			this.fail(`no socket to ${address}:${port}`, cause);
		}
	}

	private createSocket(address: string, port: number): TCP {
		const generation = this.#generation;
		return new this.#device.tcp.io({
			address,
			port,
			nodelay: true,
			onReadable: (bytes) => {
				if (generation !== this.#generation) return;
				this.readable = bytes;
				this.#handler.onEvent(TRANSPORT_CHANGED, 0);
			},
			onWritable: (bytes) => {
				if (generation !== this.#generation) return;
				this.setRoom(bytes);
				const event = this.#connected ? TRANSPORT_CHANGED : TRANSPORT_CONNECTED;
				this.#connected = true;
				this.#handler.onEvent(event, 0);
			},
			onError: () => {
				if (generation === this.#generation) this.#handler.onEvent(TRANSPORT_LOST, 0);
			},
		});
	}

	private fail(message: string, cause?: unknown): void {
		this.close();
		this.#handler.scheduleClose(new ClientError("transport", message, { cause }));
	}

	/** Everything staged was taken, and the platform's own buffer is empty again: it has left this device. */
	get drained(): boolean {
		return this.#encoder.length === 0 && this.#room >= this.#capacity;
	}

	/** Reads at most `limit` bytes into `view`. @returns how many */
	read(limit: number): number {
		let count = Math.floor(Math.min(limit, this.readable));
		if (count <= 0) return 0;
		if (count > CHUNK_SIZE) count = CHUNK_SIZE;
		this.#buffer.resize(count);
		this.readable -= count;
		this.#socket?.read(this.chunk);
		return count;
	}

	/** Writes what is staged, if the socket has room. @returns whether anything was written */
	flush(): boolean {
		const encoder = this.#encoder;
		const length = encoder.length;
		if (length === 0 || !this.#connected) return false;
		if (this.writeFailed) {
			this.discardStaged();
			return false;
		}
		if (this.#sent === 0 && length <= this.#capacity) {
			if (length > this.#room) return false;
			this.write(encoder.seal());
			encoder.reset();
			return true;
		}
		return this.flushSlices(length);
	}

	close(): void {
		this.#generation++;
		this.discardStaged();
		const socket = this.#socket;
		this.#socket = undefined;
		this.#connected = false;
		this.#room = 0;
		this.#capacity = 0;
		this.readable = 0;
		this.writeFailed = false;
		try {
			socket?.close();
		} catch {
			// A socket that is already gone is as good as closed.
		}
	}

	private flushSlices(length: number): boolean {
		const staged = this.#encoder.view;
		// Only where the platform's buffer is smaller than ours.
		this.#slice ??= new Uint8Array(new ArrayBuffer(CHUNK_SIZE, { maxByteLength: CHUNK_SIZE }));
		const slice = this.#slice;
		const before = this.#sent;
		while (this.#sent < length && this.#room > 0 && !this.writeFailed) {
			let count = length - this.#sent;
			if (count > this.#room) count = this.#room;
			if (count > CHUNK_SIZE) count = CHUNK_SIZE;
			slice.buffer.resize(count);
			for (let i = 0, from = this.#sent; i < count; i++) slice[i] = staged[from + i];
			this.write(slice);
			this.#sent += count;
		}
		const wrote = this.#sent > before;
		if (this.#sent === length || this.writeFailed) this.discardStaged();
		return wrote;
	}

	private write(bytes: Uint8Array): void {
		try {
			const room = this.#socket?.write(bytes);
			if (room === undefined) this.onWriteFailed();
			else this.setRoom(room);
		} catch {
			// The peer is gone; what it said last may still wait to be read.
			this.onWriteFailed();
		}
	}

	private onWriteFailed(): void {
		this.writeFailed = true;
		this.#room = 0;
	}

	private setRoom(room: number): void {
		this.#room = room;
		if (room > this.#capacity) this.#capacity = room;
	}

	private discardStaged(): void {
		this.#encoder.reset();
		this.#sent = 0;
	}
}
