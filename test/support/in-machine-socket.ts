import type { TCP, TCPOptions } from "../../src/device";

/** Bytes: SEND_ROOM of sim/network/socket.ts, which a module of a bench does not import. */
const SEND_ROOM = 5744;
/** Room of a connection that is over: less than a write of no bytes needs. */
const NOT_READY = -1;

/**
 * A socket inside an XS machine, whose peer is the bench. It follows the rules of sim/network's sockets
 * (in-machine-socket.test.ts compares them), which cannot run there: they allocate for each segment.
 * Callbacks are called at once, by the bench; a peer that reads acknowledges within `write`, so that the room
 * is full again. Bytes are copied one by one, since a view of them would be an allocation.
 */
export class InMachineSocket implements TCP {
	/** As on a chip: {@link target} is the option, and callbacks are called with the socket as `this`. */
	static readonly hasTarget: boolean = true;
	/** The socket that was constructed last. */
	static last: InMachineSocket;
	readonly options: TCPOptions;
	declare readonly target: unknown;
	/** Unread bytes are [at, end) of it. */
	input: Uint8Array = new Uint8Array(0);
	at = 0;
	end = 0;
	/** Number of writes. */
	packets = 0;
	// Defaults are in the prototype: what a socket in use does not change takes no slot of it.
	/** Bytes that may be written. */
	declare room: number;
	/** The peer does not read: a write uses the room up. */
	declare frozen: boolean;
	/** The connection is over, at either end. */
	declare lost: boolean;
	/** Closed by the owner, who is not called any more. */
	declare closed: boolean;

	constructor(options: TCPOptions) {
		this.options = options;
		if (options.target !== undefined) this.target = options.target;
		InMachineSocket.last = this;
	}

	read(buffer: Uint8Array): number | undefined {
		const length = buffer.length;
		if (length === 0 || length > this.end - this.at) {
			if (this.at === this.end) return undefined;
			throw new Error("invalid");
		}
		for (let i = 0; i < length; i++) buffer[i] = this.input[this.at++];
		return length;
	}

	write(buffer: Uint8Array): number | undefined {
		if (buffer.length > this.room) throw new Error(this.lost ? "not ready" : "would block");
		this.packets++;
		if (this.frozen) this.room -= buffer.length;
		return this.room;
	}

	close(): void {
		this.closed = true;
		this.lost = true;
		this.room = NOT_READY;
		this.at = this.end;
	}

	// The peer's end

	/** Sends bytes; throws if earlier ones are unread, as they would be overwritten. */
	deliver(bytes: Uint8Array): void {
		if (this.lost) return;
		if (this.at < this.end) throw new Error("the bytes before are unread");
		this.input = bytes;
		this.at = 0;
		this.end = bytes.length;
		this.options.onReadable!.call(this, this.end);
	}

	/** Connected, or the peer has read. @param room of a frozen peer: bytes that it takes */
	grant(room = this.room): void {
		if (this.frozen) this.room = room;
		if (!this.closed) this.options.onWritable!.call(this, this.room);
	}

	/** The connection is lost: the owner is told once nothing is unread, at the next {@link turn}. */
	fail(): void {
		this.lost = true;
		this.room = NOT_READY;
		this.turn();
	}

	/** Tells the owner of the end if it is due. */
	turn(): void {
		if (this.lost && !this.closed && this.at === this.end) this.options.onError!.call(this);
	}
}

Object.assign(InMachineSocket.prototype, { room: SEND_ROOM, frozen: false, lost: false, closed: false });
