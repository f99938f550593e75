import type { RuleSettings } from "../../config/settings";
import { utf8 } from "../../mqtt/utf8";
import type { Identifiers } from "../authority";
import { ID, Patterns, USER } from "./patterns";
import type { Users } from "./users";

// What a rule is about
const ALLOW = 1;
const PUBLISH = 2;
const SUBSCRIBE = 4;
/** Its topic names the user, or the client: it is not for those who have none. */
const PERSONAL = 8;
const NAMED = 16;
/** A user that does not exist. */
const NOBODY = 0xff;

// Columns
const PATTERN = 0;
const CLIENT = 1;
const END = 2;
const COLUMNS = 3;

/** The access control list in byte tables: the first rule that fits decides, and what no rule fits is denied; without any rule everything is allowed. */
export class Rules {
	/** Whether a topic holds `{id}`. */
	readonly namesClients: boolean;
	readonly #patterns: Patterns;
	readonly #users: Users;
	readonly #identifiers: Identifiers;
	readonly #kinds: Uint8Array;
	readonly #who: Uint8Array;
	/** Where the pattern begins, the client identifier after it, and what ends that. */
	readonly #rows: Uint16Array;

	/** @param memory in which the client identifiers lie */
	constructor(rules: readonly RuleSettings[], users: Users, identifiers: Identifiers, memory: Uint8Array) {
		const count = rules.length;
		this.#users = users;
		this.#identifiers = identifiers;
		this.#kinds = new Uint8Array(count);
		this.#who = new Uint8Array(count);
		this.#rows = new Uint16Array(count * COLUMNS);
		const texts: Uint8Array[] = [];
		let size = 0;
		let namesClients = false;
		for (let i = 0; i < count; i++) {
			const { effect, action, topic, user, client } = rules[i];
			const pattern = compile(topic);
			const name = utf8(client ?? "");
			if (pattern.includes(ID)) namesClients = true;
			this.#kinds[i] =
				(effect === "allow" ? ALLOW : 0) |
				(action === "subscribe" ? 0 : PUBLISH) |
				(action === "publish" ? 0 : SUBSCRIBE) |
				(pattern.includes(USER) ? PERSONAL : 0) |
				(pattern.includes(ID) ? NAMED : 0);
			if (user !== undefined) this.#who[i] = users.named(user) || NOBODY;
			const row = i * COLUMNS;
			this.#rows[row + PATTERN] = size;
			this.#rows[row + CLIENT] = size + pattern.length;
			size += pattern.length + name.length;
			this.#rows[row + END] = size;
			texts.push(pattern, name);
		}
		const bytes = new Uint8Array(size);
		let at = 0;
		for (let i = 0; i < texts.length; i++) {
			bytes.set(texts[i], at);
			at += texts[i].length;
		}
		this.namesClients = namesClients;
		this.#patterns = new Patterns(bytes);
		this.#patterns.user = users.texts;
		this.#patterns.id = memory;
	}

	/** Whether a session of a user (0: none) may publish to a topic name. */
	publish(user: number, session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return this.decide(PUBLISH, user, session, bytes, start, end);
	}

	/** Whether it may be sent what was published to a topic name. */
	receive(user: number, session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return this.decide(SUBSCRIBE, user, session, bytes, start, end);
	}

	/** Whether it may subscribe to a topic filter: unless everything that the filter matches is denied, as far as the rules tell one by one. */
	subscribe(user: number, session: number, bytes: Uint8Array, start: number, end: number): boolean {
		const kinds = this.#kinds;
		const rows = this.#rows;
		const patterns = this.#patterns;
		if (kinds.length === 0) return true;
		this.names(user, session);
		for (let i = 0; i < kinds.length; i++) {
			if (!this.concerns(i, SUBSCRIBE, user)) continue;
			const from = rows[i * COLUMNS + PATTERN];
			const to = rows[i * COLUMNS + CLIENT];
			if ((kinds[i] & ALLOW) !== 0) {
				if (patterns.overlaps(from, to, bytes, start, end)) return true;
			} else if (patterns.covers(from, to, bytes, start, end)) return false;
		}
		return false;
	}

	private decide(action: number, user: number, session: number, bytes: Uint8Array, start: number, end: number): boolean {
		const kinds = this.#kinds;
		const rows = this.#rows;
		const patterns = this.#patterns;
		if (kinds.length === 0) return true;
		this.names(user, session);
		for (let i = 0; i < kinds.length; i++) {
			if (!this.concerns(i, action, user)) continue;
			if (patterns.matches(rows[i * COLUMNS + PATTERN], rows[i * COLUMNS + CLIENT], bytes, start, end)) return (kinds[i] & ALLOW) !== 0;
		}
		return false;
	}

	private names(user: number, session: number): void {
		const patterns = this.#patterns;
		patterns.userStart = this.#users.nameStart(user);
		patterns.userEnd = this.#users.nameEnd(user);
		patterns.idStart = this.#identifiers.identifierStart(session);
		patterns.idEnd = this.#identifiers.identifierEnd(session);
	}

	/** Whether a rule is about an action, and about the user and client whose names are set. */
	private concerns(rule: number, action: number, user: number): boolean {
		const kind = this.#kinds[rule];
		if ((kind & action) === 0 || ((kind & PERSONAL) !== 0 && user === 0)) return false;
		const who = this.#who[rule];
		if (who !== 0 && who !== user) return false;
		const rows = this.#rows;
		let at = rows[rule * COLUMNS + CLIENT];
		const end = rows[rule * COLUMNS + END];
		const { bytes, id, idStart, idEnd } = this.#patterns;
		if ((kind & NAMED) !== 0 && idStart === idEnd) return false;
		if (at === end) return true;
		if (idEnd - idStart !== end - at) return false;
		for (let i = idStart; i < idEnd; i++) if (id[i] !== bytes[at++]) return false;
		return true;
	}
}

/** A topic as a pattern. */
function compile(topic: string): Uint8Array {
	const bytes = utf8(topic.split("{user}").join("\u0001").split("{id}").join("\u0002"));
	for (let i = 0; i < bytes.length; i++) {
		// control characters are not allowed in the topic of a rule
		if (bytes[i] === 1) bytes[i] = USER;
		else if (bytes[i] === 2) bytes[i] = ID;
	}
	return bytes;
}
