import { NEVER } from "../clock";
import type { Core } from "../core";
import type { Tables } from "../tables";
import type { KeptMessages } from "./kept-messages";
import { CHANGED, type Ledger, STORED, TRIED } from "./ledger";
import type { Lifetime } from "./lifetime";
import { ENTRY, SESSION, SUBSCRIPTION, type Vault } from "./vault";

const WILL = 1;

/**
 * Stores sessions that outlive their connection, and wills: of all clients, as one that is connected when the power goes is one that went without DISCONNECT.
 *
 * When a session ends is stored an eighth of its expiry interval too late, and anew only when that would be too early: a node that comes once a minute
 * would otherwise be written once a minute.
 */
export class KeptSessions {
	readonly #core: Core;
	readonly #vault: Vault;
	readonly #lifetime: Lifetime;
	readonly #messages: KeptMessages;
	readonly #ledger: Ledger;
	/** Of each session as it is stored: when it ends, s of the lifetime's clock, NEVER while its client is connected, 0 for one that does not last; and the CRC. */
	readonly #ends: Uint32Array;
	readonly #sums: Uint32Array;
	/** While restoring: the session of each stored one. */
	#restored = new Uint16Array(0);

	constructor(core: Core, tables: Tables, vault: Vault, lifetime: Lifetime, messages: KeptMessages) {
		this.#core = core;
		this.#vault = vault;
		this.#lifetime = lifetime;
		this.#messages = messages;
		this.#ledger = vault.ledgers[SESSION];
		this.#ends = tables.u32(core.sessions.last + 1);
		this.#sums = tables.u32(core.sessions.last + 1);
	}

	/** @returns how many sessions found no room */
	restore(): number {
		const { sessions } = this.#core;
		const vault = this.#vault;
		const { states } = this.#ledger;
		let lost = 0;
		this.#restored = new Uint16Array(states.length);
		for (let i = 1; i < states.length; i++) {
			if (!vault.read(SESSION, i)) continue;
			const session = this.add();
			if (session === 0) lost++;
			this.#restored[i] = session;
			this.#ledger.move(i, session);
			// It ends in its time from now on, however often the power goes
			if (this.#ends[session] === NEVER && sessions.expiry(session) !== NEVER) this.#ledger.mark(session);
		}
		sessions.ledger = this.#ledger;
		return lost;
	}

	/** The session that was stored under a number; 0 if it could not be restored. */
	restored(stored: number): number {
		return this.#restored[stored] ?? 0;
	}

	/** Nothing is asked of restored() any more. */
	close(): void {
		this.#restored = new Uint16Array(0);
	}

	save(): void {
		const { sessions } = this.#core;
		const ledger = this.#ledger;
		const vault = this.#vault;
		if (!ledger.changed) return;
		const { states } = ledger;
		for (let i = 1; i < states.length; i++) {
			if ((states[i] & CHANGED) === 0) continue;
			const used = i <= sessions.last && sessions.used(i);
			const lasting = used && sessions.lasting(i);
			if (lasting !== (this.#ends[i] ?? 0) > 0) this.markAll(i);
			if (!lasting && (!used || sessions.will(i) === 0)) {
				if (i <= sessions.last) this.#ends[i] = 0;
				vault.drop(SESSION, i);
				continue;
			}
			const ends = lasting ? this.endOf(i) : 0;
			this.write(i, ends);
			const { sum } = vault.body;
			if ((states[i] & (STORED | TRIED)) === STORED && sum === this.#sums[i]) continue;
			vault.put(SESSION, i);
			this.#sums[i] = sum;
			this.#ends[i] = ends;
		}
	}

	/** So much time has passed without power, as {@link KeptValues.age}. */
	age(missed: number): void {
		const { sessions } = this.#core;
		const ledger = this.#ledger;
		for (let i = 1; i <= sessions.last; i++) {
			const ends = sessions.endsAt(i);
			if (!sessions.used(i) || ends === NEVER) continue;
			if (ledger.restored(i)) sessions.setEndsAt(i, Math.max(0, ends - Math.floor(missed / 1000)));
			else ledger.mark(i);
		}
	}

	/** When a lasting session ends, as it is to be stored. */
	private endOf(session: number): number {
		const { sessions } = this.#core;
		const expiry = sessions.expiry(session);
		if (expiry === NEVER || sessions.connection(session) !== 0) return NEVER;
		const due = Math.ceil(this.#lifetime.from(sessions.endsAt(session) * 1000) / 1000);
		const latest = due + (expiry >>> 2);
		const stored = this.#ends[session];
		return stored >= due && stored <= latest ? stored : Math.min(due + (expiry >>> 3), NEVER - 1);
	}

	/** A session lasts from now on, or no more, and so do its subscriptions and what waits for it. */
	private markAll(session: number): void {
		const { subscriptions } = this.#core;
		const subscribed = this.#vault.ledgers[SUBSCRIPTION];
		for (let i = subscriptions.firstOf(session); i !== 0; i = subscriptions.next(i)) subscribed.mark(i);
		this.#vault.ledgers[ENTRY].changed = true;
	}

	private write(session: number, ends: number): void {
		const { sessions, authority } = this.#core;
		const { body } = this.#vault;
		const will = sessions.will(session);
		const start = sessions.identifierStart(session);
		const end = sessions.identifierEnd(session);
		body.begin();
		body.u32(sessions.expiry(session));
		body.u32(ends);
		body.u8(0);
		const user = body.at;
		body.at = authority.writeUser(session, body.bytes, user);
		body.bytes[user - 1] = body.at - user;
		body.u16(end - start);
		body.copy(sessions.texts, start, end);
		body.u8(will === 0 ? 0 : WILL);
		if (will === 0) return;
		body.u32(sessions.willDelay(session));
		this.#messages.write(sessions.wills, will);
	}

	/** Adds the session that is in the body; 0 when it has no room, or its user none any more. */
	private add(): number {
		const { sessions, authority, clock } = this.#core;
		const { body } = this.#vault;
		const { bytes } = body;
		const expiry = body.readU32();
		const ends = body.readU32();
		const user = body.at + 1;
		const identifier = user + body.readU8() + 2;
		body.at = identifier - 2;
		const end = identifier + body.readU16();
		const session = sessions.add(bytes, identifier, end);
		if (session === 0) return 0;
		if (!authority.restore(session, bytes, user, identifier - 2)) {
			sessions.remove(session);
			return 0;
		}
		sessions.setExpiry(session, expiry);
		sessions.setEndsAt(session, ends === NEVER ? clock.after(expiry) : Math.max(0, Math.ceil(this.#lifetime.to(ends * 1000) / 1000)));
		this.#ends[session] = ends;
		body.at = end;
		if (body.readU8() === WILL) {
			const delay = body.readU32();
			this.#messages.read();
			sessions.setWill(session, sessions.wills.add(this.#messages.message));
			sessions.setWillDelay(session, delay);
			sessions.setWillAt(session, clock.after(delay));
		}
		return session;
	}
}
