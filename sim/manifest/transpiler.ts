import { SourceMap } from "node:module";
import { transformSource } from "./compiler";

/** JavaScript without types, and its imports for linking. */
export interface Transpiled {
	readonly code: string;
	/** Specifiers as written, in the order of the imports. */
	readonly imports: readonly string[];
	/** Line of the source for a line of the code, both from 1. */
	sourceLine(line: number): number;
}

const IMPORT = /^(?:import|export)\b[^"'();]*?(?:\bfrom\s*)?"([^"]+)";$/gm;

/** Strips types and prints each import on its own line. Throws esbuild's error with file and line. */
export function transpile(source: string, path: string): Transpiled {
	const { code, map } = transformSource(source, {
		loader: path.endsWith(".ts") ? "ts" : "js",
		format: "esm",
		target: "esnext",
		sourcemap: "external",
		sourcefile: path,
		sourcesContent: false,
		charset: "utf8",
		tsconfigRaw: {
			// As in firmware/manifest.json
			compilerOptions: { target: "esnext", useDefineForClassFields: false, verbatimModuleSyntax: true },
		},
	});
	const imports: string[] = [];
	for (const match of code.matchAll(IMPORT)) imports.push(match[1]!);
	let sourceMap: SourceMap | undefined;
	return {
		code,
		imports,
		sourceLine(line) {
			sourceMap ??= new SourceMap(JSON.parse(map));
			const entry = sourceMap.findEntry(line - 1, Number.MAX_SAFE_INTEGER);
			return "originalLine" in entry ? entry.originalLine + 1 : line;
		},
	};
}
