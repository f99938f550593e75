import type { Tables } from "../pool/tables";
import type { QueueEntries } from "./queue-entries";

/**
 * The packet identifiers of the QoS 2 messages that each session's client has sent but not released yet
 * (§4.3.3). Each takes a queue entry without content.
 */
export class IncomingQos2 {
	readonly #entries: QueueEntries;
	/** The first entry of each session. */
	readonly #first: Uint16Array;

	constructor(tables: Tables, entries: QueueEntries, sessions: number) {
		this.#entries = entries;
		this.#first = tables.u16(sessions + 1);
	}

	/** The first entry of a session, 0 for none; QueueEntries.next() returns the following ones. */
	first(session: number): number {
		return this.#first[session];
	}

	has(session: number, packetId: number): boolean {
		const entries = this.#entries;
		let entry = this.#first[session];
		while (entry !== 0 && entries.packetId(entry) !== packetId) entry = entries.next(entry);
		return entry !== 0;
	}

	count(session: number): number {
		let count = 0;
		for (let entry = this.#first[session]; entry !== 0; entry = this.#entries.next(entry)) count++;
		return count;
	}

	/** Adds a packet identifier; returns its entry, 0 if no entry is free. */
	add(session: number, packetId: number): number {
		const entries = this.#entries;
		if (entries.free === 0) return 0;
		const entry = entries.allocate(0, 0, 0, 0);
		entries.setPacketId(entry, packetId);
		entries.setNext(entry, this.#first[session]);
		this.#first[session] = entry;
		return entry;
	}

	/** Deletes a packet identifier; false if it was not there. */
	delete(session: number, packetId: number): boolean {
		const entries = this.#entries;
		let previous = 0;
		let entry = this.#first[session];
		while (entry !== 0 && entries.packetId(entry) !== packetId) {
			previous = entry;
			entry = entries.next(entry);
		}
		if (entry === 0) return false;
		if (previous === 0) this.#first[session] = entries.next(entry);
		else entries.setNext(previous, entries.next(entry));
		entries.release(entry);
		return true;
	}

	/** Deletes all packet identifiers of a session. */
	clear(session: number): void {
		const entries = this.#entries;
		let entry = this.#first[session];
		this.#first[session] = 0;
		while (entry !== 0) {
			const next = entries.next(entry);
			entries.release(entry);
			entry = next;
		}
	}
}
