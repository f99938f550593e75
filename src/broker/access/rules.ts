import type { RuleSettings } from "../../config/settings";
import { utf8 } from "../../mqtt/utf8";
import type { ClientIdentifiers } from "./authorizer";
import { ID_PLACEHOLDER, TopicPatterns, USER_PLACEHOLDER } from "./topic-patterns";
import type { Users } from "./users";

// Flags of a rule
const ALLOW = 1;
const PUBLISH = 2;
const SUBSCRIBE = 4;
type Action = typeof PUBLISH | typeof SUBSCRIBE;
/** The topic contains `{user}` or `{id}`: the rule does not apply to a client without one. */
const NAMES_USER = 8;
const NAMES_CLIENT = 16;
/** Number of a user that does not exist. */
const UNKNOWN_USER = 0xff;

// Columns
const PATTERN_START = 0;
const CLIENT_START = 1;
const CLIENT_END = 2;
const COLUMNS = 3;

/**
 * The access control list in byte tables. The first applicable rule decides; access is denied if no rule
 * applies. An empty list allows everything.
 */
export class Rules {
	/** Whether the topic of any rule contains `{id}`. */
	readonly namesClients: boolean;
	readonly #patterns: TopicPatterns;
	readonly #users: Users;
	readonly #identifiers: ClientIdentifiers;
	readonly #flags: Uint8Array;
	readonly #ruleUsers: Uint8Array;
	/** Start of the pattern, start of the client identifier after it, and its end, by rule. */
	readonly #rows: Uint16Array;

	/** @param memory byte array that holds the client identifiers */
	constructor(
		rules: readonly RuleSettings[],
		users: Users,
		identifiers: ClientIdentifiers,
		memory: Uint8Array,
	) {
		const count = rules.length;
		this.#users = users;
		this.#identifiers = identifiers;
		this.#flags = new Uint8Array(count);
		this.#ruleUsers = new Uint8Array(count);
		this.#rows = new Uint16Array(count * COLUMNS);
		const texts: Uint8Array[] = [];
		let size = 0;
		let namesClients = false;
		for (let i = 0; i < count; i++) {
			const { effect, action, topic, user, client } = rules[i];
			const pattern = compilePattern(topic);
			const name = utf8(client ?? "");
			if (pattern.includes(ID_PLACEHOLDER)) namesClients = true;
			this.#flags[i] =
				(effect === "allow" ? ALLOW : 0) |
				(action === "subscribe" ? 0 : PUBLISH) |
				(action === "publish" ? 0 : SUBSCRIBE) |
				(pattern.includes(USER_PLACEHOLDER) ? NAMES_USER : 0) |
				(pattern.includes(ID_PLACEHOLDER) ? NAMES_CLIENT : 0);
			if (user !== undefined) this.#ruleUsers[i] = users.findByName(user) || UNKNOWN_USER;
			const row = i * COLUMNS;
			this.#rows[row + PATTERN_START] = size;
			this.#rows[row + CLIENT_START] = size + pattern.length;
			size += pattern.length + name.length;
			this.#rows[row + CLIENT_END] = size;
			texts.push(pattern, name);
		}
		const bytes = new Uint8Array(size);
		let at = 0;
		for (let i = 0; i < texts.length; i++) {
			bytes.set(texts[i], at);
			at += texts[i].length;
		}
		this.namesClients = namesClients;
		this.#patterns = new TopicPatterns(bytes);
		this.#patterns.user = users.nameBytes;
		this.#patterns.id = memory;
	}

	/** Whether a session of a user (0: none) may publish to a topic name. */
	mayPublish(user: number, session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return this.decide(PUBLISH, user, session, bytes, start, end);
	}

	/** Whether it may receive messages published to a topic name. */
	mayReceive(user: number, session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return this.decide(SUBSCRIBE, user, session, bytes, start, end);
	}

	/**
	 * Whether it may subscribe to a topic filter: true unless the rules, compared one at a time, deny every
	 * topic name that the filter matches.
	 */
	maySubscribe(user: number, session: number, bytes: Uint8Array, start: number, end: number): boolean {
		const flags = this.#flags;
		const rows = this.#rows;
		const patterns = this.#patterns;
		if (flags.length === 0) return true;
		this.setPlaceholders(user, session);
		for (let i = 0; i < flags.length; i++) {
			if (!this.applies(i, SUBSCRIBE, user)) continue;
			const from = rows[i * COLUMNS + PATTERN_START];
			const to = rows[i * COLUMNS + CLIENT_START];
			if ((flags[i] & ALLOW) !== 0) {
				if (patterns.overlaps(from, to, bytes, start, end)) return true;
			} else if (patterns.covers(from, to, bytes, start, end)) return false;
		}
		return false;
	}

	private decide(
		action: Action,
		user: number,
		session: number,
		bytes: Uint8Array,
		start: number,
		end: number,
	): boolean {
		const flags = this.#flags;
		const rows = this.#rows;
		const patterns = this.#patterns;
		if (flags.length === 0) return true;
		this.setPlaceholders(user, session);
		for (let i = 0; i < flags.length; i++) {
			if (!this.applies(i, action, user)) continue;
			if (
				patterns.matches(
					rows[i * COLUMNS + PATTERN_START],
					rows[i * COLUMNS + CLIENT_START],
					bytes,
					start,
					end,
				)
			)
				return (flags[i] & ALLOW) !== 0;
		}
		return false;
	}

	private setPlaceholders(user: number, session: number): void {
		const patterns = this.#patterns;
		patterns.userStart = this.#users.nameStart(user);
		patterns.userEnd = this.#users.nameEnd(user);
		// without a session, there is no client identifier
		patterns.idStart = session === 0 ? 0 : this.#identifiers.identifierStart(session);
		patterns.idEnd = session === 0 ? 0 : this.#identifiers.identifierEnd(session);
	}

	/** Whether a rule applies to an action, and to the user and client that are set as placeholders. */
	private applies(rule: number, action: Action, user: number): boolean {
		const flags = this.#flags[rule];
		if ((flags & action) === 0 || ((flags & NAMES_USER) !== 0 && user === 0)) return false;
		const ruleUser = this.#ruleUsers[rule];
		if (ruleUser !== 0 && ruleUser !== user) return false;
		const rows = this.#rows;
		let at = rows[rule * COLUMNS + CLIENT_START];
		const end = rows[rule * COLUMNS + CLIENT_END];
		const { bytes, id, idStart, idEnd } = this.#patterns;
		if ((flags & NAMES_CLIENT) !== 0 && idStart === idEnd) return false;
		if (at === end) return true;
		if (idEnd - idStart !== end - at) return false;
		for (let i = idStart; i < idEnd; i++) if (id[i] !== bytes[at++]) return false;
		return true;
	}
}

/** Compiles the topic of a rule to a pattern. */
function compilePattern(topic: string): Uint8Array {
	const bytes = utf8(topic.split("{user}").join("\u0001").split("{id}").join("\u0002"));
	for (let i = 0; i < bytes.length; i++) {
		// control characters are not allowed in the topic of a rule
		if (bytes[i] === 1) bytes[i] = USER_PLACEHOLDER;
		else if (bytes[i] === 2) bytes[i] = ID_PLACEHOLDER;
	}
	return bytes;
}
