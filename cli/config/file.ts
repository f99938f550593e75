import { readFileSync } from "node:fs";
import { JSONDocument } from "./json";
import type { Problem } from "./problem";

const MISSING = "does not exist";

/** Reads a JSON file; returns a problem if it cannot be read as text. */
export function readDocument(path: string, shown: string): JSONDocument | Problem {
	let bytes: Uint8Array;
	try {
		bytes = readFileSync(path);
	} catch (error) {
		return { file: shown, line: 0, column: 0, path: "", message: readErrorText(error) };
	}
	if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
		return problemAt(shown, 1, 1, "begins with a byte order mark, which is not JSON");
	if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
		return problemAt(shown, 1, 1, "is UTF-16; UTF-8 is needed");
	let text: string;
	try {
		text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		return notUTF8(bytes, shown);
	}
	try {
		return new JSONDocument(shown, text);
	} catch (error) {
		// The parser's recursion ends with the stack.
		if (!(error instanceof RangeError)) throw error;
		return problemAt(shown, 1, 1, "is nested too deeply");
	}
}

/** Where a manifest comes from, for those who have none. */
export const PROJECT_ADVICE = "firefly new DIR makes a project, firefly init makes one of this folder";

/** Like {@link readDocument}, for the manifest that a command is about. */
export function readManifestDocument(path: string, shown: string): JSONDocument | Problem {
	const document = readDocument(path, shown);
	if (document instanceof JSONDocument || document.message !== MISSING) return document;
	return { ...document, message: `${document.message}; ${PROJECT_ADVICE}` };
}

function problemAt(file: string, line: number, column: number, message: string): Problem {
	return { file, line, column, path: "", message };
}

/** A problem at the first byte that is not UTF-8. */
function notUTF8(bytes: Uint8Array, shown: string): Problem {
	const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	let text = "";
	try {
		for (let i = 0; i < bytes.length; i++) text += decoder.decode(bytes.subarray(i, i + 1), { stream: true });
	} catch {
		// `text` ends before the invalid byte, also if the last character is truncated.
	}
	const lines = text.split("\n");
	return problemAt(shown, lines.length, lines[lines.length - 1].length + 1, "is not UTF-8 text");
}

/** The cause of a failed read, as text. */
export function readErrorText(error: unknown): string {
	const code = error instanceof Error && "code" in error ? error.code : undefined;
	switch (code) {
		case "ENOENT":
		case "ENOTDIR":
			return MISSING;
		case "EISDIR":
			return "is a directory";
		case "EACCES":
		case "EPERM":
			return "cannot be read: permission denied";
		default:
			return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
	}
}
