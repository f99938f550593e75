import { dirname, join } from "node:path";
import { build } from "esbuild";
import { root } from "./import-graph";

export interface ModuleStubs {
	/**
	 * Maps a specifier, as imported or as a path relative to the repository, to its default export or to an
	 * object of named exports.
	 */
	readonly modules: Readonly<
		Record<string, { readonly default?: unknown; readonly [name: string]: unknown }>
	>;
	/** Return value of `native(name)`. */
	readonly natives?: Readonly<Record<string, (...args: never[]) => unknown>>;
	readonly trace?: (...text: string[]) => void;
}

/** Loads a module of the firmware in Node; `stage` supplies its platform. */
export async function loadModule<Exports>(
	entry: string,
	{ modules, natives = {}, trace = () => {} }: ModuleStubs,
): Promise<Exports> {
	const { outputFiles } = await build({
		entryPoints: [join(root, `${entry}.ts`)],
		bundle: true,
		write: false,
		format: "cjs",
		logLevel: "silent",
		plugins: [
			{
				name: "stage",
				setup({ onResolve }) {
					onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
						if (kind === "entry-point") return { path };
						if (!path.startsWith(".")) return { path, external: true };
						const file = join(dirname(importer), path).slice(root.length);
						return file in modules ? { path: file, external: true } : { path: join(root, `${file}.ts`) };
					});
				},
			},
		],
	});
	const module = { exports: {} as Exports };
	const require = (specifier: string): unknown => {
		const exports = modules[specifier];
		if (!exports) throw new Error(`no module ${specifier}`);
		return { __esModule: true, ...exports };
	};
	const native = (name: string): unknown => {
		const host = natives[name];
		if (!host) throw new Error(`no native ${name}`);
		return host;
	};
	new Function("require", "module", "exports", "native", "trace", outputFiles[0]!.text)(
		require,
		module,
		module.exports,
		native,
		trace,
	);
	return module.exports;
}
