import { posix } from "node:path";
import { binding, type NativeRoot } from "./binding";

/** The source of a module: JavaScript, already stripped of types. */
export interface ModuleSource {
	readonly source: string;
	/** appears in stacks and in syntax errors */
	readonly path: string;
}

/** Options of a {@link Root}. */
export interface RootOptions {
	/** every module that exists, by specifier; all are compiled here, and their byte code is shared */
	modules: ReadonlyMap<string, ModuleSource>;
	/**
	 * modules that run here, once, and are frozen: what the SDK does with the `preload` of a manifest. What
	 * they import is preloaded too.
	 */
	preload: readonly string[];
	/**
	 * the specifier of the module that an import means; the importer is "" for `Machine.import`. Default: as
	 * the SDK does.
	 */
	resolve?(specifier: string, importer: string): string | undefined;
	/** names that `native(name)` knows in XS; `xs_firefly_retained` is always there */
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
 * What a device has in flash: built-ins, preloaded modules, and the byte code of all modules. It is shared by
 * all machines made from it, at no cost to their memory.
 *
 * Throws XSCrash: "syntax error" with path and line, "unhandled exception" when a preloaded module throws or
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

	/** No more machines can be made; those that exist run on, the memory is freed with the last of them. */
	dispose(): void {
		binding().disposeRoot(this.native);
	}
}
