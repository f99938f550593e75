import { applyEdits, modify } from "jsonc-parser";
import { readManifestDocument } from "../config/file";
import { JSONDocument } from "../config/json";
import { formatProblem } from "../config/problem";
import { Failure } from "../failure";
import { replaceFile } from "../replaced-file";

const USERS = ["config", "firefly", "listen", "users"];

/**
 * Reads a manifest.
 * @returns a function that adds a user or replaces a user's hash; it keeps later edits of the rest of the
 *   file
 */
export function addUser(file: string): (user: string, hash: string) => void {
	readManifestText(file);
	return (user, hash) => {
		// Read again: typing a password takes time, in which the file may be edited.
		const text = readManifestText(file);
		const edits = modify(text, [...USERS, user], hash, { formattingOptions: formattingOf(text) });
		try {
			replaceFile(file, applyEdits(text, edits));
		} catch (error) {
			throw new Failure(`${file}: cannot be written: ${error instanceof Error ? error.message : error}`);
		}
	};
}

/** The text of a manifest with room for users. */
function readManifestText(file: string): string {
	const document = readManifestDocument(file, file);
	const problems = document instanceof JSONDocument ? [...document.problems] : [document];
	if (document instanceof JSONDocument && problems.length === 0) {
		let value = document.value;
		for (let length = 0; length <= USERS.length && value !== undefined; length++) {
			if (typeof value === "object" && value !== null && !Array.isArray(value))
				value = (value as Readonly<Record<string, unknown>>)[USERS[length]];
			else {
				problems.push(document.at(USERS.slice(0, length), "an object is needed here"));
				break;
			}
		}
		if (problems.length === 0) return document.text;
	}
	throw new Failure(problems.map(formatProblem).join("\n"));
}

/** Indentation and line ends of the file. */
function formattingOf(text: string) {
	const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
	return {
		insertSpaces: !indent.startsWith("\t"),
		tabSize: indent.startsWith("\t") ? 1 : indent.length,
		eol: text.includes("\r\n") ? "\r\n" : "\n",
	};
}
