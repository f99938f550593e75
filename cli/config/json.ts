import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { formatPath, type Path, type Problem } from "./problem";

/** A value, and where in a file a problem of it is. */
export interface ManifestView {
	readonly value: unknown;
	/** A problem at the value at `path`, or at its closest existing parent. */
	at(path: Path, message: string): Problem;
	/** A problem with the key that `path` ends in. */
	atKey(path: Path, message: string): Problem;
	/** Whether the value at `path` comes from a manifest of the user's. */
	isWritten(path: Path): boolean;
}

/** A JSON text with the position of every value. */
export class JSONDocument implements ManifestView {
	readonly file: string;
	readonly text: string;
	/** Undefined if the text is not JSON. */
	readonly value: unknown;
	readonly problems: readonly Problem[];
	readonly #root: Node | undefined;

	/** @param file file name for problems */
	constructor(file: string, text: string) {
		this.file = file;
		this.text = text;
		const errors: ParseError[] = [];
		const root = parseTree(text, errors, { allowTrailingComma: false, disallowComments: true });
		const problems = this.#syntaxProblems(text, errors);
		// With no errors but comments and trailing commas the tree is complete and can be checked further.
		const whole = errors.every((error) => isComment(error) || isTrailingComma(text, error));
		if (root !== undefined && whole) {
			this.#root = root;
			this.value = this.#buildValue(root, [], problems);
		}
		if (problems.length === 0) problems.push(...this.#jsonParseProblems(text));
		this.problems = problems;
	}

	at(path: Path, message: string): Problem {
		let node = this.#root;
		for (const step of path) {
			const child = valueNode(node, step);
			if (child === undefined) break;
			node = child;
		}
		return this.#problem(node?.offset ?? 0, path, message);
	}

	atKey(path: Path, message: string): Problem {
		const parent = path.slice(0, -1).reduce(valueNode, this.#root);
		const property = parent && propertyNode(parent, String(path.at(-1)));
		return this.#problem(property?.offset ?? 0, path, message);
	}

	isWritten(path: Path): boolean {
		return path.reduce(valueNode, this.#root) !== undefined;
	}

	#problem(offset: number, path: Path, message: string): Problem {
		const before = this.text.slice(0, offset).split("\n");
		const line = before.length;
		return { file: this.file, line, column: before[line - 1].length + 1, path: formatPath(path), message };
	}

	#syntaxProblems(text: string, errors: readonly ParseError[]): Problem[] {
		const problems: Problem[] = [];
		let last = -1;
		for (const error of errors) {
			const trailing = isTrailingComma(text, error);
			const offset = trailing ? text.lastIndexOf(",", error.offset) : error.offset;
			if (offset === last) continue;
			last = offset;
			problems.push(
				this.#problem(
					offset,
					[],
					trailing
						? "a comma before the end of an object or list is not JSON"
						: describeParseError(error, text),
				),
			);
			// Errors after the first syntax error are misleading.
			if (!trailing && !isComment(error)) break;
		}
		return problems;
	}

	/** Problems that only JSON.parse finds. */
	#jsonParseProblems(text: string): Problem[] {
		try {
			JSON.parse(text);
			return [];
		} catch (error) {
			return [this.#problem(0, [], `not JSON: ${error instanceof Error ? error.message : error}`)];
		}
	}

	/** Builds the value, with keys such as `__proto__` as plain keys; reports duplicate keys. */
	#buildValue(node: Node, path: Path, problems: Problem[]): unknown {
		if (node.type === "array")
			return (node.children ?? []).map((child, index) => this.#buildValue(child, [...path, index], problems));
		if (node.type !== "object") return node.value;
		const object = {};
		for (const property of node.children ?? []) {
			const [key, value] = property.children ?? [];
			const name = String(key?.value);
			const at = [...path, name];
			if (Object.hasOwn(object, name))
				problems.push(this.#problem(property.offset, at, "this key is here twice"));
			const built = value === undefined ? undefined : this.#buildValue(value, at, problems);
			Object.defineProperty(object, name, {
				value: built,
				enumerable: true,
				configurable: true,
				writable: true,
			});
		}
		return object;
	}
}

/** The value under a key or index; undefined if there is none. Of a key that is there twice, the last. */
function valueNode(node: Node | undefined, step: string | number): Node | undefined {
	if (node?.type === "array") return typeof step === "number" ? node.children?.[step] : undefined;
	return node && propertyNode(node, String(step))?.children?.[1];
}

/** A key of an object with its value. */
function propertyNode(node: Node, key: string): Node | undefined {
	if (node.type !== "object") return undefined;
	return node.children?.findLast((property) => property.children?.[0]?.value === key);
}

function isComment(error: ParseError): boolean {
	return printParseErrorCode(error.error) === "InvalidCommentToken";
}

/**
 * Whether an error is a trailing comma: the parser expected a value or property at the end of a list or
 * object.
 */
function isTrailingComma(text: string, error: ParseError): boolean {
	const code = printParseErrorCode(error.error);
	if (code !== "ValueExpected" && code !== "PropertyNameExpected") return false;
	if (text[error.offset] !== "}" && text[error.offset] !== "]") return false;
	return text.slice(0, error.offset).trimEnd().endsWith(",");
}

function describeParseError(error: ParseError, text: string): string {
	const found = text.slice(error.offset, error.offset + Math.max(1, Math.min(error.length, 20)));
	const here = error.offset >= text.length ? "the end of the file" : JSON.stringify(found);
	switch (printParseErrorCode(error.error)) {
		case "InvalidCommentToken":
			return "comments are not JSON";
		case "PropertyNameExpected":
			return `a key in double quotes is needed here, not ${here}`;
		case "ValueExpected":
			return `a value is needed here, not ${here}`;
		case "ColonExpected":
			return `a colon is needed here, not ${here}`;
		case "CommaExpected":
			return `a comma is needed here, not ${here}`;
		case "CloseBraceExpected":
			return `a closing brace is needed here, not ${here}`;
		case "CloseBracketExpected":
			return `a closing bracket is needed here, not ${here}`;
		case "EndOfFileExpected":
			return `the file should end here, not go on with ${here}`;
		case "UnexpectedEndOfComment":
			return "comments are not JSON";
		case "UnexpectedEndOfString":
			return "this string does not end";
		case "InvalidNumberFormat":
		case "UnexpectedEndOfNumber":
			return "this is not a number";
		case "InvalidUnicode":
		case "InvalidEscapeCharacter":
			return "this escape is not JSON";
		case "InvalidCharacter":
			return "a control character must be escaped in a string";
		default:
			return /^['`\u2018-\u201f]/.test(found)
				? `keys and texts are in straight double quotes, not as in ${here}`
				: `this is not JSON: ${here}`;
	}
}
