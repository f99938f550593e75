import { utf8 } from "../../mqtt/utf8";
import { writeInteger } from "../../text/decimal";
import type { RetainedState } from "../retained/retained-state";
import { countedTime, countOf, RUN_COUNTS } from "../retained/run-counts";
import { SUMMARY_PAYLOAD_LIMIT } from "./answer-area";

/** What a summary is written from. */
interface SummaryParts {
	readonly retained: RetainedState;
	readonly outbox: { readonly waitingCount: number };
	readonly clock: { readonly now: number };
}

/**
 * Composes the answer to `summary`: what the node has done since it counts, times in ms. Allocates, but the
 * text, which is longer than other answers, only once.
 * @param id as the command has it, in JSON
 */
export function writeSummary(id: string | undefined, { retained, outbox, clock }: SummaryParts): Uint8Array {
	const bytes = new Uint8Array(SUMMARY_PAYLOAD_LIMIT);
	const head = utf8(`{"command":"summary"${id === undefined ? "" : `,"id":${id}`},"ok":true,"summary":{`);
	bytes.set(head);
	let at = writeText(bytes, head.length, '"observed":');
	at = writeInteger(bytes, at, countedTime(retained, clock.now));
	for (let i = 0; i < RUN_COUNTS.length; i++) {
		const member = RUN_COUNTS[i];
		at = writeText(bytes, at, ',"');
		at = writeText(bytes, at, member[0]);
		at = writeText(bytes, at, '":');
		at = writeInteger(bytes, at, countOf(retained, member[1]));
	}
	at = writeInteger(bytes, writeText(bytes, at, ',"waiting":'), outbox.waitingCount);
	return bytes.subarray(0, writeText(bytes, at, "}}"));
}

function writeText(bytes: Uint8Array, at: number, text: string): number {
	for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
	return at + text.length;
}
