import type { WebSocketOptions } from "../../../src/websocket/context";
import { WebSocketServer } from "../../../src/websocket/server";
import { WebSocketStream } from "../../../src/websocket/stream";
import { request } from "./frames";
import { ServerConnection, type ServerConnectionOptions } from "./server-connection";

/** A stream with a user that records its callbacks. */
export class StreamHarness {
	readonly server: WebSocketServer;
	readonly tcp: ServerConnection;
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

	constructor(options: Partial<WebSocketOptions> = {}, connectionOptions: ServerConnectionOptions = {}) {
		this.tcp = new ServerConnection(connectionOptions);
		this.server = new WebSocketServer({
			tcp: this.tcp.io,
			size: 512,
			onFailed: (code) => this.failures.push(code),
			onRefused: (status) => this.refusals.push(status),
			onException: (error) => this.exceptions.push(error),
			...options,
		});
		const stream = new this.server.io({
			from: this.tcp.from,
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
		this.tcp.run();
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
