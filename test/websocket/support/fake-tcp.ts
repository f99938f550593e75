import type { TCP, TCPOptions } from "../../../src/device";
import type { WebSocketOptions } from "../../../src/websocket/context";
import { WebSocketServer } from "../../../src/websocket/server";
import { WebSocketStream } from "../../../src/websocket/stream";
import { request } from "./frames";

/** A socket whose peer is the test, with the strictest checks. */
export class FakeTCP implements TCP {
	/** The last socket created from another one. */
	static last: FakeTCP;
	inbox: Buffer = Buffer.alloc(0);
	sent: Buffer = Buffer.alloc(0);
	writes = 0;
	room = 0;
	closed = 0;
	/** Whether write() fails because the connection is lost. */
	connectionLost = false;
	readonly options: TCPOptions;

	constructor(options: TCPOptions = {}) {
		this.options = options;
		if (options.from !== undefined) FakeTCP.last = this;
	}

	read(buffer: Uint8Array): number | undefined {
		if (this.closed > 0) throw new Error("invalid host data");
		if (buffer.length === 0 || buffer.length > this.inbox.length) throw new Error("invalid");
		buffer.set(this.inbox.subarray(0, buffer.length));
		this.inbox = this.inbox.subarray(buffer.length);
		return buffer.length;
	}

	write(buffer: Uint8Array): number | undefined {
		if (this.closed > 0) throw new Error("invalid host data");
		if (this.connectionLost) return undefined;
		if (buffer.length > this.room) throw new Error("would block");
		this.room -= buffer.length;
		this.writes++;
		this.sent = Buffer.concat([this.sent, buffer]);
		return this.room;
	}

	close(): void {
		this.closed++;
	}

	/** Simulates received bytes. */
	deliver(bytes: Uint8Array): void {
		if (this.closed > 0) return;
		this.inbox = Buffer.concat([this.inbox, bytes]);
		this.options.onReadable?.(this.inbox.length);
	}

	/** Simulates onWritable with this room, bytes. */
	grantRoom(room: number): void {
		this.room = room;
		if (this.closed === 0) this.options.onWritable?.(room);
	}

	/** Bytes sent since the last call. */
	takeSent(): Buffer {
		const { sent } = this;
		this.sent = Buffer.alloc(0);
		return sent;
	}
}

/** A stream with a user that records its callbacks. */
export class StreamHarness {
	readonly server: WebSocketServer;
	readonly tcp: FakeTCP;
	readonly stream: WebSocketStream;
	received: Buffer = Buffer.alloc(0);
	/** Arguments of onWritable. */
	readonly writableRooms: number[] = [];
	errors = 0;
	readonly failures: number[] = [];
	readonly refusals: number[] = [];
	readonly exceptions: unknown[] = [];
	/** Bytes reported by onReadable and not read yet. */
	available = 0;
	/** Called when data is available; by default it reads all of it. */
	onReadable: () => void = () => this.read(this.available);
	onWritable: () => void = () => {};
	onError: () => void = () => this.stream.close();

	constructor(options: Partial<WebSocketOptions> = {}, room = 5744) {
		this.server = new WebSocketServer({
			tcp: FakeTCP,
			size: 512,
			onFailed: (code) => this.failures.push(code),
			onRefused: (status) => this.refusals.push(status),
			onException: (error) => this.exceptions.push(error),
			...options,
		});
		const stream = new this.server.io({
			from: new FakeTCP(),
			onReadable: (bytes) => {
				if (bytes <= this.available) throw new Error("onReadable without more bytes");
				this.available = bytes;
				this.onReadable();
			},
			onWritable: (bytes) => {
				this.writableRooms.push(bytes);
				this.onWritable();
			},
			onError: () => {
				this.errors++;
				this.onError();
			},
		});
		if (!(stream instanceof WebSocketStream)) throw new Error("no stream");
		this.stream = stream;
		this.tcp = FakeTCP.last;
		this.tcp.grantRoom(room);
	}

	read(count: number): Uint8Array {
		const bytes = new Uint8Array(count);
		if (this.stream.read(bytes) !== count) throw new Error("not read");
		this.available -= count;
		this.received = Buffer.concat([this.received, bytes]);
		return bytes;
	}

	/** Completes the handshake. */
	open(): this {
		this.tcp.deliver(request());
		this.tcp.takeSent();
		return this;
	}
}
