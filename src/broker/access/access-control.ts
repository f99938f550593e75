import type { ListenSettings } from "../../config/settings";
import { copyBytes } from "../../mqtt/bytes";
import { CLIENT_IDENTIFIER_NOT_VALID, NOT_AUTHORIZED, SUCCESS } from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import type { BrokerClock } from "../pool/clock";
import type { Host } from "../pool/host";
import {
	AllowAll,
	type Authorizer,
	type AuthResult,
	type AuthResultHandler,
	type ClientIdentifiers,
	type PENDING,
} from "./authorizer";
import { Login } from "./login";
import { canFillPlaceholder, skipLastPrefix } from "./placeholder-levels";
import { Rules } from "./rules";
import { Users } from "./users";

const DOLLAR = 0x24;

/** Applies the configured users and rules. The constructor allocates all tables. */
class AccessControl implements Authorizer {
	readonly #users: Users;
	readonly #rules: Rules;
	/** Undefined if no users are configured. */
	readonly #login: Login | undefined;
	readonly #anonymous: boolean;
	/** The user of each session. */
	readonly #sessionUsers: Uint8Array;

	/** @param memory byte array that holds the client identifiers */
	constructor(
		host: Pick<Host, "timer" | "time">,
		settings: ListenSettings,
		clock: BrokerClock,
		identifiers: ClientIdentifiers,
		memory: Uint8Array,
	) {
		const users = new Users(settings.users);
		this.#users = users;
		this.#rules = new Rules(settings.acl, users, identifiers, memory);
		this.#login = users.count === 0 ? undefined : new Login(host, clock, users, settings.failedAddresses);
		this.#anonymous = settings.anonymous;
		this.#sessionUsers = new Uint8Array(settings.sessions + 1);
	}

	get onAuthResult(): AuthResultHandler {
		return this.#login?.onAuthResult ?? ignoreResult;
	}

	set onAuthResult(handler: AuthResultHandler) {
		if (this.#login !== undefined) this.#login.onAuthResult = handler;
	}

	mustWait(network: number): boolean {
		return this.#login?.mustWait(network) ?? false;
	}

	isProven(network: number): boolean {
		return this.#login?.isProven(network) ?? false;
	}

	get authenticating(): boolean {
		return this.#login?.authenticating ?? false;
	}

	authenticate(packet: Packet, connection: number, network: number): AuthResult | typeof PENDING {
		const { bytes, clientIdStart, clientIdEnd } = packet;
		if (this.#rules.namesClients && !canFillPlaceholder(bytes, clientIdStart, clientIdEnd))
			return CLIENT_IDENTIFIER_NOT_VALID;
		const login = this.#login;
		if (login !== undefined && packet.hasUsername) return login.check(packet, connection, network);
		return this.#anonymous ? SUCCESS : NOT_AUTHORIZED;
	}

	bindUser(user: number, session: number): void {
		this.#sessionUsers[session] = user;
	}

	writeUserName(session: number, target: Uint8Array, at: number): number {
		const users = this.#users;
		const user = this.#sessionUsers[session];
		return copyBytes(target, at, users.nameBytes, users.nameStart(user), users.nameEnd(user));
	}

	restoredUser(bytes: Uint8Array, start: number, end: number): number {
		const user = this.#users.find(bytes, start, end);
		return user !== 0 || (start === end && this.#anonymous) ? user : -1;
	}

	restorePeer(peer: number): void {
		this.#login?.restorePeer(peer);
	}

	mayPublish(session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return (
			bytes[start] !== DOLLAR &&
			this.#rules.mayPublish(this.#sessionUsers[session], session, bytes, start, end)
		);
	}

	maySubscribe(session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return this.#rules.maySubscribe(
			this.#sessionUsers[session],
			session,
			bytes,
			skipLastPrefix(bytes, start, end),
			end,
		);
	}

	mayReceive(session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return this.#rules.mayReceive(
			this.#sessionUsers[session],
			session,
			bytes,
			skipLastPrefix(bytes, start, end),
			end,
		);
	}

	userOf(packet: Packet): number {
		return packet.hasUsername ? this.#users.find(packet.bytes, packet.usernameStart, packet.usernameEnd) : 0;
	}

	mayRead(user: number, bytes: Uint8Array, start: number, end: number): boolean {
		return this.#rules.mayReceive(user, 0, bytes, skipLastPrefix(bytes, start, end), end);
	}
}

function ignoreResult(): void {}

/** Returns {@link AllowAll} if anonymous clients are allowed and neither users nor rules are configured. */
export function createAuthorizer(
	host: Pick<Host, "timer" | "time">,
	settings: ListenSettings,
	clock: BrokerClock,
	identifiers: ClientIdentifiers,
	memory: Uint8Array,
): Authorizer {
	const { anonymous, users, acl } = settings;
	return anonymous && users.length === 0 && acl.length === 0
		? new AllowAll()
		: new AccessControl(host, settings, clock, identifiers, memory);
}
