import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { driverSource } from "./drivers";
import { ManifestError } from "./error";
import type { JSONObject, JSONValue, Manifest } from "./manifest-reader";
import { declaredModules, type ModuleFile, preloadedModules } from "./modules";
import { CONFIG_MODULE, includeOf, MODULES_MODULE, simulatorModulePath } from "./sdk";
import { type Transpiled, transpile } from "./transpiler";

export interface ProgramModule {
	readonly specifier: string;
	/** File, or a name in angle brackets for generated code. */
	readonly path: string;
	readonly code: string;
	/** Resolved specifiers; {@link importsAsWritten} has them as in the code, in the same order. */
	readonly imports: readonly string[];
	readonly importsAsWritten: readonly string[];
	/** Runs at build time and lives in ROM. */
	readonly preloaded: boolean;
	sourceLine(line: number): number;
}

/** All that an engine needs to run the firmware of a manifest. */
export interface Program {
	/** Ordered so that every module follows those it imports, except in cycles. */
	readonly modules: ReadonlyMap<string, ProgramModule>;
	/** The module that starts the firmware, and whose default export is called if it is a function. */
	readonly main: string;
	/** What the module `mc/config` exports. */
	readonly config: JSONObject;
	readonly creation: CreationSizes;
}

/** Memory of the machine on the ESP32 (manifest `creation`, with mcconfig's defaults). */
export interface CreationSizes {
	/** Bytes shared by slots and chunks, which grow towards each other; 0: each has its own. */
	readonly static: number;
	/** Bytes. */
	readonly chunk: GrowableSize;
	/** Slots. */
	readonly heap: GrowableSize;
	/** Slots. */
	readonly stack: number;
	/** Names that can be created at run time. */
	readonly keys: GrowableSize;
}

export interface GrowableSize {
	readonly initial: number;
	readonly incremental: number;
}

/** Modules that the firmware imports from its host, and the simulator's source of each. */
const HOST_MODULES: Readonly<Record<string, string>> = { "platform/event": "event", "platform/stop": "stop" };
/** Modules that the firmware finds by name if a manifest declares them. */
const OPTIONAL_MODULES = [
	"firmware/light-sleep/light-sleep",
	"firmware/mdns/announcement",
	"firmware/tls/socket",
	"firmware/update/image-slots",
	"src/sensor/update/node-update",
	"src/websocket/client/socket",
];
/** What needs modules of the SDK that the simulator lacks, and its own in their place. */
const REPLACED_MODULES: Readonly<Record<string, string>> = { "firmware/tls/socket": "tls" };
const DRIVER_PREFIX = "driver/";
/** Drivers that exist only in the simulator. */
const SIMULATOR_DRIVERS = ["virtual", "replay"];
/** The driver of all simulated sensors: see drivers.ts. */
const SENSOR_DRIVER = "sim/sensor";

export interface ProgramOptions {
	/** Replaces the manifest's `config`. */
	readonly config?: JSONObject;
	/** Drivers in use, by name. */
	readonly drivers?: readonly string[];
	/** Properties that the simulator's sensors offer, by number. */
	readonly properties?: readonly (readonly string[])[];
}

/**
 * Reads, transpiles and links the modules that the firmware of `manifest` reaches. Throws
 * {@link ManifestError}.
 */
export function linkProgram(manifest: Manifest, options: ProgramOptions = {}): Program {
	return new Linker(manifest, options).link();
}

class Linker {
	readonly #manifest: Manifest;
	readonly #options: ProgramOptions;
	readonly #files: Map<string, ModuleFile>;
	readonly #generated = new Map<string, string>();
	readonly #transpiled = new Map<string, Transpiled>();
	readonly #modules = new Map<string, ProgramModule>();
	readonly #preload: ReadonlySet<string>;
	readonly #visiting = new Set<string>();

	constructor(manifest: Manifest, options: ProgramOptions) {
		this.#manifest = manifest;
		this.#options = options;
		this.#files = declaredModules(manifest);
		const preload = preloadedModules(manifest, this.#files);
		for (const name of preload) {
			if (!this.#files.has(name) && !manifest.sdk.has(name))
				throw new ManifestError(`${manifest.path}: preload names "${name}", which no manifest declares`);
		}
		this.#preload = new Set([...preload, ...manifest.sdk]);
	}

	link(): Program {
		const main = this.#mainSpecifier();
		for (const [specifier, name] of Object.entries(HOST_MODULES)) {
			if (!this.#files.has(specifier))
				this.#files.set(specifier, { specifier, path: simulatorModulePath(name), manifest: undefined });
		}
		for (const [specifier, name] of Object.entries(REPLACED_MODULES))
			if (this.#files.has(specifier))
				this.#files.set(specifier, { specifier, path: simulatorModulePath(name), manifest: undefined });
		const config = this.#options.config ?? this.#manifest.config;
		this.#generated.set(CONFIG_MODULE, configSource(config));
		this.#generated.set(SENSOR_DRIVER, driverSource(this.#options.properties ?? []));
		if (this.#manifest.sdk.has(MODULES_MODULE)) this.#generated.set(MODULES_MODULE, this.#modulesSource());
		this.#visit(main, undefined, false);
		this.#markPreloaded();
		return { modules: this.#modules, main, config, creation: readCreation(this.#manifest.creation) };
	}

	#mainSpecifier(): string {
		const { main } = this.#manifest.creation;
		const specifier = typeof main === "string" ? main : "main";
		if (!this.#files.has(specifier))
			throw new ManifestError(`${this.#manifest.path}: no manifest declares the main module "${specifier}"`);
		return specifier;
	}

	/**
	 * Generates `modules`, which finds by name what no module imports: the drivers and the host's modules.
	 * Drivers that need hardware are replaced by simulated ones.
	 */
	#modulesSource(): string {
		const targets = new Map<string, string>(
			Object.keys(HOST_MODULES).map((specifier) => [specifier, specifier]),
		);
		for (const specifier of OPTIONAL_MODULES)
			if (this.#files.has(specifier)) targets.set(specifier, specifier);
		for (const name of SIMULATOR_DRIVERS) targets.set(DRIVER_PREFIX + name, SENSOR_DRIVER);
		for (const specifier of this.#files.keys()) {
			if (specifier.startsWith(DRIVER_PREFIX) && !targets.has(specifier))
				targets.set(specifier, this.#canRun(specifier) ? specifier : SENSOR_DRIVER);
		}
		for (const name of this.#options.drivers ?? [])
			if (!targets.has(DRIVER_PREFIX + name)) targets.set(DRIVER_PREFIX + name, SENSOR_DRIVER);
		const names = [...targets];
		const imports = names.map(([, target], index) => `import m${index} from "${target}";\n`).join("");
		const has = names.map(([name]) => `\t\tcase "${name}":\n`).join("");
		const now = names.map(([name], index) => `\t\tcase "${name}": return m${index};\n`).join("");
		return `${imports}
function has(specifier) {
	switch (specifier) {
${has}			return true;
	}
	return false;
}
function importNow(specifier) {
	switch (specifier) {
${now}	}
	throw new Error("module not found: " + specifier);
}
export default Object.freeze({ has, importNow });
`;
	}

	/** Whether everything that a driver imports is in the build. */
	#canRun(specifier: string, path: ReadonlySet<string> = new Set()): boolean {
		if (path.has(specifier) || this.#generated.has(specifier)) return true;
		if (!this.#files.has(specifier)) return false;
		return this.#transpile(specifier).imports.every((name) =>
			this.#canRun(resolveRelative(name, specifier), new Set([...path, specifier])),
		);
	}

	#visit(specifier: string, importer: string | undefined, written: string | false): void {
		if (this.#modules.has(specifier) || this.#visiting.has(specifier)) return;
		if (!this.#files.has(specifier) && !this.#generated.has(specifier))
			throw this.#undeclared(specifier, importer!, written || specifier);
		this.#visiting.add(specifier);
		const { code, imports, sourceLine } = this.#transpile(specifier);
		const resolved = imports.map((name) => resolveRelative(name, specifier));
		for (let i = 0; i < resolved.length; i++) this.#visit(resolved[i]!, specifier, imports[i]!);
		const path = this.#files.get(specifier)?.path ?? `<${specifier}>`;
		this.#modules.set(specifier, {
			specifier,
			path,
			code,
			imports: resolved,
			importsAsWritten: imports,
			preloaded: false,
			sourceLine,
		});
	}
	#transpile(specifier: string): Transpiled {
		let transpiled = this.#transpiled.get(specifier);
		if (!transpiled) {
			const path = this.#files.get(specifier)?.path;
			transpiled =
				path === undefined
					? transpile(this.#generated.get(specifier)!, `${specifier}.js`)
					: transpileCached(path);
			this.#transpiled.set(specifier, transpiled);
		}
		return transpiled;
	}

	#undeclared(specifier: string, importer: string, written: string): ManifestError {
		const from = this.#files.get(importer);
		const include = includeOf(specifier);
		const hint = include ? `: include ${include}` : `; the manifests are ${this.#manifest.files.join(", ")}`;
		return new ManifestError(
			`${from?.path ?? importer} imports "${written}" (module "${specifier}"), which no manifest declares${hint}`,
		);
	}

	/** The imports of a preloaded module are preloaded too. */
	#markPreloaded(): void {
		const marked = new Set<string>();
		const mark = (specifier: string): void => {
			if (marked.has(specifier) || !this.#modules.has(specifier)) return;
			marked.add(specifier);
			for (const name of this.#modules.get(specifier)!.imports) mark(name);
		};
		for (const specifier of [CONFIG_MODULE, MODULES_MODULE, ...Object.keys(HOST_MODULES), ...this.#preload])
			mark(specifier);
		for (const specifier of marked)
			this.#modules.set(specifier, { ...this.#modules.get(specifier)!, preloaded: true });
	}
}

/** Relative specifiers are resolved against the importer's specifier, not against its file. */
function resolveRelative(name: string, importer: string): string {
	return name.startsWith("./") || name.startsWith("../")
		? posix.join(posix.dirname(importer), name).replace(/\.(?:js|ts|mjs)$/, "")
		: name;
}

const cache = new Map<string, Transpiled & { readonly source: string }>();

function transpileCached(path: string): Transpiled {
	const source = readFileSync(path, "utf8");
	const present = cache.get(path);
	if (present?.source === source) return present;
	const transpiled = { ...transpile(source, path), source };
	cache.set(path, transpiled);
	return transpiled;
}

function configSource(config: JSONObject): string {
	return `function freeze(value) {
	if (typeof value === "object" && value !== null) {
		const names = Object.keys(value);
		for (let i = 0; i < names.length; i++) freeze(value[names[i]]);
		Object.freeze(value);
	}
	return value;
}
export default freeze(${JSON.stringify(config)});
`;
}

function readCreation(creation: JSONObject): CreationSizes {
	const number = (value: JSONValue | undefined, otherwise: number): number =>
		typeof value === "number" ? value : otherwise;
	const size = (value: JSONValue | undefined, initial: number, incremental: number): GrowableSize => {
		const object = typeof value === "object" && value !== null ? (value as JSONObject) : {};
		return { initial: number(object.initial, initial), incremental: number(object.incremental, incremental) };
	};
	return {
		static: number(creation.static, 0),
		chunk: size(creation.chunk, 32768, 1024),
		heap: size(creation.heap, 2048, 64),
		stack: number(creation.stack, 384),
		keys: size(creation.keys, 32, 32),
	};
}
