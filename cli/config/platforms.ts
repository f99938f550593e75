import type { Included } from "./includes";
import type { JSONDocument, ManifestView } from "./json";
import { type Layer, layersOf } from "./layers";
import { formatPath, type Path, type Problem } from "./problem";
import { valueAt } from "./schema-problems";

/** Blocks of a manifest that are merged, and that the rules read. */
const MERGED = ["config", "creation", "defines"];
/** Blocks of a platform that make its build another one for the rules. */
const SPECIFIC = [...MERGED, "include"];
/** The platform whose build is that of a board without a block of its own. */
const DEFAULT_PLATFORM = "esp32";

/** Paths and messages of problems as they are in every platform's view. */
const origins = new WeakMap<Problem, Pick<Problem, "path" | "message">>();

/** What mcconfig makes of a manifest and its includes for one key of `platforms`. */
export class PlatformView implements ManifestView {
	/** Undefined: without the block of any platform. */
	readonly name: string | undefined;
	readonly value: unknown;
	readonly #document: JSONDocument;
	readonly #layers: readonly Layer[];

	/** @param document the manifest that is built */
	constructor(document: JSONDocument, layers: readonly Layer[], name: string | undefined) {
		this.name = name;
		this.#document = document;
		this.#layers = layers;
		const merged: Record<string, unknown> = { ...(document.value as Members) };
		for (const key of MERGED) delete merged[key];
		for (const layer of layers) {
			const block = layerValue(layer, []);
			if (!isObject(block)) continue;
			for (const key of MERGED) if (key in block) merged[key] = mergeValues(merged[key], block[key]);
		}
		this.value = merged;
	}

	at(path: Path, message: string): Problem {
		return this.#place(path, message, (document, place, text) => document.at(place, text));
	}

	atKey(path: Path, message: string): Problem {
		return this.#place(path, message, (document, place, text) => document.atKey(place, text));
	}

	isWritten(path: Path): boolean {
		const last = this.#layers.findLast((layer) => layerValue(layer, path) !== undefined);
		return last !== undefined && !last.isFirmware;
	}

	/** The problem is in the last of the parts that have most of the path; never in Firefly's own. */
	#place(
		path: Path,
		message: string,
		at: (document: JSONDocument, place: Path, text: string) => Problem,
	): Problem {
		let found: Layer | undefined;
		let most = 1;
		for (const layer of this.#layers) {
			const steps = layer.isFirmware ? 0 : presentSteps(layer, path);
			if (steps < most) continue;
			most = steps;
			found = layer;
		}
		const { document, block } = found ?? { document: this.#document, block: [] };
		const text =
			block.length > 0 || this.name === undefined ? message : `${message} (for the platform ${this.name})`;
		const problem = at(document, [...block, ...path], text);
		origins.set(problem, { path: formatPath(path), message });
		return problem;
	}
}

interface Members {
	readonly [key: string]: unknown;
}

/**
 * A view for each platform whose build is different in the project, that of a plain ESP32 first.
 * @param target a platform that is built, whether it is different or not
 */
export function platformViews(
	document: JSONDocument,
	path: string,
	{ manifests }: Included,
	target: string | undefined,
): readonly PlatformView[] {
	const names = new Set([DEFAULT_PLATFORM]);
	if (target !== undefined) names.add(target);
	for (const { document: manifest, isFirmware } of manifests.values()) {
		const platforms = valueAt(manifest.value, ["platforms"]);
		if (isFirmware || !isObject(platforms)) continue;
		for (const [name, block] of Object.entries(platforms))
			if (isObject(block) && SPECIFIC.some((key) => key in block)) names.add(name);
	}
	return [...names].map((name) => new PlatformView(document, layersOf(manifests, path, name), name));
}

/** What all platforms have. */
export function commonView(document: JSONDocument, path: string, { manifests }: Included): PlatformView {
	return new PlatformView(document, layersOf(manifests, path, undefined), undefined);
}

/**
 * Those of a platform's problems that are not known yet, at the same value or above it; a problem of all
 * platforms as they have it.
 */
export function newProblems(
	problems: readonly Problem[],
	common: readonly Problem[],
	known: readonly Problem[],
): Problem[] {
	return problems
		.filter((problem) => !known.some((other) => isSame(problem, other)))
		.map((problem) => common.find((other) => isSame(problem, other)) ?? problem);
}

function isSame(problem: Problem, other: Problem): boolean {
	const { path, message } = origins.get(problem) ?? problem;
	const origin = origins.get(other) ?? other;
	return origin.message === message && path.startsWith(origin.path);
}

function layerValue({ document, block }: Layer, path: Path): unknown {
	return valueAt(document.value, [...block, ...path]);
}

/** How many steps of a path exist. */
function presentSteps(layer: Layer, path: Path): number {
	let steps = path.length;
	while (steps > 0 && layerValue(layer, path.slice(0, steps)) === undefined) steps--;
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
