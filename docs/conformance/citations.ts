import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Side } from "./statement";

/**
 * A citation of a statement in a file: [MQTT-3.1.2-1] in 5.0's numbering, [MQTT-3.1.1:3.1.2-1] in 3.1.1's.
 */
export interface Citation {
	/** Without brackets. */
	readonly name: string;
	/** From the root of the repository, with slashes. */
	readonly file: string;
	readonly line: number;
}

/** Also matches malformed citations, so that a misprint is found. */
const PATTERN = /\[(MQTT-[^\]\s]*)\]/g;

/** All citations in the TypeScript files under `folders` of `root`, by file and line. */
export function citations(root: string, folders: readonly string[]): Citation[] {
	const found: Citation[] = [];
	for (const folder of folders) {
		const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter((file) =>
			file.endsWith(".ts"),
		);
		for (const file of files.sort()) {
			const path = join(root, folder, file);
			found.push(...citationsOf(readFileSync(path, "utf8"), relative(root, path).split(sep).join("/")));
		}
	}
	return found;
}

export function citationsOf(text: string, file: string): Citation[] {
	const found: Citation[] = [];
	const lines = text.split("\n");
	for (let i = 0; i < lines.length; i++) {
		for (const match of lines[i].matchAll(PATTERN)) found.push({ name: match[1], file, line: i + 1 });
	}
	return found;
}

/** The conformance targets of a file; the wire format belongs to both. */
export function sidesOf(file: string): readonly Side[] {
	for (const [pattern, sides] of SIDES_BY_PATH) if (pattern.test(file)) return sides;
	return [];
}

const SIDES_BY_PATH: readonly (readonly [RegExp, readonly Side[]])[] = [
	[/^src\/(broker|websocket)\//, ["server"]],
	[/^src\/(client|sensor|config)\//, ["client"]],
	[/^src\/(mqtt|session)\//, ["server", "client"]],
	[/^test\/conformance\/citations/, []], // tests the citations themselves
	[/^test\/(broker|websocket)\/|^test\/conformance\/server/, ["server"]],
	[/^test\/(client|sensor)\/|^test\/conformance\/client/, ["client"]],
	[/^test\/(mqtt|session|conformance)\//, ["server", "client"]],
];
