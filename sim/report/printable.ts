/*
 * Texts of others, such as payloads of any client and fields of any file, as a terminal may have them: what
 * could move its cursor, change its title or reverse its text is escaped.
 */

const ESCAPED = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A text on one line. */
export function printable(text: string): string {
	return text.replace(
		ESCAPED,
		(character) => SHORT_ESCAPES[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`,
	);
}

/** A text that has lines of its own, and may be indented by tabs. */
export function printableLines(text: string): string {
	return text
		.split("\n")
		.map((line) => line.split("\t").map(printable).join("\t"))
		.join("\n");
}
