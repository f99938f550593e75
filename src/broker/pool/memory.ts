import { Arena } from "./arena";
import { Tables } from "./tables";

/**
 * The one buffer that holds what the broker keeps, the packet it is reading and the PUBLISH it is writing, so
 * that bytes move from one to the other with `copyWithin`. The last two areas end where the resizable buffer
 * ends at that moment: one length-tracking view each lets the broker ask a socket for exactly as many bytes
 * as wanted, and give it exactly as many as written.
 */
export class Memory {
	/** Everything, from index 0. */
	readonly bytes: Uint8Array;
	/** Index of the receive area: of what follows the fixed header of the packet that is being read. */
	readonly receiveStart: number;
	/** Index of the send area, and the bytes it takes. */
	readonly sendStart: number;
	readonly sendSize: number;
	/** For what describes the bytes. */
	readonly tables = new Tables();
	readonly #buffer: ArrayBuffer;
	/** Undefined where views are made for each packet. */
	readonly #receiveView: Uint8Array | undefined;
	readonly #sendView: Uint8Array | undefined;
	readonly #headerView: Uint8Array;
	readonly #oneByteView: Uint8Array;
	#claimed = 0;

	/**
	 * @param poolBytes bytes for the arenas
	 * @param receiveBytes bytes of the largest packet after its fixed header
	 * @param sendBytes bytes of the largest PUBLISH written
	 * @param newViews whether each packet gets a new view instead of a resized buffer: for V8, where resizing
	 *   gives pages back to the system and a view is cheap
	 */
	constructor(poolBytes: number, receiveBytes: number, sendBytes = 0, newViews = false) {
		const size = poolBytes + receiveBytes + sendBytes;
		this.receiveStart = poolBytes;
		this.sendStart = poolBytes + receiveBytes;
		this.sendSize = sendBytes;
		this.#buffer = newViews ? new ArrayBuffer(size) : new ArrayBuffer(size, { maxByteLength: size });
		this.bytes = new Uint8Array(this.#buffer);
		this.#headerView = this.tables.u8(2);
		this.#oneByteView = this.tables.u8(1);
		this.#receiveView = newViews ? undefined : new Uint8Array(this.#buffer, poolBytes);
		this.#sendView = newViews ? undefined : new Uint8Array(this.#buffer, poolBytes + receiveBytes);
	}

	/** The next `size` bytes as an arena. */
	arena(size: number, records: number): Arena {
		const start = this.#claimed;
		this.#claimed = start + size;
		return new Arena(this.tables, this.bytes, start, start + size, records);
	}

	/** A view of two bytes, for the start of a packet. */
	get headerView(): Uint8Array {
		return this.#headerView;
	}

	/** A view of one byte. */
	get oneByteView(): Uint8Array {
		return this.#oneByteView;
	}

	/** A view of the receive area from `body`, `length` bytes long. The send area is gone. */
	receiveView(length: number): Uint8Array {
		if (this.#receiveView === undefined) return new Uint8Array(this.#buffer, this.receiveStart, length);
		this.#buffer.resize(this.receiveStart + length);
		return this.#receiveView;
	}

	/**
	 * Makes the whole send area writable. To be called as soon as a socket has taken or filled a view: XS keeps
	 * of a shortened buffer only what it holds when it collects garbage, and would need all of it a second time
	 * to make it longer again.
	 */
	reopenSendArea(): void {
		if (this.#sendView !== undefined) this.#buffer.resize(this.sendStart + this.sendSize);
	}

	/** A view of the first `length` bytes of the send area, ready for a socket. */
	sendView(length: number): Uint8Array {
		if (this.#sendView === undefined) return new Uint8Array(this.#buffer, this.sendStart, length);
		this.#buffer.resize(this.sendStart + length);
		return this.#sendView;
	}
}
