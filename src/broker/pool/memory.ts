import { Arena } from "./arena";
import { Tables } from "./tables";

/**
 * The single buffer for the broker's pools, the packet being received and the PUBLISH being sent, so that
 * bytes move between them with `copyWithin`. The receive and send areas come last, and end where the
 * resizable buffer currently ends: with one length-tracking view for each, the broker passes exactly as many
 * bytes as needed to a socket to fill or send.
 */
export class Memory {
	/** The whole buffer, and a view that reads four of its bytes at once. */
	readonly bytes: Uint8Array;
	readonly words: DataView;
	/** Index of the receive area, which holds the packet being received after its fixed header. */
	readonly receiveStart: number;
	/** Index and size, bytes, of the send area. */
	readonly sendStart: number;
	readonly sendSize: number;
	/** For tables that describe the bytes. */
	readonly tables = new Tables();
	readonly #buffer: ArrayBuffer;
	/** Undefined if each packet gets a new view. */
	readonly #receiveView: Uint8Array | undefined;
	readonly #sendView: Uint8Array | undefined;
	readonly #headerView: Uint8Array;
	readonly #oneByteView: Uint8Array;
	#claimed = 0;

	/**
	 * @param poolBytes size of all arenas together
	 * @param receiveBytes size of the largest packet without its fixed header
	 * @param sendBytes size of the largest PUBLISH sent
	 * @param newViews whether each packet gets a new view instead of a resized buffer: for V8, where resizing
	 *   returns pages to the system and a view is cheap
	 */
	constructor(poolBytes: number, receiveBytes: number, sendBytes = 0, newViews = false) {
		const size = poolBytes + receiveBytes + sendBytes;
		this.receiveStart = poolBytes;
		this.sendStart = poolBytes + receiveBytes;
		this.sendSize = sendBytes;
		this.#buffer = newViews ? new ArrayBuffer(size) : new ArrayBuffer(size, { maxByteLength: size });
		this.bytes = new Uint8Array(this.#buffer);
		this.words = new DataView(this.#buffer);
		this.#headerView = this.tables.u8(2);
		this.#oneByteView = this.tables.u8(1);
		this.#receiveView = newViews ? undefined : new Uint8Array(this.#buffer, poolBytes);
		this.#sendView = newViews ? undefined : new Uint8Array(this.#buffer, poolBytes + receiveBytes);
	}

	/** Reserves the next `size` bytes of the pools, and returns the index of the first one. */
	claim(size: number): number {
		const start = this.#claimed;
		this.#claimed = start + size;
		return start;
	}

	/** Makes the next `size` bytes an arena. */
	arena(size: number, records: number): Arena {
		const start = this.claim(size);
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

	/** A view of the first `length` bytes of the receive area. Invalidates the send area. */
	receiveView(length: number): Uint8Array {
		if (this.#receiveView === undefined) return new Uint8Array(this.#buffer, this.receiveStart, length);
		this.#buffer.resize(this.receiveStart + length);
		return this.#receiveView;
	}

	/**
	 * Makes the whole send area writable. Must be called as soon as a socket has taken or filled a view:
	 * garbage collection in XS trims a shortened buffer to its current length, and lengthening it again would
	 * need room for a second copy.
	 */
	reopenSendArea(): void {
		if (this.#sendView !== undefined) this.#buffer.resize(this.sendStart + this.sendSize);
	}

	/** A view of the first `length` bytes of the send area, for a socket. */
	sendView(length: number): Uint8Array {
		if (this.#sendView === undefined) return new Uint8Array(this.#buffer, this.sendStart, length);
		this.#buffer.resize(this.sendStart + length);
		return this.#sendView;
	}
}
