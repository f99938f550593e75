import { writeFileSync } from "node:fs";
import { applyEdits, modify } from "jsonc-parser";
import { readDocument } from "../config/file";
import { JSONDocument } from "../config/json";
import { formatProblem } from "../config/problem";
import { Failure } from "../failure";

/** Reads a manifest. @returns what puts a user into it, or a new hash to one who is there; the rest of the file stays as it is */
export function addUser(file: string): (user: string, hash: string) => void {
	const document = readDocument(file, file);
	const problems = document instanceof JSONDocument ? document.problems : [document];
	if (problems.length > 0 || !(document instanceof JSONDocument)) throw new Failure(problems.map(formatProblem).join("\n"));
	const { text } = document;
	return (user, hash) => {
		const edits = modify(text, ["config", "firefly", "listen", "users", user], hash, { formattingOptions: formattingOf(text) });
		try {
			writeFileSync(file, applyEdits(text, edits));
		} catch (error) {
			throw new Failure(`${file}: cannot be written: ${error instanceof Error ? error.message : error}`);
		}
	};
}

/** Indentation and line ends as the file has them. */
function formattingOf(text: string) {
	const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
	return { insertSpaces: !indent.startsWith("\t"), tabSize: indent.startsWith("\t") ? 1 : indent.length, eol: text.includes("\r\n") ? "\r\n" : "\n" };
}
