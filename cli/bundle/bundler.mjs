import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const require = createRequire(import.meta.url);

/** Entry point of the command line; its bundle is `main.js`. */
const ENTRY = "cli/main.ts";

/**
 * Whether a file is the project's own, not a package's. The project may be an installed package itself.
 * @param {string} project
 * @param {string} path
 */
export function isSource(project, path) {
	const [first, ...others] = relative(project, path).split(sep);
	return first !== ".." && first !== "node_modules" && !others.includes("node_modules");
}

/**
 * Bundles the command line with all packages except esbuild, which has a binary. What a command imports late
 * is in files of its own. Throws esbuild's error, whose message has file and line.
 * @param {string} project folder of the sources
 * @param {string} output folder of the bundle
 * @param {{ relocatable: boolean }} options relocatable: `output` is directly below `project`, and both may
 *   move together; otherwise the bundle is bound to `project`, and has source maps
 * @returns {Promise<string[]>} absolute paths of all files that are part of the bundle
 */
export async function bundle(project, output, { relocatable }) {
	const { metafile } = await build({
		absWorkingDir: project,
		entryPoints: { main: ENTRY },
		outdir: output,
		bundle: true,
		splitting: true,
		platform: "node",
		format: "esm",
		target: "node20.19",
		charset: "utf8",
		mainFields: ["module", "main"],
		tsconfigRaw: { compilerOptions: { target: "es2023", verbatimModuleSyntax: true } },
		minifyWhitespace: true,
		minifySyntax: true,
		sourcemap: relocatable ? false : "linked",
		legalComments: "none",
		metafile: true,
		logLevel: "silent",
		// For packages in CommonJS.
		banner: {
			js: 'import { createRequire as bundleRequire } from "node:module"; const require = bundleRequire(import.meta.url);',
		},
		plugins: [locationPlugin(project, relocatable)],
	});
	return Object.keys(metafile.inputs).map((path) => join(project, path));
}

/**
 * The sources find files of the project by `import.meta.url`, which is still that of the source file.
 * @param {string} project
 * @param {boolean} relocatable
 * @returns {import("esbuild").Plugin}
 */
function locationPlugin(project, relocatable) {
	return {
		name: "location",
		setup({ onLoad, onResolve }) {
			// A bundle that is not in the project's folder does not find its packages.
			onResolve({ filter: /^esbuild$/ }, ({ path }) => ({
				path: relocatable ? path : pathToFileURL(require.resolve(path)).href,
				external: true,
			}));
			onLoad({ filter: /\.(?:ts|mjs)$/ }, async ({ path }) => {
				if (!isSource(project, path)) return undefined;
				const source = await readFile(path, "utf8");
				const location = relocatable
					? `new URL(${JSON.stringify(`../${relative(project, path).replaceAll(sep, "/")}`)}, import.meta.url).href`
					: JSON.stringify(pathToFileURL(path).href);
				return {
					contents: source.replaceAll("import.meta.url", location),
					loader: path.endsWith(".ts") ? "ts" : "js",
				};
			});
		},
	};
}
