import { CONNECT, CONNECTION_RATE_EXCEEDED, HAS_PASSWORD, HAS_USERNAME, SUCCESS } from "../../mqtt/constants";
import { Packet } from "../../mqtt/packet";
import { utf8 } from "../../mqtt/utf8";
import type { HttpRequest } from "../../websocket/http-request";
import type { Pages, Reply } from "../../websocket/pages";
import { type AuthResult, PENDING } from "../access/authorizer";
import type { Core } from "../core/core";
import { networkNumber } from "../pool/peer";
import { SCRIPT_SOURCE } from "./page-script";
import { StatusPage } from "./status-page";

/** The page's script, its connection to this broker, and its empty icon. */
const SOURCES = `; script-src ${SCRIPT_SOURCE}; connect-src 'self'; img-src data:`;
/** Query of a page that reloads itself. */
const LIVE_QUERY = utf8("?live");

/** Answers HTTP requests: `/` is the status page, with the values that the user may read. */
export class BrokerPages implements Pages {
	readonly #core: Core;
	readonly #page: StatusPage;
	/**
	 * Requests that wait for authentication, or for its result. A slot can be reused once its reply is closed.
	 */
	readonly #requests: (HttpRequest | undefined)[] = [];
	readonly #replies: (Reply | undefined)[] = [];
	/** The slot of the request being authenticated; -1 if none. */
	#authenticating = -1;

	constructor(core: Core, name: string) {
		this.#core = core;
		this.#page = new StatusPage(core, name);
		// one more than connections, as the connection of the request being authenticated may have closed
		for (let i = 0; i <= core.settings.webSockets + 1; i++) {
			this.#requests.push(undefined);
			this.#replies.push(undefined);
		}
	}

	get sources(): string {
		return SOURCES;
	}

	get(request: HttpRequest, reply: Reply): void {
		const { bytes, pathEnd } = request;
		if (pathEnd !== 1) {
			reply.refuse(404, "there is only /");
			return;
		}
		reply.position = this.#page.initialPlace(isLive(bytes, pathEnd, request.queryEnd));
		const slot = this.freeSlot();
		if (slot < 0) {
			reply.refuse(503, "busy");
			return;
		}
		request.readCredentials();
		this.#requests[slot] = request;
		this.#replies[slot] = reply;
		this.#core.clock.tick();
		if (!this.mustWait(slot)) this.authenticate(slot);
	}

	writePiece(reply: Reply, bytes: Uint8Array, start: number, end: number): number {
		this.#core.clock.tick();
		return this.#page.fill(reply, bytes, start, end);
	}

	/** Handles the result of a PENDING authentication. @param ticket as passed to the authorizer: below 0 */
	authResult(ticket: number, result: AuthResult): void {
		const slot = -1 - ticket;
		this.#authenticating = -1;
		const request = this.#requests[slot];
		if (request !== undefined) this.sendResult(slot, request, result);
	}

	/** Authenticates the waiting requests, until one of them is PENDING. */
	resumeWaiting(): void {
		for (let i = 0; i < this.#requests.length; i++)
			if (this.#requests[i] !== undefined && !this.mustWait(i)) this.authenticate(i);
	}

	private mustWait(slot: number): boolean {
		return this.#core.authorizer.mustWait(networkNumber(this.#replies[slot]!.remoteAddress));
	}

	private authenticate(slot: number): void {
		const request = this.#requests[slot]!;
		if (this.#replies[slot]!.closed) {
			this.release(slot);
			return;
		}
		const code = this.#core.authorizer.authenticate(
			connectPacketOf(request),
			-1 - slot,
			networkNumber(this.#replies[slot]!.remoteAddress),
		);
		if (code === PENDING) this.#authenticating = slot;
		else this.sendResult(slot, request, code);
	}

	private sendResult(slot: number, request: HttpRequest, code: AuthResult): void {
		const reply = this.#replies[slot]!;
		this.release(slot);
		if (reply.closed) return;
		if (code === SUCCESS) {
			reply.reader = this.#core.authorizer.userOf(connectPacketOf(request));
			reply.page();
		} else if (code === CONNECTION_RATE_EXCEEDED)
			reply.refuse(429, "too many failed logins from this address; wait");
		else reply.refuse(401, "user name and password, please");
	}

	/** A free slot; -1 if there is none. */
	private freeSlot(): number {
		const replies = this.#replies;
		for (let i = 0; i < replies.length; i++) {
			if (replies[i]?.closed && i !== this.#authenticating) this.release(i);
			if (replies[i] === undefined) return i;
		}
		return -1;
	}

	private release(slot: number): void {
		this.#requests[slot] = undefined;
		this.#replies[slot] = undefined;
	}
}

/**
 * User name and password of a request, whose readCredentials() was called, as those of a CONNECT. Allocated
 * each time: page requests are rare, and a packet is large.
 */
function connectPacketOf(request: HttpRequest): Packet {
	const packet = new Packet();
	packet.type = CONNECT;
	packet.bytes = request.bytes;
	packet.connectFlags = request.userStart === 0 ? 0 : HAS_USERNAME | HAS_PASSWORD;
	packet.usernameStart = request.userStart;
	packet.usernameEnd = request.userEnd;
	packet.passwordStart = request.passwordStart;
	packet.passwordEnd = request.passwordEnd;
	return packet;
}

function isLive(bytes: Uint8Array, start: number, end: number): boolean {
	if (end - start !== LIVE_QUERY.length) return false;
	for (let i = start; i < end; i++) if (bytes[i] !== LIVE_QUERY[i - start]) return false;
	return true;
}
