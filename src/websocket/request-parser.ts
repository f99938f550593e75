import { HeadParser, type HeadStatus } from "../http/head-parser";
import { equalBytes, isTokenCharacter } from "../http/text";
import { utf8 } from "../mqtt/utf8";
import { SLASH, SPACE } from "../text/ascii";
import { MAXIMUM_HEADER_FIELDS, MAXIMUM_REQUEST_LINE } from "./constants";
import {
	AUTHORIZATION,
	fieldOf,
	HOST,
	ORIGIN,
	SEC_WEBSOCKET_KEY,
	SEC_WEBSOCKET_VERSION,
} from "./header-fields";
import { HttpRequest } from "./http-request";

// Never written, so that a device keeps them in flash
const GET = utf8("GET");
const HTTP_PREFIX = utf8("HTTP/");
const HTTP_1_1 = utf8("HTTP/1.1");

const QUESTION_MARK = 0x3f;

/** A bit for each field that may appear only once (RFC 9112 §3.2, RFC 6455 §11.3.1, §11.3.5). */
const ONLY_ONCE =
	(1 << HOST) |
	(1 << ORIGIN) |
	(1 << SEC_WEBSOCKET_KEY) |
	(1 << SEC_WEBSOCKET_VERSION) |
	(1 << AUTHORIZATION);

/** Parses the head of an HTTP/1.1 request, and keeps of it only what the answer depends on. */
export class RequestParser extends HeadParser {
	readonly request: HttpRequest;
	#fieldCount = 0;
	/** A bit for each field received. */
	#seenFields = 0;

	/** @param store buffer for the parts that are kept, of at least MAXIMUM_REQUEST_LINE bytes */
	constructor(store: Uint8Array) {
		super(store);
		this.request = new HttpRequest(store);
	}

	protected override get isRefused(): boolean {
		return this.request.status !== 0;
	}

	/** The request line (RFC 9112 §3): path and query are kept at the start of the store. */
	protected override onStartLine(end: number): void {
		const { request, store } = this;
		let methodEnd = 0;
		while (methodEnd < end && isTokenCharacter(store[methodEnd])) methodEnd++;
		const target = methodEnd + 1;
		let targetEnd = target;
		while (targetEnd < end && store[targetEnd] > SPACE && store[targetEnd] < 0x7f) targetEnd++;
		const version = targetEnd + 1;
		if (methodEnd === 0 || methodEnd === end || store[methodEnd] !== SPACE) request.refuse(400, "not HTTP");
		else if (!equalBytes(store, 0, methodEnd, GET)) request.refuse(405, "method is not GET");
		else if (this.size > MAXIMUM_REQUEST_LINE + 1) request.refuse(414, "request line is too long");
		else if (targetEnd === target || targetEnd === end || store[targetEnd] !== SPACE)
			request.refuse(400, "malformed request target");
		else if (store[target] !== SLASH) request.refuse(400, "request target is not a path");
		else if (
			end - version !== HTTP_1_1.length ||
			!equalBytes(store, version, version + HTTP_PREFIX.length, HTTP_PREFIX)
		)
			request.refuse(400, "not HTTP");
		else if (!equalBytes(store, version, end, HTTP_1_1))
			request.refuse(505, "version is not HTTP/1.1"); // RFC 6455 §4.2.1
		else {
			store.copyWithin(0, target, targetEnd);
			const queryEnd = targetEnd - target;
			let pathEnd = 0;
			while (pathEnd < queryEnd && store[pathEnd] !== QUESTION_MARK) pathEnd++;
			request.pathEnd = pathEnd;
			request.queryEnd = this.start = queryEnd;
		}
	}

	protected override onField(nameEnd: number, from: number, to: number, isCut: boolean): void {
		const { request, store, start } = this;
		const field = fieldOf(store, start, nameEnd);
		const bit = 1 << field;
		if (++this.#fieldCount > MAXIMUM_HEADER_FIELDS) request.refuse(431, "too many header fields");
		else if (isCut && (field !== 0 || nameEnd === store.length))
			request.refuse(431, "header fields are larger than the store");
		else if ((this.#seenFields & bit & ONLY_ONCE) !== 0)
			request.refuse(400, "header field that may appear only once came twice");
		else if (field !== 0) {
			this.#seenFields |= bit;
			store.copyWithin(start, from, to);
			const end = start + to - from;
			if (request.setField(field, start, end)) this.start = end;
		}
	}

	protected override onMalformed(status: HeadStatus, reason: string): void {
		this.request.refuse(status, reason);
	}

	/** What a request lacks is up to OriginPolicy. */
	protected override onEnd(): void {}
}
