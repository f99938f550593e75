import { posix } from "node:path";
import { binding, type NativeRoot } from "./binding";

/** The source of a module: JavaScript, already stripped of types. */
export interface ModuleSource {
	readonly source: string;
	/** path shown in stacks and syntax errors */
	readonly path: string;
}

/** Options of a {@link Root}. */
export interface RootOptions {
	/** all modules by specifier; they are compiled here, and their byte code is shared */
	modules: ReadonlyMap<string, ModuleSource>;
	/**
	 * modules that run here, once, and are frozen, like `preload` of a manifest in the SDK. Their imports are
	 * preloaded too.
	 */
	preload: readonly string[];
	/**
	 * resolves an import to the specifier of a module; the importer is "" for `Machine.import`. Default: as in
	 * the SDK.
	 */
	resolve?(specifier: string, importer: string): string | undefined;
	/** names available to `native(name)` in XS; `xs_firefly_retained` is always available */
	natives: readonly string[];
}

/** As on the device: relative to the specifier of the importer, with or without the extension. */
export function resolveSpecifier(
	modules: ReadonlyMap<string, unknown>,
	specifier: string,
	importer: string,
): string | undefined {
	const relative = specifier.startsWith("./") || specifier.startsWith("../");
	const name = relative ? posix.join(posix.dirname(importer), specifier) : specifier;
	if (modules.has(name)) return name;
	const bare = name.replace(/\.(js|mjs|ts)$/, "");
	return modules.has(bare) ? bare : undefined;
}

/**
 * The flash content of a device: built-ins, preloaded modules, and the byte code of all modules. All machines
 * created from it share it, at no cost to their memory.
 *
 * Throws XSCrash: "syntax error" with path and line, "unhandled exception" if a preloaded module throws or
 * cannot be found.
 */
export class Root {
	/** @internal */
	readonly native: NativeRoot;
	readonly natives: readonly string[];

	constructor(options: RootOptions) {
		const modules: string[] = [];
		for (const [specifier, { source, path }] of options.modules) modules.push(specifier, path, source);
		const cache = new Map<string, string | undefined>();
		const known = new Set(options.modules.keys());
		const resolve = (specifier: string, importer: string): string | undefined => {
			const key = `${importer}\n${specifier}`;
			if (!cache.has(key)) {
				const result = options.resolve
					? options.resolve(specifier, importer)
					: resolveSpecifier(options.modules, specifier, importer);
				cache.set(key, result !== undefined && known.has(result) ? result : undefined);
			}
			return cache.get(key);
		};
		const natives = new Set(options.natives);
		natives.add("xs_firefly_retained");
		this.natives = [...natives];
		this.native = binding().root(modules, options.preload, this.natives, resolve);
	}

	/**
	 * No more machines can be created. Existing ones continue to run; the memory is freed with the last of
	 * them.
	 */
	dispose(): void {
		binding().disposeRoot(this.native);
	}
}
