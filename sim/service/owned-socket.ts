import type { Socket } from "node:net";
import { Readable } from "node:stream";

/** Receiver of the events of a socket. */
export interface SocketOwner {
	/** Whether it accepts `size` bytes now; otherwise they stay in the stream. */
	canReceive(size: number): boolean;
	onReceived(chunk: Uint8Array): void;
	onDrained(): void;
	/** The peer has ended the connection, or it is lost; may be called more than once. */
	onClosed(): void;
}

const owner = Symbol("owner");

/** A socket with a reference to its owner, so that all sockets share the same listener functions. */
export interface OwnedSocket extends Socket {
	[owner]?: SocketOwner | undefined;
}

/** Sets the first owner, which is notified of a lost connection only. */
export function attachOwner(socket: OwnedSocket, first: SocketOwner): void {
	socket[owner] = first;
	socket.on("error", onClose).on("close", onClose);
}

/** Sets another owner, which is also notified of the peer's end of the connection and of "drain". */
export function transferOwner(socket: OwnedSocket, next: SocketOwner): void {
	socket[owner] = next;
	socket.on("end", onClose).on("drain", onDrain);
}

/** Starts passing received data to the owner. */
export function startReading(socket: OwnedSocket): void {
	socket.on("data", onData);
	socket.push = push;
}

/** Replaces the owner of a socket that may be paused. */
export function replaceOwner(socket: OwnedSocket, next: SocketOwner): void {
	socket[owner] = next;
	socket.resume();
}

/**
 * Replaces readable.push(), to which Node's sockets pass received data. Chunks bypass the stream while it is
 * empty, because a stream has a high cost per chunk. If a version of Node did not call push(), chunks would
 * arrive as "data" events.
 */
function push(this: OwnedSocket, chunk: Uint8Array | null, encoding?: BufferEncoding): boolean {
	const current = this[owner];
	if (chunk === null || this.readableLength !== 0 || !current?.canReceive(chunk.length))
		return Readable.prototype.push.call(this, chunk, encoding);
	current.onReceived(chunk);
	return true;
}

function onData(this: OwnedSocket, chunk: Uint8Array): void {
	this[owner]?.onReceived(chunk);
}

function onDrain(this: OwnedSocket): void {
	this[owner]?.onDrained();
}

function onClose(this: OwnedSocket): void {
	this[owner]?.onClosed();
}
