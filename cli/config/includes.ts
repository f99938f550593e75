import { readdirSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { BuildVariables } from "./build-variables";
import { readDocument } from "./file";
import { JSONDocument } from "./json";
import type { Include, IncludedManifest } from "./layers";
import type { Path, Problem } from "./problem";

/** Result of reading the includes of a manifest. */
export interface Included {
	/** Drivers included for at least one target, by name, each with the path of its module. */
	readonly drivers: ReadonlyMap<string, string>;
	/** Names of the modules that manifests declare, but for those with wildcards. */
	readonly modules: ReadonlySet<string>;
	/** Sources of `data`, absolute, without the extension where none is given. */
	readonly data: readonly string[];
	/** Folder of Firefly's own firmware; undefined if not included. */
	readonly firmware: string | undefined;
	/** File name of its manifest that is included last, which decides on the roles of the image. */
	readonly image: string | undefined;
	/** Partition table of the build, as named in `build`, relative paths resolved; undefined: the SDK's. */
	readonly partitions: string | undefined;
	/** All manifests of the build but the SDK's, by absolute path. */
	readonly manifests: ReadonlyMap<string, IncludedManifest>;
	readonly problems: readonly Problem[];
}

const driverPrefix = "driver/";

/** The roles that each of the firmware's manifests has. */
export const imageRoles: Readonly<Record<string, readonly string[]>> = {
	"manifest.json": ["sensor", "broker", "both"],
	"manifest_sensor.json": ["sensor"],
	"manifest_broker.json": ["broker"],
};

/**
 * Walks the includes of a manifest, like mcconfig; skips those of the SDK (`$(MODDABLE)/…`).
 * @param environment has the variables that no `build` defines
 */
export function readIncludes(
	document: JSONDocument,
	path: string,
	environment: NodeJS.ProcessEnv = {},
): Included {
	const walk = new IncludeWalker(environment);
	walk.visitManifest(document, resolve(path));
	return walk;
}

/**
 * What is said of a value that needs a manifest of the firmware that is not included.
 * @param firmware its folder
 * @param folder of the manifest, below it
 * @param path of the manifest that lacks it
 */
export function missingInclude(firmware: string, folder: string, path: string): string {
	const manifest = relative(dirname(path), join(firmware, folder, "manifest.json")).replaceAll("\\", "/");
	const shown = manifest.startsWith(".") ? manifest : `./${manifest}`;
	return `needs what no include provides; add "${shown}" to include`;
}

class IncludeWalker implements Included {
	readonly drivers = new Map<string, string>();
	readonly modules = new Set<string>();
	readonly data: string[] = [];
	readonly problems: Problem[] = [];
	firmware: string | undefined;
	image: string | undefined;
	partitions: string | undefined;
	readonly manifests = new Map<string, IncludedManifest & { readonly includes: Include[] }>();
	readonly #variables: BuildVariables;

	constructor(environment: NodeJS.ProcessEnv) {
		this.#variables = new BuildVariables(environment);
	}

	visitManifest(document: JSONDocument, path: string): void {
		this.manifests.set(path, { document, isFirmware: isFirmware(path), includes: [] });
		const root = document.value;
		if (!isObject(root)) return;
		this.#visitBlock(document, path, root, []);
		if (!isObject(root.platforms)) return;
		for (const [name, platform] of Object.entries(root.platforms))
			if (isObject(platform)) this.#visitBlock(document, path, platform, ["platforms", name]);
	}

	#visitBlock(document: JSONDocument, path: string, part: Readonly<Record<string, unknown>>, at: Path): void {
		if (isObject(part.build)) this.#variables.define(part.build, path);
		if (isObject(part.modules))
			for (const [name, target] of Object.entries(part.modules)) {
				this.modules.add(name);
				this.#addDriver(name, target, dirname(path));
			}
		if (isObject(part.data))
			for (const source of Object.values(part.data).flat()) {
				const expanded = this.#variables.expand(String(source));
				if ("path" in expanded) this.data.push(resolve(dirname(path), expanded.path));
			}
		if (isObject(part.build) && typeof part.build.PARTITIONS_FILE === "string")
			this.partitions ??= resolvePath(part.build.PARTITIONS_FILE, path);
		const { include } = part;
		if (include === undefined) return;
		if (typeof include === "string") this.#visitInclude(document, path, include, [...at, "include"]);
		else if (Array.isArray(include))
			for (const [index, entry] of include.entries())
				this.#visitInclude(document, path, entry, [...at, "include", index]);
		else this.problems.push(document.at([...at, "include"], "is not a list of manifests"));
	}

	#addDriver(name: string, target: unknown, directory: string): void {
		if (!name.startsWith(driverPrefix)) return;
		const driver = name.slice(driverPrefix.length);
		for (const source of [target].flat()) {
			const expanded = this.#variables.expand(String(source));
			const path = "path" in expanded ? resolve(directory, expanded.path) : directory;
			if (driver === "*") this.#addDriversOf(path);
			else if (!this.drivers.has(driver)) this.drivers.set(driver, path);
		}
	}

	/** `driver/*`: each file of a folder is a driver. */
	#addDriversOf(pattern: string): void {
		if (basename(pattern) !== "*") return;
		try {
			for (const entry of readdirSync(dirname(pattern)))
				if (/\.[jt]s$/.test(entry) && !entry.endsWith(".d.ts"))
					this.drivers.set(entry.slice(0, -3), join(dirname(pattern), entry));
		} catch {
			// mcconfig treats a missing folder as empty.
		}
	}

	#visitInclude(document: JSONDocument, path: string, entry: unknown, at: Path): void {
		// Manifests from git are fetched by mcconfig.
		if (isObject(entry) && typeof entry.git === "string") return;
		if (typeof entry !== "string") {
			this.problems.push(document.at(at, "is not the path of a manifest"));
			return;
		}
		const expanded = this.#variables.expand(entry);
		if ("sdk" in expanded) return;
		if ("undefinedVariable" in expanded) {
			const { undefinedVariable: name } = expanded;
			const message = `$(${name}) is neither in build nor in the environment${this.#variables.advice(name)}`;
			this.problems.push(document.at(at, message));
			return;
		}
		const target = resolve(dirname(path), expanded.path);
		const platform = at[0] === "platforms" ? String(at[1]) : undefined;
		this.manifests.get(path)?.includes.push({ path: target, platform });
		if (isFirmware(target)) {
			this.firmware = dirname(target);
			this.image = basename(target);
		}
		if (this.manifests.has(target)) return;
		const included = readDocument(target, relative(process.cwd(), target));
		if (!(included instanceof JSONDocument)) {
			this.problems.push(
				included.line === 0 ? document.at(at, `${JSON.stringify(entry)} ${included.message}`) : included,
			);
			return;
		}
		this.problems.push(...included.problems);
		this.visitManifest(included, target);
	}
}

/** Whether a manifest is that of Firefly itself. */
function isFirmware(path: string): boolean {
	return basename(dirname(path)) === "firmware" && basename(path) in imageRoles;
}

/** As mcconfig does: other paths are those of its working directory, or have variables that only it knows. */
function resolvePath(named: string, manifest: string): string {
	return named.startsWith("./") ? resolve(dirname(manifest), named) : named;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
