import {
	type FailureCode,
	MALFORMED_PACKET,
	PACKET_TOO_LARGE,
	QUOTA_EXCEEDED,
	reasonName,
	SERVER_SHUTTING_DOWN,
	TOPIC_FILTER_INVALID,
	TOPIC_NAME_INVALID,
	type Version,
} from "../../mqtt/constants";
import { decodeUTF8 } from "../../mqtt/utf8";
import type { Core } from "../core/core";

/**
 * Shortest interval between two lines on the console, ms: a client that reconnects in a loop must not fill
 * it.
 */
const LINE_INTERVAL_MS = 5000;

const QUESTION_MARK = 0x3f;

/**
 * Counts by reason the connections that the broker closes, and names on the console the MQTT 3.1.1 clients
 * among them: that version has no packet to tell them why.
 */
export class EndReport {
	readonly #core: Core;
	/** Earliest time of the next line, ms of the broker's clock, and clients left out since the last one. */
	#nextLineAt = 0;
	#omitted = 0;

	constructor(core: Core) {
		this.#core = core;
	}

	/** @param session 0 before CONNECT was accepted */
	report(session: number, version: Version, reasonCode: FailureCode): void {
		const { counters, clock } = this.#core;
		switch (reasonCode) {
			case PACKET_TOO_LARGE:
				counters.endedSize++;
				break;
			case QUOTA_EXCEEDED:
				counters.endedQuota++;
				break;
			case MALFORMED_PACKET:
			case TOPIC_NAME_INVALID:
			case TOPIC_FILTER_INVALID:
				counters.endedMalformed++;
				break;
			default:
		}
		if (session === 0 || version === 5 || reasonCode === SERVER_SHUTTING_DOWN) return;
		if (clock.nowMs < this.#nextLineAt) {
			this.#omitted++;
			return;
		}
		this.#nextLineAt = clock.nowMs + LINE_INTERVAL_MS;
		this.trace(session, reasonCode);
	}

	private trace(session: number, reasonCode: FailureCode): void {
		const { host, sessions, memory } = this.#core;
		const identifier = memory.bytes.slice(sessions.identifierStart(session), sessions.identifierEnd(session));
		for (let i = 0; i < identifier.length; i++)
			if (identifier[i] < 0x20 || identifier[i] === 0x7f) identifier[i] = QUESTION_MARK;
		const omitted = this.#omitted === 0 ? "" : ` (and ${this.#omitted} more since the last such line)`;
		this.#omitted = 0;
		host.trace(
			`broker: closed "${decodeUTF8(identifier, 0, identifier.length)}": ${reasonName(reasonCode)}${omitted}`,
		);
	}
}
