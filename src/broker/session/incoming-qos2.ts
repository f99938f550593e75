import type { DirtyFlags } from "../pool/dirty-flags";
import type { Tables } from "../pool/tables";

/**
 * The packet identifiers of the QoS 2 messages that each session's client has sent but not released yet
 * (§4.3.3).
 *
 * Each session has room for as many as the broker announced as Receive Maximum: an announced place must
 * exist, whatever other sessions hold. Unused places of a session are 0 and follow the used ones.
 */
export class IncomingQos2 {
	/** Maximum number of identifiers of one session. */
	readonly limit: number;
	/** Records sessions whose identifiers change, each under its number plus `firstRecord`. */
	dirtyFlags: DirtyFlags | undefined = undefined;
	firstRecord = 0;
	readonly #identifiers: Uint16Array;

	constructor(tables: Tables, sessions: number, limit: number) {
		this.limit = limit;
		this.#identifiers = tables.u16(sessions * limit);
	}

	/** The identifier at a place of a session, from 0 to `limit` − 1; 0 if the place is unused. */
	at(session: number, place: number): number {
		return this.#identifiers[(session - 1) * this.limit + place];
	}

	has(session: number, packetId: number): boolean {
		return this.find(session, packetId) >= 0;
	}

	count(session: number): number {
		const free = this.find(session, 0);
		return free < 0 ? this.limit : free - (session - 1) * this.limit;
	}

	/** Adds a packet identifier; false if the session has `limit` of them. */
	add(session: number, packetId: number): boolean {
		const at = this.find(session, 0);
		if (at < 0) return false;
		this.#identifiers[at] = packetId;
		this.dirtyFlags?.mark(this.firstRecord + session);
		return true;
	}

	/** Deletes a packet identifier; false if it was not there. */
	delete(session: number, packetId: number): boolean {
		const identifiers = this.#identifiers;
		const at = this.find(session, packetId);
		if (at < 0) return false;
		const last = (session - 1) * this.limit + this.count(session) - 1;
		identifiers[at] = identifiers[last];
		identifiers[last] = 0;
		this.dirtyFlags?.mark(this.firstRecord + session);
		return true;
	}

	/** Deletes all packet identifiers of a session. */
	clear(session: number): void {
		const first = (session - 1) * this.limit;
		if (this.#identifiers[first] === 0) return;
		this.#identifiers.fill(0, first, first + this.limit);
		this.dirtyFlags?.mark(this.firstRecord + session);
	}

	/** Index of an identifier, or with 0 of the first unused place; −1 if there is none. */
	private find(session: number, packetId: number): number {
		const identifiers = this.#identifiers;
		const end = session * this.limit;
		let at = end - this.limit;
		while (at < end && identifiers[at] !== packetId) {
			if (identifiers[at] === 0) return -1;
			at++;
		}
		return at === end ? -1 : at;
	}
}
