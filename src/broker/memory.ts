import { Arena } from "./arena";
import { Tables } from "./tables";

/**
 * The one buffer that holds what the broker keeps, the packet it is reading and the PUBLISH it is writing, so that bytes move from one to the other with
 * `copyWithin`. The last two areas end where the resizable buffer ends at that moment: one length-tracking view each lets the broker ask a socket for exactly
 * as many bytes as wanted, and give it exactly as many as written.
 */
export class Memory {
	/** Everything, from index 0. */
	readonly bytes: Uint8Array;
	/** Index of the receive area: of what follows the fixed header of the packet that is being read. */
	readonly body: number;
	/** Index of the send area, and the bytes it takes. */
	readonly out: number;
	readonly outSize: number;
	/** For what describes the bytes. */
	readonly tables = new Tables();
	readonly #buffer: ArrayBuffer;
	/** Undefined where views are made for each packet. */
	readonly #tail: Uint8Array | undefined;
	readonly #sealed: Uint8Array | undefined;
	readonly #head: Uint8Array;
	readonly #one: Uint8Array;
	#claimed = 0;

	/**
	 * @param kept bytes for the arenas @param packet bytes of the largest packet after its fixed header @param out bytes of the largest PUBLISH written
	 * @param newViews whether each packet gets a new view instead of a resized buffer: for V8, where resizing gives pages back to the system and a view is cheap
	 */
	constructor(kept: number, packet: number, out = 0, newViews = false) {
		const size = kept + packet + out;
		this.body = kept;
		this.out = kept + packet;
		this.outSize = out;
		this.#buffer = newViews ? new ArrayBuffer(size) : new ArrayBuffer(size, { maxByteLength: size });
		this.bytes = new Uint8Array(this.#buffer);
		this.#head = this.tables.u8(2);
		this.#one = this.tables.u8(1);
		this.#tail = newViews ? undefined : new Uint8Array(this.#buffer, kept);
		this.#sealed = newViews ? undefined : new Uint8Array(this.#buffer, kept + packet);
	}

	/** The next `size` bytes as an arena. */
	arena(size: number, records: number): Arena {
		const start = this.#claimed;
		this.#claimed = start + size;
		return new Arena(this.tables, this.bytes, start, start + size, records);
	}

	/** A view of two bytes, for the start of a packet. */
	get head(): Uint8Array {
		return this.#head;
	}

	/** A view of one byte. */
	get one(): Uint8Array {
		return this.#one;
	}

	/** A view of the receive area from `body`, `length` bytes long. The send area is gone. */
	tail(length: number): Uint8Array {
		if (this.#tail === undefined) return new Uint8Array(this.#buffer, this.body, length);
		this.#buffer.resize(this.body + length);
		return this.#tail;
	}

	/**
	 * Makes the whole send area writable. To be called as soon as a socket has taken or filled a view: XS keeps of a shortened buffer only what it holds when it
	 * collects garbage, and would need all of it a second time to make it longer again.
	 */
	open(): void {
		if (this.#sealed !== undefined) this.#buffer.resize(this.out + this.outSize);
	}

	/** A view of the first `length` bytes of the send area, ready for a socket. */
	sealed(length: number): Uint8Array {
		if (this.#sealed === undefined) return new Uint8Array(this.#buffer, this.out, length);
		this.#buffer.resize(this.out + length);
		return this.#sealed;
	}
}
