import { CONNECT, CONNECTION_RATE_EXCEEDED, HAS_PASSWORD, HAS_USERNAME, SUCCESS } from "../../mqtt/constants";
import { Packet } from "../../mqtt/packet";
import { utf8 } from "../../mqtt/utf8";
import type { Pages, Reply } from "../../websocket/pages";
import type { Request } from "../../websocket/request";
import { PENDING } from "../authority";
import type { Core } from "../core";
import { StatusPage } from "./status-page";

/** The query that asks for a page that is shown anew again and again. */
const LIVE = utf8("?live");

/** Answers HTTP requests: `/` is the status page, for those who may read what is on it. */
export class BrokerPages implements Pages {
	readonly #core: Core;
	readonly #page: StatusPage;
	/** Who waits to be judged, or is being judged; a place is free again when its reply is closed. */
	readonly #requests: (Request | undefined)[] = [];
	readonly #replies: (Reply | undefined)[] = [];
	/** The one who is being judged; -1 for none. */
	#judged = -1;

	constructor(core: Core, name: string) {
		this.#core = core;
		this.#page = new StatusPage(core, name);
		// one more than there can be connections, as one that is being judged may have gone
		for (let i = 0; i <= core.settings.webSockets; i++) {
			this.#requests.push(undefined);
			this.#replies.push(undefined);
		}
	}

	get(request: Request, reply: Reply): void {
		const { bytes, pathStart, pathEnd } = request;
		if (pathEnd - pathStart !== 1) {
			reply.refuse(404, "there is only /");
			return;
		}
		reply.place = this.#page.begin(isLive(bytes, pathEnd, request.queryEnd));
		const place = this.free();
		if (place < 0) {
			reply.refuse(503, "busy");
			return;
		}
		request.credentials();
		this.#requests[place] = request;
		this.#replies[place] = reply;
		this.#core.clock.tick();
		if (!this.#core.authority.judging) this.judge(place);
	}

	fill(reply: Reply, bytes: Uint8Array, start: number, end: number): number {
		this.#core.clock.tick();
		return this.#page.fill(reply, bytes, start, end);
	}

	/** The verdict on what was told PENDING. @param ticket as told to the authority: below 0 */
	judged(ticket: number, reasonCode: number): void {
		const place = -1 - ticket;
		this.#judged = -1;
		const request = this.#requests[place];
		if (request !== undefined) this.answer(place, request, reasonCode);
	}

	/** Judges those who waited, as far as that takes no time, and one more. */
	proceed(): void {
		const { authority } = this.#core;
		for (let i = 0; i < this.#requests.length && !authority.judging; i++) if (this.#requests[i] !== undefined) this.judge(i);
	}

	private judge(place: number): void {
		const request = this.#requests[place]!;
		if (this.#replies[place]!.closed) {
			this.forget(place);
			return;
		}
		const code = this.#core.authority.connect(present(request), -1 - place, this.#replies[place]!.remoteAddress);
		if (code === PENDING) this.#judged = place;
		else this.answer(place, request, code);
	}

	private answer(place: number, request: Request, code: number): void {
		const reply = this.#replies[place]!;
		this.forget(place);
		if (reply.closed) return;
		if (code === SUCCESS) {
			reply.reader = this.#core.authority.user(present(request));
			reply.page();
		} else if (code === CONNECTION_RATE_EXCEEDED) reply.refuse(429, "too many failed logins from this address; wait");
		else reply.refuse(401, "user name and password, please");
	}

	/** A place for one more; -1 where there is none. */
	private free(): number {
		const replies = this.#replies;
		for (let i = 0; i < replies.length; i++) {
			if (replies[i]?.closed && i !== this.#judged) this.forget(i);
			if (replies[i] === undefined) return i;
		}
		return -1;
	}

	private forget(place: number): void {
		this.#requests[place] = undefined;
		this.#replies[place] = undefined;
	}
}

/** Name and password of a request, whose credentials() were called, as those of a CONNECT. Made each time: pages are rare, and a packet is large. */
function present(request: Request): Packet {
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
	if (end - start !== LIVE.length) return false;
	for (let i = start; i < end; i++) if (bytes[i] !== LIVE[i - start]) return false;
	return true;
}
