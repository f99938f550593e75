import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ManifestError } from "./error";
import { matchPlatform } from "./platform";
import { sdkIncludeOf, sdkIncludes } from "./sdk";

/** One value or several. */
type OneOrMany = string | readonly string[];

/** The members of a manifest that the simulator reads. */
interface ManifestBlock {
	readonly include?: OneOrMany;
	readonly build?: Readonly<Record<string, string>>;
	readonly modules?: Readonly<Record<string, OneOrMany>>;
	readonly preload?: OneOrMany;
	readonly config?: JSONObject;
	readonly creation?: JSONObject;
	readonly defines?: JSONObject;
	readonly error?: string;
	readonly warning?: string;
}

interface ManifestFile extends ManifestBlock {
	readonly platforms?: Readonly<Record<string, ManifestBlock>>;
}

export type JSONValue = string | number | boolean | null | readonly JSONValue[] | JSONObject;
export interface JSONObject {
	readonly [name: string]: JSONValue;
}

/** An entry of `modules`: its sources are paths without file name extension, and may end in a wildcard. */
export interface ModuleDeclaration {
	readonly target: string;
	readonly sources: readonly string[];
	readonly manifest: string;
}

/** A manifest with everything that it includes, for one platform. */
export interface Manifest {
	/** The root file, absolute. */
	readonly path: string;
	/** All files read, in the order in which they take effect. */
	readonly files: readonly string[];
	readonly declarations: readonly ModuleDeclaration[];
	/** Modules of the SDK declared by the includes. */
	readonly sdk: ReadonlySet<string>;
	readonly preload: readonly string[];
	readonly config: JSONObject;
	readonly creation: JSONObject;
	readonly defines: JSONObject;
	readonly warnings: readonly string[];
}

/** The platform whose build the simulator resembles. */
export const PLATFORM = "esp32";

/**
 * Reads a manifest and its includes as mcconfig does for `platform`. Throws {@link ManifestError}.
 * @param json content of the root file, if already read or generated
 */
export function readManifest(path: string, json?: object, platform: string = PLATFORM): Manifest {
	return new ManifestReader(platform).read(resolve(path), json);
}

class ManifestReader {
	readonly #platform: string;
	readonly #variables = new Map<string, string>([["MODDABLE", "$(MODDABLE)"]]);
	readonly #seen = new Set<string>();
	readonly #files: string[] = [];
	readonly #declarations: ModuleDeclaration[] = [];
	readonly #sdk = new Set<string>();
	readonly #preload = new Set<string>();
	readonly #warnings: string[] = [];
	readonly #config: Record<string, JSONValue> = {};
	readonly #creation: Record<string, JSONValue> = {};
	readonly #defines: Record<string, JSONValue> = {};

	constructor(platform: string) {
		this.#platform = platform;
	}

	read(path: string, json: object | undefined): Manifest {
		this.#seen.add(path);
		this.#readFile(path, json ?? parse(path, undefined));
		return {
			path,
			files: this.#files,
			declarations: this.#declarations,
			sdk: this.#sdk,
			preload: [...this.#preload],
			config: this.#config,
			creation: this.#creation,
			defines: this.#defines,
			warnings: this.#warnings,
		};
	}

	/** Includes take effect before the file that names them, its platform block after it. */
	#readFile(path: string, manifest: ManifestFile): void {
		const platform = manifest.platforms && matchPlatform(manifest.platforms, this.#platform);
		this.#defineVariables(manifest, path);
		if (platform) this.#defineVariables(platform, path);
		for (const include of [...toList(manifest.include), ...toList(platform?.include)])
			this.#include(include, path);
		this.#files.push(path);
		this.#merge(manifest, path);
		if (platform) this.#merge(platform, path);
	}

	/** A value that begins with `./` is relative to the manifest that has it. */
	#defineVariables(block: ManifestBlock, path: string): void {
		for (const [name, value] of Object.entries(block.build ?? {})) {
			if (typeof value !== "string") continue;
			this.#variables.set(name, value.startsWith("./") ? resolve(dirname(path), value) : value);
		}
	}

	#include(include: string, from: string): void {
		if (typeof include !== "string")
			throw new ManifestError(`${from}: the simulator cannot include ${JSON.stringify(include)}`);
		const path = this.#expand(include, from);
		if (!path.startsWith("$(MODDABLE)")) {
			const file = resolve(dirname(from), path);
			if (this.#seen.has(file)) return;
			this.#seen.add(file);
			this.#readFile(file, parse(file, from));
			return;
		}
		const sdk = sdkIncludeOf(path);
		if (!sdk) {
			throw new ManifestError(
				`${from}: the simulator has no modules for the include ${include}; it has those of ${sdkIncludes().join(", ")}`,
			);
		}
		for (const specifier of sdk.modules) this.#sdk.add(specifier);
		if (sdk.base) this.#variables.set("MODULES", "$(MODDABLE)/modules");
	}

	#merge(block: ManifestBlock, path: string): void {
		if (block.error) throw new ManifestError(`${path}: ${block.error}`);
		if (block.warning) this.#warnings.push(`${path}: ${block.warning}`);
		for (const [target, sources] of Object.entries(block.modules ?? {})) {
			const resolved = toList(sources).map((source) => {
				const expanded = this.#expand(source, path);
				return expanded.startsWith("$(MODDABLE)") ? expanded : resolve(dirname(path), expanded);
			});
			this.#declarations.push({ target, sources: resolved, manifest: path });
		}
		for (const name of toList(block.preload)) this.#preload.add(name);
		merge(this.#config, block.config);
		merge(this.#creation, block.creation);
		merge(this.#defines, block.defines);
	}

	#expand(text: string, from: string): string {
		return text.replace(/\$\((\w+)\)/g, (_, name: string) => {
			const value = this.#variables.get(name) ?? process.env[name];
			if (value !== undefined) return name === "MODDABLE" ? value : this.#expand(value, from);
			const hint =
				name === "MODULES" ? ": include $(MODDABLE)/examples/manifest_base.json before it is used" : "";
			throw new ManifestError(`${from}: $(${name}) is not defined${hint}`);
		});
	}
}

function parse(path: string, from: string | undefined): ManifestFile {
	let text: string;
	try {
		text = readFileSync(path, "utf8");
	} catch {
		throw new ManifestError(
			from ? `${from}: includes ${path}, which cannot be read` : `${path}: cannot be read`,
		);
	}
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new ManifestError(`${path}: not JSON: ${(error as Error).message}`);
	}
	if (typeof value !== "object" || value === null || Array.isArray(value))
		throw new ManifestError(`${path}: not a JSON object`);
	return value as ManifestFile;
}

function toList(value: OneOrMany | undefined): readonly string[] {
	return value === undefined ? [] : typeof value === "string" ? [value] : (value as readonly string[]);
}

/** Objects, and arrays by index, are merged; everything else is replaced. */
function merge(target: Record<string, JSONValue>, source: JSONObject | undefined): void {
	for (const [name, value] of Object.entries(source ?? {})) {
		const present = target[name];
		if (isObject(present) && isObject(value))
			merge(present as Record<string, JSONValue>, value as JSONObject);
		else target[name] = structuredClone(value) as JSONValue;
	}
}

function isObject(value: JSONValue | undefined): value is JSONObject | readonly JSONValue[] {
	return typeof value === "object" && value !== null;
}
