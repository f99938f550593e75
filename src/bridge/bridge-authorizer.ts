import type { Authorizer, AuthResult, AuthResultHandler, PENDING } from "../broker/access/authorizer";
import type { Core } from "../broker/core/core";
import { BRIDGE_USER, networkNumber, networkOfPeer } from "../broker/pool/peer";
import { BRIDGE_CLIENT } from "../broker/session/connection";
import { CLIENT_IDENTIFIER_NOT_VALID, SUCCESS } from "../mqtt/constants";
import type { Packet } from "../mqtt/packet";
import { LOCAL_ADDRESS } from "./local-link";
import { equals } from "./passed-brokers";

/** Name of the bridge's user in stored sessions: no configured user can have it. */
const STORED_NAME: Uint8Array = Object.freeze([0, 0x62]) as unknown as Uint8Array;
const BRIDGE_NETWORK = networkNumber(LOCAL_ADDRESS);
const TICKET_SIZE = 16;
/** No client has it. */
export const UNKNOWN_NETWORK = -1;
const DOLLAR = 0x24;

/**
 * Lets the bridge in beside the clients that another authorizer decides on. It is a user of its own, so that
 * no client can take its session over, and its topics need no rules: its configuration is the rule.
 *
 * The bridge shows a random ticket as its user name. A client with the bridge's client identifier is refused:
 * it is the bridge itself, whose other broker is this one.
 *
 * A client that says by its protocol level that it is a bridge, and whose address is that of the other
 * broker, is that broker's own bridge to this one: what comes from there by one of the two bridges does not
 * go back by the other one, or it would circle. The messages of MQTT 3.1.1 cannot tell where they have been.
 */
export class BridgeAuthorizer implements Authorizer {
	/** User name of the bridge's CONNECT, ASCII. */
	readonly ticket = new Uint8Array(TICKET_SIZE);
	/** Session of the bridge; 0: none yet. */
	session = 0;
	/** Network of the other broker, see networkNumber(). */
	otherNetwork: number = UNKNOWN_NETWORK;
	readonly #core: Core;
	readonly #inner: Authorizer;
	readonly #clientId: Uint8Array;

	constructor(core: Core, clientId: Uint8Array) {
		this.#core = core;
		this.#inner = core.authorizer;
		this.#clientId = clientId;
		for (let i = 0; i < TICKET_SIZE; i++) this.ticket[i] = 0x41 + Math.floor(Math.random() * 26);
	}

	get onAuthResult(): AuthResultHandler {
		return this.#inner.onAuthResult;
	}

	set onAuthResult(handler: AuthResultHandler) {
		this.#inner.onAuthResult = handler;
	}

	get authenticating(): boolean {
		return this.#inner.authenticating;
	}

	mustWait(network: number): boolean {
		return network !== BRIDGE_NETWORK && this.#inner.mustWait(network);
	}

	isProven(network: number): boolean {
		return this.#inner.isProven(network);
	}

	authenticate(packet: Packet, connection: number, network: number): AuthResult | typeof PENDING {
		if (this.isBridge(packet)) return SUCCESS;
		const { bytes, clientIdStart, clientIdEnd } = packet;
		if (connection > 0 && equals(bytes, clientIdStart, clientIdEnd, this.#clientId))
			return CLIENT_IDENTIFIER_NOT_VALID;
		return this.#inner.authenticate(packet, connection, network);
	}

	bindUser(user: number, session: number): void {
		if (user === BRIDGE_USER) this.session = session;
		else {
			if (session === this.session) this.session = 0;
			this.#inner.bindUser(user, session);
		}
	}

	writeUserName(session: number, target: Uint8Array, at: number): number {
		if (session !== this.session) return this.#inner.writeUserName(session, target, at);
		target[at] = STORED_NAME[0];
		target[at + 1] = STORED_NAME[1];
		return at + 2;
	}

	restoredUser(bytes: Uint8Array, start: number, end: number): number {
		return equals(bytes, start, end, STORED_NAME) ? BRIDGE_USER : this.#inner.restoredUser(bytes, start, end);
	}

	restorePeer(peer: number): void {
		this.#inner.restorePeer(peer);
	}

	mayPublish(session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return session === this.session
			? bytes[start] !== DOLLAR
			: this.#inner.mayPublish(session, bytes, start, end);
	}

	maySubscribe(session: number, bytes: Uint8Array, start: number, end: number): boolean {
		return session === this.session || this.#inner.maySubscribe(session, bytes, start, end);
	}

	mayReceive(
		session: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		publisher: number | undefined,
	): boolean {
		if (session === this.session) return publisher === undefined || !this.isCounterpart(publisher);
		if (publisher === this.session && this.isCounterpart(session)) return false;
		return this.#inner.mayReceive(session, bytes, start, end);
	}

	/** Whether a session is that of a bridge of the other broker, as far as this one can tell. */
	private isCounterpart(session: number): boolean {
		const core = this.#core;
		const connection = core.connectionOf(session);
		return (
			connection !== undefined &&
			(connection.clientFlags & BRIDGE_CLIENT) !== 0 &&
			networkOfPeer(core.sessions.peer(session)) === this.otherNetwork
		);
	}

	userOf(packet: Packet): number {
		return this.isBridge(packet) ? BRIDGE_USER : this.#inner.userOf(packet);
	}

	mayRead(user: number, bytes: Uint8Array, start: number, end: number): boolean {
		return this.#inner.mayRead(user, bytes, start, end);
	}

	private isBridge(packet: Packet): boolean {
		return packet.hasUsername && equals(packet.bytes, packet.usernameStart, packet.usernameEnd, this.ticket);
	}
}
