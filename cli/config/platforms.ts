import type { JSONDocument, ManifestView } from "./json";
import { formatPath, type Path, type Problem } from "./problem";
import { valueAt } from "./schema-problems";

/** Blocks of a manifest that a platform's block changes, and that the rules read. */
const MERGED = ["config", "creation", "defines"];

/** The manifest as mcconfig merges it for one key of `platforms`. */
export class PlatformView implements ManifestView {
	readonly name: string;
	readonly value: unknown;
	readonly #document: JSONDocument;
	readonly #block: Path;
	/** Paths and messages of problems as they were without the platform. */
	readonly #origins = new Map<Problem, Pick<Problem, "path" | "message">>();

	constructor(document: JSONDocument, name: string) {
		this.name = name;
		this.#document = document;
		this.#block = ["platforms", name];
		const root = document.value as Members;
		const block = valueAt(root, this.#block) as Members;
		const merged: Record<string, unknown> = { ...root };
		for (const key of MERGED) if (key in block) merged[key] = mergeValues(root[key], block[key]);
		this.value = merged;
	}

	at(path: Path, message: string): Problem {
		return this.#place(path, message, (place, text) => this.#document.at(place, text));
	}

	atKey(path: Path, message: string): Problem {
		return this.#place(path, message, (place, text) => this.#document.atKey(place, text));
	}

	/** Those of the problems that the manifest without the platform's block does not have, there or above. */
	ownProblems(problems: readonly Problem[], base: readonly Problem[]): Problem[] {
		return problems.filter((problem) => {
			const { path, message } = this.#origins.get(problem) ?? problem;
			return !base.some((other) => other.message === message && path.startsWith(other.path));
		});
	}

	/** Where the platform's block has as much of the path as the rest, the problem is there. */
	#place(path: Path, message: string, at: (place: Path, text: string) => Problem): Problem {
		const own = [...this.#block, ...path];
		const inBlock = presentSteps(this.#document.value, own) - this.#block.length;
		const problem =
			inBlock > 0 && inBlock >= presentSteps(this.#document.value, path)
				? at(own, message)
				: at(path, `${message} (for the platform ${this.name})`);
		this.#origins.set(problem, { path: formatPath(path), message });
		return problem;
	}
}

interface Members {
	readonly [key: string]: unknown;
}

/** A view for each platform whose block changes what the rules read. */
export function platformViews(document: JSONDocument): readonly PlatformView[] {
	const platforms = valueAt(document.value, ["platforms"]);
	if (!isObject(platforms)) return [];
	return Object.entries(platforms)
		.filter(([, block]) => isObject(block) && MERGED.some((key) => key in block))
		.map(([name]) => new PlatformView(document, name));
}

/** How many steps of a path exist. */
function presentSteps(root: unknown, path: Path): number {
	let steps = path.length;
	while (steps > 0 && valueAt(root, path.slice(0, steps)) === undefined) steps--;
	return steps;
}

/** As mcconfig: objects and lists are merged, list entries by their index; other values are replaced. */
function mergeValues(base: unknown, own: unknown): unknown {
	if (Array.isArray(base) && Array.isArray(own))
		return Array.from({ length: Math.max(base.length, own.length) }, (_, index) =>
			index in own ? mergeValues(base[index], own[index]) : base[index],
		);
	if (!isObject(base) || !isObject(own)) return own;
	const merged = Object.entries(own).map(([key, value]) => [key, mergeValues(base[key], value)] as const);
	return { ...base, ...Object.fromEntries(merged) };
}

function isObject(value: unknown): value is Members {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
