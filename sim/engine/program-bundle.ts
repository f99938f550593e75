import { createHash } from "node:crypto";
import { SourceMap } from "node:module";
import { compileFunction } from "node:vm";
import { bundleModules } from "../manifest/compiler";
import type { Program } from "../manifest/program";
import { CONFIG_MODULE } from "../manifest/sdk";
import type { NativeFunction } from "./engine";

type NativeLookup = (name: string) => NativeFunction;
/** What changes in a module after it has run: its variables, and what it derives from the configuration. */
export interface ModuleState {
	/** Gives the variables the values of a boot. */
	reset(): void;
	/** Computes again what the module derives from the configuration. */
	configure(): void;
	/** Copies all of it. */
	save(into: unknown[]): void;
	/** Takes what {@link save} has copied. */
	load(from: readonly unknown[]): void;
}

/**
 * A program as a function of its host; `main` receives the default export of the main module, `state` what
 * changes in a module, in the order in which the modules run; `config` returns the configuration.
 */
export type ProgramFunction = (
	native: NativeLookup,
	trace: (...text: string[]) => void,
	boardGlobal: object,
	boardDate: DateConstructor,
	boardMath: Math,
	boardArrayBuffer: ArrayBufferConstructor,
	main: (run: unknown) => void,
	state: (module: ModuleState) => void,
	config: () => unknown,
) => void;

/** A program that is ready to run, whatever its configuration. */
export interface Bundle {
	readonly run: ProgramFunction;
	/** Source map, as JSON. */
	readonly map: string;
	/** The same, once a stack was needed: parsing it takes longer than many a run. */
	sourceMap?: SourceMap;
	/** Whether all state except simple variables outlives a boot. */
	readonly runsFromROM: boolean;
}

const PARAMETERS = [
	"native",
	"trace",
	"globalThis",
	"Date",
	"Math",
	"ArrayBuffer",
	"sim_main",
	"sim_state",
	"sim_config",
];
/** Bundles kept: more than a process runs programs that differ in more than their configuration. */
const KEPT_BUNDLES = 8;
const FILE = "firmware.js";
const FRAME = /firmware\.js:(\d+):(\d+)/;
/** Module variables, as esbuild prints them; a name `…_default` is a default export and constant. */
const VARIABLE = /^let ([\w$]+)(?: = (.*))?;$/gm;
const ANY_VARIABLE = /^(?:let\b|var (?![\w$]+_default = ))/gm;
/** Constants of a module, in the same way. */
const CONSTANT = /^const ([\w$]+) = (.*);$/gm;
const ANY_CONSTANT = /^const\b/gm;

/** By a hash of all modules but the configuration; the most recently used is last. */
const bundles = new Map<string, Promise<Bundle>>();

/** Hashes of modules: programs that differ in their configuration only often have the same ones. */
const hashes = new WeakMap<Program["modules"], string>();

/** A hash of all modules but the configuration. */
function hashOf(modules: Program["modules"]): string {
	let digest = hashes.get(modules);
	if (digest !== undefined) return digest;
	const hash = createHash("sha256");
	for (const { specifier, code } of modules.values())
		if (specifier !== CONFIG_MODULE) hash.update(`${specifier}\n${code}\n`);
	digest = hash.digest("hex");
	hashes.set(modules, digest);
	return digest;
}

/** The bundle of a program, made once for all programs that differ in their configuration only. */
export function bundleOf(program: Program): Promise<Bundle> {
	const key = `${program.main}\n${hashOf(program.modules)}`;
	const bundle = bundles.get(key) ?? makeBundle(program);
	bundles.delete(key);
	bundles.set(key, bundle);
	bundle.catch(() => bundles.delete(key));
	for (const oldest of bundles.keys()) {
		if (bundles.size <= KEPT_BUNDLES) break;
		bundles.delete(oldest);
	}
	return bundle;
}

async function makeBundle(program: Program): Promise<Bundle> {
	const configured = configuredModules(program);
	const { outputFiles } = await bundleModules({
		stdin: {
			contents: `import * as main from "${program.main}";\nsim_main(main.default);\n`,
			loader: "js",
		},
		bundle: true,
		write: false,
		outfile: FILE,
		format: "iife",
		target: "esnext",
		charset: "utf8",
		sourcemap: "external",
		sourcesContent: false,
		logLevel: "silent",
		plugins: [
			{
				name: "program",
				setup(pluginBuild) {
					pluginBuild.onResolve({ filter: /./ }, ({ path, importer }) => ({
						path: resolveImport(program, path, importer),
						namespace: "program",
					}));
					pluginBuild.onLoad({ filter: /./, namespace: "program" }, ({ path }) => {
						if (path === CONFIG_MODULE) return { contents: CONFIG_CODE, loader: "js" };
						const { code } = program.modules.get(path)!;
						return { contents: codeWithState(code, configured.has(path)), loader: "js" };
					});
				},
			},
		],
	});
	const code = outputFiles.find(({ path }) => path.endsWith(FILE))!.text;
	const map = outputFiles.find(({ path }) => path.endsWith(".map"))!.text;
	const run = compileFunction(`"use strict";${code}`, PARAMETERS, { filename: FILE }) as ProgramFunction;
	return { run, map, runsFromROM: isROM(program) };
}

const CONFIG_CODE = `let config = sim_config();
${stateCode("", "config = sim_config();", ["config"])}export { config as default };
`;

/** Modules that import the configuration, themselves or through others. */
function configuredModules(program: Program): ReadonlySet<string> {
	const found = new Set<string>([CONFIG_MODULE]);
	for (let size = 0; size < found.size; ) {
		size = found.size;
		for (const { specifier, imports } of program.modules.values())
			if (imports.some((name) => found.has(name))) found.add(specifier);
	}
	return found;
}

/** The code of a module that passes its state to the host. @param configured its constants are part of it */
function codeWithState(code: string, configured: boolean): string {
	const variables = [...code.matchAll(VARIABLE)];
	const constants = configured ? [...code.matchAll(CONSTANT)] : [];
	const names = [...variables, ...constants].map(([, name]) => name!);
	if (names.length === 0) return code;
	return `${configured ? code.replace(CONSTANT, "let $1 = $2;") : code}${stateCode(
		variables.map(([, name, value]) => `${name} = ${value ?? "undefined"};`).join("\n"),
		constants.map(([, name, value]) => `${name} = ${value};`).join("\n"),
		names,
	)}`;
}

/** Code that passes a {@link ModuleState} to the host. */
function stateCode(reset: string, configure: string, names: readonly string[]): string {
	return `sim_state({
reset() {
${reset}
},
configure() {
${configure}
},
save(into) {
${names.map((name, index) => `into[${index}] = ${name};`).join("\n")}
},
load(from) {
${names.map((name, index) => `${name} = from[${index}];`).join("\n")}
},
});
`;
}

/** Whether the modules need to run only once. */
function isROM(program: Program): boolean {
	const configured = configuredModules(program);
	for (const { specifier, preloaded, code } of program.modules.values()) {
		if (specifier === CONFIG_MODULE) continue;
		if (configured.has(specifier) && code.match(ANY_CONSTANT)?.length !== code.match(CONSTANT)?.length)
			return false;
		if (!preloaded || (code.match(ANY_VARIABLE)?.length ?? 0) !== [...code.matchAll(VARIABLE)].length)
			return false;
	}
	return true;
}

function resolveImport(program: Program, path: string, importer: string): string {
	const module = program.modules.get(importer);
	return module ? module.imports[module.importsAsWritten.indexOf(path)]! : path;
}

/** The firmware's lines of a stack, as in its source files. */
export function sourceStack(bundle: Bundle, program: Program, stack: string): string {
	return stack
		.split("\n")
		.flatMap((text, index) => {
			const frame = FRAME.exec(text);
			if (!frame) return index === 0 ? [text] : [];
			const location = sourceLocation(bundle, program, Number(frame[1]), Number(frame[2]));
			return [text.replace(/\S*firmware\.js:\d+:\d+/, location)];
		})
		.join("\n");
}

function sourceLocation(bundle: Bundle, program: Program, line: number, column: number): string {
	bundle.sourceMap ??= new SourceMap(JSON.parse(bundle.map));
	const entry = bundle.sourceMap.findEntry(line - 1, column - 1);
	if (!("originalSource" in entry)) return `firmware:${line}`;
	const module = program.modules.get(entry.originalSource.replace(/^.*?program:/, ""));
	return module
		? `${module.path}:${module.sourceLine(entry.originalLine + 1)}`
		: `${entry.originalSource}:${entry.originalLine + 1}`;
}
