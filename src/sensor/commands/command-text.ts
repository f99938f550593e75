import { utf8Length } from "../../config/text";
import { decodeUTF8, utf8, validUTF8 } from "../../mqtt/utf8";
import { ANSWER_PAYLOAD_LIMIT } from "./answer-area";

/** What a node can be told to do. */
export type CommandName = "report-now" | "identify" | "clear" | "set" | "summary" | "update";

/** XS has a native decoder; other engines lack it. */
interface XSString {
	fromArrayBuffer(buffer: ArrayBuffer): string;
}

/** Longest `id` that an answer repeats, in bytes of its JSON. */
const ID_LIMIT = 66;
/** Longest description of a problem, characters. */
const PROBLEM_LIMIT = 140;
/**
 * Deepest nesting of a command that is parsed: `set` needs five. XS parses each level in a call of its own,
 * and a chip whose stack is full resets: the broker would repeat the command in every wake.
 */
export const DEPTH_LIMIT = 8;
/** Most values in a command that is parsed: each takes slots, and a chip without free ones resets too. */
export const VALUE_LIMIT = 128;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
/** The bits in which `[` and `{` differ, and `]` and `}`. */
const BRACE_BIT = 0x20;
const OPENING = 0x5b;
const CLOSING = 0x5d;

/** The members of a command that only some have, as they were given. */
export interface CommandMembers {
	readonly what?: unknown;
	readonly settings?: unknown;
	readonly url?: unknown;
	readonly sha256?: unknown;
}

const NO_MEMBERS: CommandMembers = Object.freeze({});

/** A command as it was read, or why it could not be. */
export interface CommandText {
	/** Of the command, if it is known. */
	readonly name: CommandName | undefined;
	/** As the answer repeats it, in JSON; undefined: there is none. */
	readonly id: string | undefined;
	/** Why it is refused. */
	readonly problem: string | undefined;
	/** All members; of a bare name, none. */
	readonly members: CommandMembers;
	/** It has a member `ok`, as answers have: it is no command. */
	readonly isAnswer: boolean;
}

/**
 * Reads a command: a JSON object with the member `command`, or the bare name of one. Allocates.
 * @param bytes the payload, [start, end)
 */
export function readCommand(bytes: Uint8Array, start: number, end: number): CommandText {
	if (!validUTF8(bytes, start, end)) return refusal("the command is not UTF-8");
	const text = decode(bytes, start, end).trim();
	if (!text.startsWith("{")) return checkName(text, undefined, NO_MEMBERS);
	if (!isParseable(bytes, start, end))
		return refusal(`the command has more than ${DEPTH_LIMIT} levels or ${VALUE_LIMIT} values`);
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		return refusal("the command is not JSON");
	}
	const { command, id, ok } = json as { readonly [key: string]: unknown };
	if (ok !== undefined) return { ...refusal("an answer is no command"), isAnswer: true };
	// A number that JSON has no text for is none: all such would be one command
	const isKnown = typeof id === "string" || (typeof id === "number" && id - id === 0);
	const shown = isKnown ? JSON.stringify(id) : undefined;
	if (id !== undefined && (shown === undefined || utf8Length(shown) > ID_LIMIT))
		return refusal(`id is not a number, nor a text of at most ${ID_LIMIT - 2} bytes`);
	return checkName(command, shown, json as CommandMembers);
}

function checkName(name: unknown, id: string | undefined, members: CommandMembers): CommandText {
	switch (name) {
		case "report-now":
		case "identify":
		case "clear":
		case "set":
		case "summary":
		case "update":
			return { name, id, problem: undefined, members, isAnswer: false };
	}
	const shown = typeof name === "string" ? `${JSON.stringify(shorten(name, 32))} is` : "there is";
	const problem = `${shown} no command; there are report-now, identify, clear, set, summary and update`;
	return { ...refusal(problem), id };
}

/** Whether JSON keeps to the limits of what is parsed; whether it is JSON at all is up to the parser. */
function isParseable(bytes: Uint8Array, start: number, end: number): boolean {
	let depth = 0;
	let values = 0;
	let isQuoted = false;
	for (let at = start; at < end; at++) {
		const byte = bytes[at];
		if (byte === QUOTE) isQuoted = !isQuoted;
		else if (isQuoted) {
			if (byte === BACKSLASH) at++;
		} else if (byte === COMMA) values++;
		else if ((byte & ~BRACE_BIT) === OPENING) {
			values++;
			if (++depth > DEPTH_LIMIT) return false;
		} else if ((byte & ~BRACE_BIT) === CLOSING) depth--;
	}
	return values <= VALUE_LIMIT;
}

function refusal(problem: string): CommandText {
	return { name: undefined, id: undefined, problem, members: NO_MEMBERS, isAnswer: false };
}

function decode(bytes: Uint8Array, start: number, end: number): string {
	const xs = String as Partial<XSString>;
	if (xs.fromArrayBuffer === undefined) return decodeUTF8(bytes, start, end);
	return xs.fromArrayBuffer(bytes.slice(start, end).buffer as ArrayBuffer);
}

/**
 * Composes an answer: JSON with `command` and `id` as they were given, `ok`, and `error` if there is one.
 * Allocates.
 * @param more further members, each with a comma before it
 */
export function writeAnswer(
	name: string | undefined,
	id: string | undefined,
	problem: string | undefined,
	more = "",
): Uint8Array {
	const head = `{"command":${name === undefined ? "null" : `"${name}"`}${id === undefined ? "" : `,"id":${id}`},"ok":`;
	if (problem === undefined) return utf8(`${head}true${more}}`);
	for (let limit = PROBLEM_LIMIT; ; limit >>= 1) {
		const answer = utf8(`${head}false,"error":${JSON.stringify(shorten(problem, limit))}${more}}`);
		if (answer.length <= ANSWER_PAYLOAD_LIMIT) return answer;
	}
}

/** A text that has at most `limit` characters. */
export function shorten(text: string, limit: number): string {
	if (text.length <= limit) return text;
	// Half of a surrogate pair has no UTF-8 form
	const last = text.charCodeAt(limit - 2);
	return `${text.slice(0, last >= 0xd800 && last < 0xdc00 ? limit - 2 : limit - 1)}…`;
}
