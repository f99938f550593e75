import type { RecordSocket } from "ssl/session";
import type { TCP } from "../../src/device";
import type { HandshakeOrder } from "./handshake-order";

/**
 * The socket below, as the SDK's TLS session uses it: records wait here until the socket has room for them.
 */
export class RecordQueue implements RecordSocket {
	/** Bytes to read; the session counts them. */
	readable = 0;
	/** The session's own count of the room, which is not needed. */
	writable = 0;
	/** Bytes that may be written to the socket. */
	room = 0;
	/** A write failed. */
	isLost = false;
	tcp: TCP | undefined;
	/** Checks what is read, as long as it is not encrypted. */
	order: HandshakeOrder | undefined;
	#waiting: Uint8Array[] | undefined;

	get isEmpty(): boolean {
		return this.#waiting === undefined;
	}

	/** @throws Error for what a server must not send now */
	read(buffer: Uint8Array): void {
		this.tcp?.read(buffer);
		if (this.order === undefined) return;
		this.order.push(buffer);
		if (this.order.isOver) this.order = undefined;
	}

	write(record: ArrayBuffer | Uint8Array): number {
		const bytes = record instanceof Uint8Array ? record : new Uint8Array(record);
		if (this.#waiting !== undefined || bytes.length > this.room) {
			this.#waiting ??= [];
			this.#waiting.push(bytes);
		} else this.send(bytes);
		return this.room;
	}

	/** Writes what waits, as far as there is room. */
	flush(): void {
		const waiting = this.#waiting;
		while (waiting !== undefined && waiting.length > 0 && waiting[0].length <= this.room)
			this.send(waiting.shift()!);
		if (waiting?.length === 0) this.#waiting = undefined;
	}

	private send(bytes: Uint8Array): void {
		let room: number | undefined;
		try {
			room = this.tcp?.write(bytes);
		} catch {
			// The peer has gone, and what it sent is not read yet.
		}
		if (room === undefined) this.isLost = true;
		this.room = room ?? 0;
	}
}
