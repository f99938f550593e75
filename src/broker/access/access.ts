import type { ListenSettings } from "../../config/settings";
import { CLIENT_IDENTIFIER_NOT_VALID, NOT_AUTHORIZED, SUCCESS } from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import { Anyone, type Authority, type Identifiers, type Verdict } from "../authority";
import type { Clock } from "../clock";
import type { Host } from "../host";
import { copy } from "../messages";
import { fitsLevel, lastTopicStart } from "./levels";
import { Login } from "./login";
import { Rules } from "./rules";
import { Users } from "./users";

const DOLLAR = 0x24;

/** Users and rules as configured. All tables are made here. */
class Access implements Authority {
	readonly #users: Users;
	readonly #rules: Rules;
	/** Absent where nobody can log in. */
	readonly #login: Login | undefined;
	readonly #anonymous: boolean;
	/** The user of each session. */
	readonly #sessions: Uint8Array;

	/** @param memory in which client identifiers lie */
	constructor(host: Pick<Host, "timer" | "time">, settings: ListenSettings, clock: Clock, identifiers: Identifiers, memory: Uint8Array) {
		const users = new Users(settings.users);
		this.#users = users;
		this.#rules = new Rules(settings.acl, users, identifiers, memory);
		this.#login = users.count === 0 ? undefined : new Login(host, clock, users, settings.failedAddresses);
		this.#anonymous = settings.anonymous;
		this.#sessions = new Uint8Array(settings.sessions + 1);
	}

	get verdict(): Verdict {
		return this.#login?.verdict ?? nobody;
	}

	set verdict(verdict: Verdict) {
		if (this.#login !== undefined) this.#login.verdict = verdict;
	}

	get judging(): boolean {
		return this.#login?.judging ?? false;
	}

	get addresses(): boolean {
		return this.#login !== undefined;
	}

	connect(packet: Packet, connection: number, address: string | undefined): number {
		const { bytes, clientIdStart, clientIdEnd } = packet;
		if (this.#rules.namesClients && !fitsLevel(bytes, clientIdStart, clientIdEnd)) return CLIENT_IDENTIFIER_NOT_VALID;
		const login = this.#login;
		if (login !== undefined && packet.hasUsername) return login.check(packet, connection, address);
		return this.#anonymous ? SUCCESS : NOT_AUTHORIZED;
	}

	owns(packet: Packet, session: number): boolean {
		return this.#sessions[session] === this.user(packet);
	}

	open(packet: Packet, session: number): void {
		this.#sessions[session] = this.user(packet);
	}

	writeUser(session: number, target: Uint8Array, at: number): number {
		const users = this.#users;
		const user = this.#sessions[session];
		return copy(target, at, users.texts, users.nameStart(user), users.nameEnd(user));
	}

	restore(session: number, bytes: Uint8Array, start: number, end: number): boolean {
		const user = this.#users.find(bytes, start, end);
		this.#sessions[session] = user;
		return user !== 0 || (start === end && this.#anonymous);
	}

	publish(session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return bytes[start] !== DOLLAR && this.#rules.publish(this.#sessions[session], session, bytes, start, end);
	}

	subscribe(session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return this.#rules.subscribe(this.#sessions[session], session, bytes, lastTopicStart(bytes, start, end), end);
	}

	receive(session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return this.#rules.receive(this.#sessions[session], session, bytes, lastTopicStart(bytes, start, end), end);
	}

	user(packet: Packet): number {
		return packet.hasUsername ? this.#users.find(packet.bytes, packet.usernameStart, packet.usernameEnd) : 0;
	}

	reads(user: number, bytes: Uint8Array, start: number, end: number): boolean {
		return this.#rules.receive(user, 0, bytes, lastTopicStart(bytes, start, end), end);
	}
}

function nobody(): void {}

/** What the configuration asks for. */
export function authorityOf(
	host: Pick<Host, "timer" | "time">,
	settings: ListenSettings,
	clock: Clock,
	identifiers: Identifiers,
	memory: Uint8Array,
): Authority {
	const { anonymous, users, acl } = settings;
	return anonymous && users.length === 0 && acl.length === 0 ? new Anyone() : new Access(host, settings, clock, identifiers, memory);
}
