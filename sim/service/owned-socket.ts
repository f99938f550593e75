import type { Socket } from "node:net";
import { Readable } from "node:stream";

/** Who is told what happens to a socket. */
export interface SocketOwner {
	/** Whether it takes so many bytes now; else they wait in the stream. */
	canReceive(size: number): boolean;
	onReceived(chunk: Uint8Array): void;
	onDrained(): void;
	/** The peer has ended the connection, or it is lost; may be told more than once. */
	onClosed(): void;
}

const owner = Symbol("owner");

/** A socket that knows its owner, so that all sockets share their listeners. */
export interface OwnedSocket extends Socket {
	[owner]?: SocketOwner | undefined;
}

/** Tells a first owner when the connection is lost. */
export function attachOwner(socket: OwnedSocket, by: SocketOwner): void {
	socket[owner] = by;
	socket.on("error", onClose).on("close", onClose);
}

/** Tells another owner, now also when the peer ends the connection and when all is sent. */
export function transferOwner(socket: OwnedSocket, to: SocketOwner): void {
	socket[owner] = to;
	socket.on("end", onClose).on("drain", onDrain);
}

/** Begins to tell what is received. */
export function startReading(socket: OwnedSocket): void {
	socket.on("data", onData);
	socket.push = push;
}

/** Tells nobody any more, and throws away what still comes. */
export function detachOwner(socket: OwnedSocket): void {
	socket[owner] = undefined;
	socket.resume();
}

/**
 * In the place of readable.push(), to which Node's sockets give what they read. A stream does much for each
 * chunk; where nothing waits in it, chunks go past it. On a Node whose sockets did not use it they would come
 * as "data".
 */
function push(this: OwnedSocket, chunk: Uint8Array | null, encoding?: BufferEncoding): boolean {
	const by = this[owner];
	if (chunk === null || this.readableLength !== 0 || !by?.canReceive(chunk.length))
		return Readable.prototype.push.call(this, chunk, encoding);
	by.onReceived(chunk);
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
