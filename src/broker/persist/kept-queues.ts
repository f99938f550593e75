import type { Core } from "../core";
import type { KeptMessages } from "./kept-messages";
import type { KeptSessions } from "./kept-sessions";
import { ALIVE, CHANGED, type Ledger, STORED } from "./ledger";
import { CONTENT, ENTRY, type Vault } from "./vault";

/** What an entry is, in storage. */
const OUTGOING = 0;
const TAKEN = 1;

const QOS = 6;

/**
 * Stores the QoS 1 and 2 messages that wait for lasting sessions or are under way to them, and the packet identifiers of the QoS 2 messages that came from
 * them. A message is stored once however many wait for it.
 */
export class KeptQueues {
	readonly #core: Core;
	readonly #vault: Vault;
	readonly #messages: KeptMessages;
	readonly #entries: Ledger;
	readonly #contents: Ledger;

	constructor(core: Core, vault: Vault, messages: KeptMessages) {
		this.#core = core;
		this.#vault = vault;
		this.#messages = messages;
		this.#entries = vault.ledgers[ENTRY];
		this.#contents = vault.ledgers[CONTENT];
	}

	/** @returns how many messages found no room */
	restore(sessions: KeptSessions): number {
		const { queues, subscriptions, authority } = this.#core;
		const vault = this.#vault;
		const { body } = vault;
		const contents = new Uint16Array(this.#contents.states.length);
		const { message } = this.#messages;
		let lost = 0;
		for (let i = 1; i < contents.length; i++) {
			if (!vault.read(CONTENT, i)) continue;
			this.#messages.read();
			const content = queues.contents.add(message);
			contents[i] = content;
			this.#contents.move(i, content);
		}
		for (let i = 1; i < this.#entries.states.length; i++) {
			if (!vault.read(ENTRY, i)) continue;
			const stored = body.readU16();
			const session = sessions.restored(stored);
			const kind = body.readU8();
			const state = body.readU8();
			const packetId = body.readU16();
			const was = body.readU16();
			const identifier = body.readU32();
			const sequence = body.readU32();
			let entry = 0;
			let content = 0;
			if (session !== 0 && kind === TAKEN) entry = queues.taken.add(session, packetId);
			else if (session !== 0) {
				content = contents[was] ?? 0;
				const share = body.at === body.end ? 0 : subscriptions.tree.find(body.bytes, body.at, body.end);
				let allowed = was === 0 || content !== 0;
				if (content !== 0) {
					queues.contents.read(content, message);
					allowed = authority.receive(session, message.bytes, message.topicStart, message.topicEnd);
				}
				entry = allowed ? queues.restore(session, content, state, packetId, identifier, share, sequence) : 0;
			}
			if (entry === 0 && session !== 0) lost++;
			this.#entries.move(i, entry);
			if (entry !== 0 && (session !== stored || content !== was)) this.#entries.mark(entry);
		}
		for (let i = 1; i < contents.length; i++) {
			if (contents[i] === 0 || !queues.discard(contents[i])) continue;
			this.#contents.mark(contents[i]);
		}
		queues.watch(this.#entries, this.#contents);
		return lost;
	}

	save(): void {
		const { queues, sessions } = this.#core;
		if (!this.#entries.changed && !this.#contents.changed) return;
		for (let session = 1; session <= sessions.last; session++) {
			if (!sessions.used(session) || !sessions.lasting(session)) continue;
			for (let entry = queues.firstUnderWay(session); entry !== 0; entry = queues.next(entry)) this.keep(session, entry, OUTGOING);
			for (let entry = queues.first(session); entry !== 0; entry = queues.next(entry)) this.keep(session, entry, OUTGOING);
			for (let entry = queues.taken.first(session); entry !== 0; entry = queues.next(entry)) this.keep(session, entry, TAKEN);
		}
		this.dropOthers(this.#entries, ENTRY);
		this.dropOthers(this.#contents, CONTENT);
	}

	/** So much time has passed without power, as {@link KeptValues.age}. */
	age(missed: number): void {
		const { queues } = this.#core;
		for (let i = 1; i < this.#contents.states.length; i++) {
			if (this.#contents.restored(i)) queues.age(i, missed);
			else this.#contents.mark(i);
		}
	}

	/** An entry is in use, and so is what it carries: stored if it changed. */
	private keep(session: number, entry: number, kind: number): void {
		const { queues, subscriptions } = this.#core;
		const vault = this.#vault;
		const { body } = vault;
		const state = queues.state(entry);
		if (kind === OUTGOING && (state & QOS) === 0) return;
		const content = queues.content(entry);
		if (content !== 0 && !this.keepContent(content)) return;
		if (!alive(this.#entries, entry)) return;
		const share = queues.share(entry);
		body.begin();
		body.u16(session);
		body.u8(kind);
		body.u8(state);
		body.u16(queues.packetId(entry));
		body.u16(content);
		body.u32(queues.identifier(entry));
		body.u32(queues.sequence(entry));
		if (share !== 0) body.at = subscriptions.tree.copyPath(share, body.bytes, body.at);
		vault.put(ENTRY, entry);
	}

	/** @returns whether there is a record of it */
	private keepContent(content: number): boolean {
		const { contents } = this.#core.queues;
		if (!this.#messages.fits(contents, content)) return false;
		if (!alive(this.#contents, content)) return true;
		const vault = this.#vault;
		vault.body.begin();
		this.#messages.write(contents, content);
		vault.put(CONTENT, content);
		return true;
	}

	/** What is stored and not in use any more. */
	private dropOthers(ledger: Ledger, kind: number): void {
		const { states } = ledger;
		for (let i = 1; i < states.length; i++) {
			const state = states[i];
			states[i] = state & ~ALIVE;
			if ((state & ALIVE) === 0 && (state & STORED) !== 0) this.#vault.drop(kind, i);
		}
	}
}

/** Notes that a record is in use; whether it is to be stored, and this is the first time that it is met. */
function alive(ledger: Ledger, record: number): boolean {
	const { states } = ledger;
	const state = states[record];
	states[record] = state | ALIVE;
	return (state & (CHANGED | STORED)) !== STORED && (state & ALIVE) === 0;
}
