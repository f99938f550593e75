import type { VirtualSocket } from "../../sim/network/virtual-socket";

/**
 * A program at the other end of a device's connection. It reads what arrives, unless it is frozen, and keeps
 * what it sends until the socket has room for it.
 */
export class NetworkPeer {
	readonly socket: VirtualSocket;
	onData: (bytes: Uint8Array) => void = () => {};
	onEnd: () => void = () => {};
	/** It does not read. */
	frozen = false;
	/** Bytes that have arrived and are not read yet. */
	unread = 0;
	/** The connection is over, and everything that arrived has been read; or it was closed. */
	ended = false;
	readonly #unsent: Uint8Array[] = [];
	#room = 0;
	#ending = false;

	constructor(socket: VirtualSocket) {
		this.socket = socket;
		socket.handler = {
			readable: (bytes) => {
				this.unread = bytes;
				if (!this.frozen) this.read();
			},
			writable: (room) => {
				this.#room = room;
				this.#send();
			},
			failed: () => {
				this.close();
				this.onEnd();
			},
		};
	}

	/** The device's end, once the connection is established. */
	get remote(): VirtualSocket {
		const { peer } = this.socket;
		if (peer === undefined) throw new Error("not connected");
		return peer;
	}

	/** Whether bytes wait for room. */
	get hasUnsent(): boolean {
		return this.#unsent.length > 0;
	}

	/** Sends bytes, now or as soon as there is room for them. */
	write(bytes: Uint8Array): void {
		if (this.ended || this.#ending) return;
		this.#unsent.push(bytes);
		this.#send();
	}

	/** Reads `count` bytes, also if it is frozen; fewer if there are fewer. */
	read(count = this.unread): void {
		const bytes = new Uint8Array(Math.min(count, this.unread));
		if (bytes.length === 0) return;
		// a reset may have discarded them
		if (this.socket.read(bytes) === undefined) this.unread = 0;
		else {
			this.unread -= bytes.length;
			this.onData(bytes);
		}
	}

	/** Reads on, from what has arrived meanwhile. */
	thaw(): void {
		this.frozen = false;
		this.read();
	}

	/** Closes the connection behind everything that it wants to send. */
	end(): void {
		this.#ending = true;
		this.#send();
	}

	/** Closes the connection as a program that exits: behind what the socket has; RST if bytes are unread. */
	close(): void {
		this.ended = true;
		this.#unsent.length = 0;
		this.socket.close();
	}

	/** Closes the connection with RST. */
	reset(): void {
		this.ended = true;
		this.#unsent.length = 0;
		this.socket.handler = undefined;
		this.socket.reset();
	}

	#send(): void {
		for (let bytes = this.#unsent[0]; bytes !== undefined && this.#room > 0; bytes = this.#unsent[0]) {
			const part = bytes.subarray(0, this.#room);
			if (!this.#write(part)) break;
			if (part.length === bytes.length) this.#unsent.shift();
			else this.#unsent[0] = bytes.subarray(part.length);
		}
		if (this.#ending && !this.ended && this.#unsent.length === 0) this.close();
	}

	/** @returns false once the connection is over */
	#write(bytes: Uint8Array): boolean {
		let room: number | undefined;
		try {
			room = this.socket.write(bytes);
		} catch (error) {
			// the connection is over, and its last bytes are not read yet
			if (!(error instanceof Error) || error.message !== "not ready") throw error;
		}
		if (room === undefined) this.#unsent.length = 0;
		this.#room = room ?? 0;
		return room !== undefined;
	}
}
