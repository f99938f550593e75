import type { DirtyFlags } from "../pool/dirty-flags";
import type { Memory } from "../pool/memory";
import type { Message } from "../pool/message";
import { Messages } from "../pool/messages";

/**
 * Contents of queued messages. One is stored once for all entries that refer to it, and released with the
 * last of them. While a message is routed, its content is the current one, which entries are made for.
 */
export class QueueContents extends Messages {
	/** The content of the message that is being routed, once it is reserved; otherwise 0. */
	current = 0;
	/** Records changed contents; undefined without persistence. */
	dirtyFlags: DirtyFlags | undefined = undefined;
	/** Number of entries that refer to each content. */
	readonly #references: Uint16Array;

	/** @param bytes for all contents @param records contents at most */
	constructor(memory: Memory, bytes: number, records: number) {
		super(memory, memory.arena(bytes, records), records);
		this.#references = memory.tables.u16(records + 1);
	}

	/** Begins the routing of a message, which endMessage() ends. */
	beginMessage(): void {
		if (this.current !== 0) this.endMessage(); // after an exception
	}

	/** Releases a reserved content that no entry refers to. */
	endMessage(): void {
		const content = this.current;
		if (content === 0) return;
		this.current = 0;
		if (this.#references[content] !== 0) return;
		this.arena.release(content);
		this.dirtyFlags?.mark(content);
	}

	/** Stores the content of the message for entries of it; false if there is no room. */
	reserve(message: Message): boolean {
		if (this.current !== 0) return true;
		const content = this.add(message);
		if (content === 0) return false;
		this.#references[content] = 0;
		this.dirtyFlags?.mark(content);
		this.current = content;
		return true;
	}

	/** Counts an entry's reference to a content. */
	refer(content: number): void {
		this.#references[content]++;
	}

	/** Ends an entry's reference, and releases the content with the last one. */
	dereference(content: number): void {
		if (--this.#references[content] !== 0) return;
		this.arena.release(content);
		this.dirtyFlags?.mark(content);
		if (this.current === content) this.current = 0;
	}

	/** Releases a restored content that no entry refers to. @returns whether it was released */
	discardUnused(content: number): boolean {
		if (this.#references[content] !== 0) return false;
		this.arena.release(content);
		return true;
	}
}
