import { createHash } from "node:crypto";
import type { TCP, TCPOptions } from "../../../src/device";
import type { ConnectionFailure } from "../../../src/fault";
import { WebSocket, type WebSocketOptions } from "../../../src/websocket/client/socket";
import { InMachineSocket } from "../../support/in-machine-socket";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The socket below a WebSocket: records what is written, and keeps what is delivered until it is read. */
class ServerSide extends InMachineSocket {
	sent = Buffer.alloc(0);

	override write(buffer: Uint8Array): number | undefined {
		const room = super.write(buffer);
		this.sent = Buffer.concat([this.sent, buffer]);
		return room;
	}

	/** Unlike the base, appends to what is unread, as TCP does. */
	override deliver(bytes: Uint8Array): void {
		if (this.lost) return;
		this.input = Buffer.concat([this.input.subarray(this.at, this.end), bytes]);
		this.at = 0;
		this.end = this.input.length;
		this.options.onReadable!.call(this, this.end);
	}

	takeSent(): Buffer {
		const { sent } = this;
		this.sent = Buffer.alloc(0);
		return sent;
	}
}

/** A WebSocket of a client, its server, and what the user was told. */
export class ClientHarness {
	readonly socket: WebSocket;
	readonly server: ServerSide;
	received = Buffer.alloc(0);
	readonly failures: (ConnectionFailure | undefined)[] = [];
	readonly rooms: number[] = [];
	/** Calls that the timer owes. */
	readonly due: (() => void)[] = [];
	/** Reads of the user; by default all that is available. */
	onReadable = (available: number): void => this.read(available);

	constructor(options: Partial<WebSocketOptions> = {}) {
		let server: ServerSide | undefined;
		class Below extends ServerSide {
			constructor(tcpOptions: TCPOptions) {
				super(tcpOptions);
				server = this;
			}
		}
		this.socket = new WebSocket({
			host: "broker.example",
			port: 9001,
			path: "/mqtt",
			TCP: { io: Below },
			timer: { set: (callback) => this.due.push(() => callback(0)), clear: () => {} },
			onReadable: (bytes) => this.onReadable(bytes),
			onWritable: (bytes) => void this.rooms.push(bytes),
			onError: (failure) => void this.failures.push(failure),
			...options,
		});
		this.server = server!;
	}

	read(count: number): void {
		const bytes = new Uint8Array(count);
		this.socket.read(bytes);
		this.received = Buffer.concat([this.received, bytes]);
	}

	/** TCP is established. @returns the request that was sent */
	connect(): string {
		this.server.grant();
		return this.server.takeSent().toString("latin1");
	}

	/** Completes the handshake. */
	open(): this {
		this.server.deliver(Buffer.from(answer(acceptOf(this.connect())), "latin1"));
		return this;
	}

	runTimers(): void {
		for (const call of this.due.splice(0)) call();
	}
}

/** What a server answers to a request (RFC 6455 §4.2.2). */
export function acceptOf(request: string): string {
	const key = /^Sec-WebSocket-Key: (.*)\r$/m.exec(request)?.[1] ?? "";
	return createHash("sha1")
		.update(key + GUID)
		.digest("base64");
}

/** An answer; an undefined field is left out. */
export function answer(
	accept: string,
	fields: Record<string, string | undefined> = {},
	line = "HTTP/1.1 101 Switching Protocols",
): string {
	const all: Record<string, string | undefined> = {
		Upgrade: "websocket",
		Connection: "Upgrade",
		"Sec-WebSocket-Accept": accept,
		"Sec-WebSocket-Protocol": "mqtt",
		...fields,
	};
	const lines = Object.entries(all).flatMap(([name, value]) =>
		value === undefined ? [] : `${name}: ${value}`,
	);
	return `${[line, ...lines].join("\r\n")}\r\n\r\n`;
}

/**
 * Frames of a client, unmasked. @throws Error for one that is not masked, or not encoded as RFC 6455 wants
 */
export function parseMasked(bytes: Uint8Array): { opcode: number; key: string; payload: Buffer }[] {
	const frames = [];
	for (let at = 0; at < bytes.length; ) {
		if ((bytes[at] & 0xf0) !== 0x80) throw new Error("not a whole message, or RSV");
		if ((bytes[at + 1] & 0x80) === 0) throw new Error("not masked");
		let length = bytes[at + 1] & 0x7f;
		let head = 2;
		if (length === 126) {
			length = (bytes[at + 2] << 8) | bytes[at + 3];
			head = 4;
			if (length < 126) throw new Error("not the shortest encoding");
		} else if (length === 127) throw new Error("64 bits");
		const key = bytes.subarray(at + head, at + head + 4);
		const start = at + head + 4;
		if (start + length > bytes.length) throw new Error("cut off");
		const payload = Buffer.from(bytes.slice(start, start + length));
		for (let i = 0; i < length; i++) payload[i] ^= key[i & 3];
		frames.push({ opcode: bytes[at] & 15, key: Buffer.from(key).toString("hex"), payload });
		at = start + length;
	}
	return frames;
}

export type { TCP };
