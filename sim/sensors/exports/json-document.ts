import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { ReplayError } from "../replay-error";

/** A file of JSON whose parts know their lines. */
export class JSONFile {
	readonly root: Node;
	readonly #file: string;
	/** Offset of each line. */
	readonly #lines: number[] = [0];

	/** @throws {ReplayError} */
	constructor(text: string, file: string) {
		this.#file = file;
		for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lines.push(at + 1);
		const errors: ParseError[] = [];
		const root = this.#parse(text, errors);
		const [error] = errors;
		if (root === undefined || error !== undefined) {
			const offset = error?.offset ?? 0;
			const cut = offset >= text.trimEnd().length ? ": the file is cut off here" : "";
			const code = error === undefined ? "" : ` (${printParseErrorCode(error.error)})`;
			throw new ReplayError(`${file}:${this.#lineAt(offset)}: this is not JSON${code}${cut}`);
		}
		this.root = root;
	}

	line({ offset }: Node): number {
		return this.#lineAt(offset);
	}

	/** @throws {ReplayError} always, with the line of a node */
	fail(node: Node, message: string): never {
		throw new ReplayError(`${this.#file}:${this.line(node)}: ${message}`);
	}

	#parse(text: string, errors: ParseError[]): Node | undefined {
		try {
			return parseTree(text, errors, { disallowComments: true });
		} catch (error) {
			// The parser calls itself for each level.
			if (error instanceof RangeError)
				throw new ReplayError(`${this.#file}:1: lists are nested too deeply for a history`);
			throw error;
		}
	}

	#lineAt(offset: number): number {
		let low = 0;
		let high = this.#lines.length;
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			if (this.#lines[middle]! <= offset) low = middle;
			else high = middle;
		}
		return low + 1;
	}
}

/** The entries of an object, or none. */
export function entriesOf(node: Node): readonly (readonly [string, Node])[] {
	if (node.type !== "object") return [];
	return (node.children ?? []).flatMap(({ children }) => {
		const [key, value] = children ?? [];
		return key === undefined || value === undefined ? [] : [[String(key.value), value] as const];
	});
}

export function memberOf(node: Node | undefined, name: string): Node | undefined {
	return node === undefined ? undefined : entriesOf(node).find(([key]) => key === name)?.[1];
}

/** The elements of a list; undefined if it is none. */
export function elementsOf(node: Node | undefined): readonly Node[] | undefined {
	return node?.type === "array" ? (node.children ?? []) : undefined;
}

/** A string, number or boolean as text; null and what is absent as "". */
export function textOf(node: Node | undefined): string {
	const value: unknown = node?.value;
	return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
		? String(value)
		: "";
}
