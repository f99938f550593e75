import { Arena } from "./arena";
import { Tables } from "./tables";

/**
 * The one buffer that holds what the broker keeps and the packet it is reading, so that bytes move from one to the other with `copyWithin`.
 * Its end is the receive area: a resizable buffer under a length-tracking view lets one view ask a socket for exactly as many bytes as wanted.
 */
export class Memory {
	/** Everything, from index 0. */
	readonly bytes: Uint8Array;
	/** Index of the receive area: of what follows the fixed header of the packet that is being read. */
	readonly body: number;
	/** For what describes the bytes. */
	readonly tables = new Tables();
	readonly #buffer: ArrayBuffer;
	readonly #tail: Uint8Array;
	readonly #head: Uint8Array;
	readonly #one: Uint8Array;
	#claimed = 0;

	/** @param kept bytes for the arenas @param packet bytes of the largest packet after its fixed header */
	constructor(kept: number, packet: number) {
		this.body = kept;
		this.#buffer = new ArrayBuffer(kept + packet, { maxByteLength: kept + packet });
		this.bytes = new Uint8Array(this.#buffer);
		this.#head = this.tables.u8(2);
		this.#one = this.tables.u8(1);
		this.#tail = new Uint8Array(this.#buffer, kept);
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

	/** A view of the receive area from `body`, `length` bytes long. */
	tail(length: number): Uint8Array {
		this.#buffer.resize(this.body + length);
		return this.#tail;
	}
}
