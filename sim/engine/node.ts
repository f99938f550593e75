import { createHash } from "node:crypto";
import { SourceMap } from "node:module";
import { compileFunction } from "node:vm";
import { build } from "esbuild";
import type { Program } from "../manifest/program";
import { CONFIG_MODULE } from "../manifest/sdk";
import { arrayBufferOf, BufferPool } from "./buffer-pool";
import { type BootOptions, type Chip, Crash, type Engine, type Image, type NativeFunction } from "./engine";
import { MathRandom } from "./math-random";

type NativeLookup = (name: string) => NativeFunction;
type Callback = (...args: unknown[]) => unknown;
/**
 * A program as a function of its host; `main` receives the default export of the main module, `reset` a
 * function that restores a module's variables, `configure` one that computes again what a module derives from
 * the configuration, which `config` returns.
 */
type ProgramFunction = (
	native: NativeLookup,
	trace: (...text: string[]) => void,
	boardGlobal: object,
	boardDate: DateConstructor,
	boardMath: Math,
	boardArrayBuffer: ArrayBufferConstructor,
	main: (run: unknown) => void,
	reset: (restore: () => void) => void,
	configure: (compute: () => void) => void,
	config: () => unknown,
) => void;

/** A program that is ready to run, whatever its configuration. */
interface Bundle {
	readonly run: ProgramFunction;
	/** Source map, as JSON. */
	readonly map: string;
	/** The same, once a stack was needed: parsing it takes longer than many a run. */
	sourceMap?: SourceMap;
	/** Whether all state except simple variables outlives a boot. */
	readonly runsFromROM: boolean;
	/** Instances without an image, for the next one: their code is compiled. */
	readonly idle: ProgramInstance[];
}

/** The modules of a bundle after they have run. */
interface ProgramInstance {
	image: NodeImage | undefined;
	main: unknown;
	readonly restores: (() => void)[];
	readonly configures: (() => void)[];
}

/** Native functions to which the firmware passes a function, which becomes a handle. */
const TAKES_FUNCTION = /_(start|join|serve)$/;
const PARAMETERS = [
	"native",
	"trace",
	"globalThis",
	"Date",
	"Math",
	"ArrayBuffer",
	"sim_main",
	"sim_reset",
	"sim_configure",
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

/**
 * V8, in this process: no memory limits and no metering, for speed. If every module of the program is
 * preloaded, the modules run once, as in ROM, and each boot only resets their variables; otherwise all
 * modules run at each boot.
 */
export const nodeEngine: Engine = {
	name: "node",
	async load(program) {
		return new NodeImage(program, await bundleOf(program));
	},
};

/** By a hash of all modules but the configuration; the most recently used is last. */
const bundles = new Map<string, Promise<Bundle>>();

function bundleOf(program: Program): Promise<Bundle> {
	const hash = createHash("sha256").update(`${program.main}\n`);
	for (const { specifier, code } of program.modules.values())
		if (specifier !== CONFIG_MODULE) hash.update(`${specifier}\n${code}\n`);
	const key = hash.digest("hex");
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
	const { outputFiles } = await build({
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
						const contents = configured.has(path) ? configurableCode(code) : code;
						return { contents: contents + restoreCode(code), loader: "js" };
					});
				},
			},
		],
	});
	const code = outputFiles.find(({ path }) => path.endsWith(FILE))!.text;
	const map = outputFiles.find(({ path }) => path.endsWith(".map"))!.text;
	const run = compileFunction(`"use strict";${code}`, PARAMETERS, { filename: FILE }) as ProgramFunction;
	return { run, map, runsFromROM: isROM(program), idle: [] };
}

/** The configuration as in ROM. */
function frozen(value: unknown): unknown {
	if (typeof value !== "object" || value === null) return value;
	for (const member of Object.values(value)) frozen(member);
	return Object.freeze(value);
}

const CONFIG_CODE = `let config = sim_config();
sim_configure(() => {
	config = sim_config();
});
export { config as default };
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

/** The code of such a module, whose constants can be computed again. */
function configurableCode(code: string): string {
	const constants = [...code.matchAll(CONSTANT)];
	if (constants.length === 0) return code;
	const compute = constants.map(([, name, value]) => `${name} = ${value};\n`).join("");
	return `${code.replace(CONSTANT, "let $1 = $2;")}sim_configure(() => {\n${compute}});\n`;
}

/** Code that passes the host a function to restore the variables of a module. */
function restoreCode(code: string): string {
	const variables = [...code.matchAll(VARIABLE)];
	if (variables.length === 0) return "";
	return `sim_reset(() => {\n${variables.map(([, name, value]) => `${name} = ${value ?? "undefined"};\n`).join("")}});\n`;
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

class NodeImage implements Image {
	/** The running chip. */
	chip: NodeChip | undefined;
	readonly #program: Program;
	readonly #bundle: Bundle;
	readonly #config: unknown;
	readonly #buffers = new BufferPool();
	#instance: ProgramInstance | undefined;

	constructor(program: Program, bundle: Bundle) {
		this.#program = program;
		this.#bundle = bundle;
		this.#config = frozen(JSON.parse(JSON.stringify(program.config)));
	}

	boot(options: BootOptions): Chip {
		this.chip?.destroy();
		this.#buffers.recycle();
		this.chip = new NodeChip(this, options);
		return this.chip;
	}

	dispose(): void {
		this.chip?.destroy();
		const instance = this.#instance;
		this.#instance = undefined;
		if (instance === undefined || !this.#bundle.runsFromROM) return;
		instance.image = undefined;
		this.#bundle.idle.push(instance);
	}

	/** What the program's `ArrayBuffer` constructs. */
	get buffers(): BufferPool {
		return this.#buffers;
	}

	get config(): unknown {
		return this.#config;
	}

	/** Runs the modules that must run at this boot, then the main module's default export. */
	run(): void {
		const bundle = this.#bundle;
		if (!bundle.runsFromROM) this.#instance = runModules(bundle, this);
		else {
			this.#instance ??= reuseInstance(bundle, this) ?? runModules(bundle, this);
			for (const restore of this.#instance.restores) restore();
		}
		const { main } = this.#instance;
		if (typeof main === "function") (main as Callback)();
	}

	/** The firmware's lines of a stack, as in its source files. */
	sourceStack(stack: string): string {
		return stack
			.split("\n")
			.flatMap((text, index) => {
				const frame = FRAME.exec(text);
				return frame
					? [
							text.replace(
								/\S*firmware\.js:\d+:\d+/,
								this.#sourceLocation(Number(frame[1]), Number(frame[2])),
							),
						]
					: index === 0
						? [text]
						: [];
			})
			.join("\n");
	}

	#sourceLocation(line: number, column: number): string {
		const bundle = this.#bundle;
		bundle.sourceMap ??= new SourceMap(JSON.parse(bundle.map));
		const entry = bundle.sourceMap.findEntry(line - 1, column - 1);
		if (!("originalSource" in entry)) return `firmware:${line}`;
		const module = this.#program.modules.get(entry.originalSource.replace(/^.*?program:/, ""));
		return module
			? `${module.path}:${module.sourceLine(entry.originalLine + 1)}`
			: `${entry.originalSource}:${entry.originalLine + 1}`;
	}
}

/** An instance that another image has left, with the configuration of this one. */
function reuseInstance(bundle: Bundle, image: NodeImage): ProgramInstance | undefined {
	const instance = bundle.idle.pop();
	if (instance === undefined) return undefined;
	instance.image = image;
	for (const configure of instance.configures) configure();
	return instance;
}

function runModules(bundle: Bundle, image: NodeImage): ProgramInstance {
	const instance: ProgramInstance = { image, main: undefined, restores: [], configures: [] };
	const chip = (): NodeChip => instance.image!.chip!;
	const math = Object.create(Math) as Math;
	math.random = () => chip().random();
	bundle.run(
		(name) => chip().bind(name),
		(...text) => {
			for (const part of text) chip().trace(part);
		},
		{},
		createDateClass(() => chip().clock()),
		math,
		arrayBufferOf(() => instance.image!.buffers),
		(main) => {
			instance.main = main;
		},
		(restore) => instance.restores.push(restore),
		(configure) => instance.configures.push(configure),
		() => instance.image!.config,
	);
	return instance;
}

class NodeChip implements Chip {
	readonly clock: () => number;
	readonly trace: (text: string) => void;
	readonly #image: NodeImage;
	readonly #options: BootOptions;
	readonly #functions: (Callback | undefined)[] = [];
	readonly #natives = new Map<string, NativeFunction>();
	#random: MathRandom | undefined;
	#destroyed = false;

	constructor(image: NodeImage, options: BootOptions) {
		this.#image = image;
		this.#options = options;
		this.clock = options.clock;
		this.trace = (text) => options.trace(text);
	}

	start(): void {
		this.#invoke(() => this.#image.run());
	}

	call(handle: number, ...args: (number | string | boolean | undefined)[]): unknown {
		const callback = this.#functions[handle]!;
		return this.#invoke(() => callback(...args));
	}

	forget(handle: number): void {
		this.#functions[handle] = undefined;
	}

	random(): number {
		this.#random ??= new MathRandom(this.#options.seed);
		return this.#random.next();
	}

	bind(name: string): NativeFunction {
		let bound = this.#natives.get(name);
		if (!bound) {
			bound = this.#lookUpNative(name);
			this.#natives.set(name, bound);
		}
		return bound;
	}

	statistics(): undefined {
		return undefined;
	}

	destroy(): void {
		this.#destroyed = true;
		this.#functions.length = 0;
	}

	#invoke(action: () => unknown): unknown {
		if (this.#destroyed) throw new Error("the chip is off");
		try {
			return action();
		} catch (thrown) {
			this.destroy();
			const error = thrown instanceof Error ? thrown : new Error(String(thrown));
			throw new Crash(
				"unhandled exception",
				error.message,
				error.stack && this.#image.sourceStack(error.stack),
			);
		}
	}

	#lookUpNative(name: string): NativeFunction {
		if (name === "xs_firefly_retained")
			return ((bytes: number) => this.#retained(bytes)) as unknown as NativeFunction;
		const host = this.#options.natives[name] as
			| ((...args: unknown[]) => ReturnType<NativeFunction>)
			| undefined;
		if (!host) throw new Error(`no native function ${name}`);
		if (!TAKES_FUNCTION.test(name)) return host as NativeFunction;
		return ((...args: unknown[]) =>
			host(
				...args.map((arg) =>
					typeof arg === "function" ? this.#functions.push(arg as () => unknown) - 1 : arg,
				),
			)) as unknown as NativeFunction;
	}

	#retained(bytes: number): ArrayBufferLike {
		const { buffer, byteLength } = this.#options.retained;
		if (bytes !== byteLength)
			throw new RangeError(`this build has ${byteLength} bytes of retained memory, not ${bytes}`);
		return buffer;
	}
}

function createDateClass(clock: () => number): DateConstructor {
	return class BoardDate extends Date {
		constructor(...args: [] | [number]) {
			super(...((args.length === 0 ? [clock()] : args) as [number]));
		}

		static override now(): number {
			return clock();
		}
	} as unknown as DateConstructor;
}
