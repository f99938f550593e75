import { SourceMap } from "node:module";
import { compileFunction } from "node:vm";
import { build } from "esbuild";
import type { Program } from "../manifest/program";
import { BufferPool } from "./buffer-pool";
import { type BootOptions, type Chip, Crash, type Engine, type Image, type NativeFunction } from "./engine";
import { MathRandom } from "./math-random";

type NativeLookup = (name: string) => NativeFunction;
type Callback = (...args: unknown[]) => unknown;
/**
 * A program as a function of its host; `main` receives the default export of the main module, `reset` a
 * function that restores a module's variables.
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
) => void;

/** Native functions to which the firmware passes a function, which becomes a handle. */
const TAKES_FUNCTION = /_(start|join|serve)$/;
const PARAMETERS = ["native", "trace", "globalThis", "Date", "Math", "ArrayBuffer", "sim_main", "sim_reset"];
const FILE = "firmware.js";
const FRAME = /firmware\.js:(\d+):(\d+)/;
/** Module variables, as esbuild prints them; a name `…_default` is a default export and constant. */
const VARIABLE = /^let ([\w$]+)(?: = (.*))?;$/gm;
const ANY_VARIABLE = /^(?:let\b|var (?![\w$]+_default = ))/gm;

/**
 * V8, in this process: no memory limits and no metering, for speed. If every module of the program is
 * preloaded, the modules run once, as in ROM, and each boot only resets their variables; otherwise all
 * modules run at each boot.
 */
export const nodeEngine: Engine = {
	name: "node",
	async load(program) {
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
							const { code } = program.modules.get(path)!;
							return { contents: code + restoreCode(code), loader: "js" };
						});
					},
				},
			],
		});
		const code = outputFiles.find(({ path }) => path.endsWith(FILE))!.text;
		const map = outputFiles.find(({ path }) => path.endsWith(".map"))!.text;
		return new NodeImage(program, code, map);
	},
};

/** Code that passes the host a function to restore the variables of a module. */
function restoreCode(code: string): string {
	const variables = [...code.matchAll(VARIABLE)];
	if (variables.length === 0) return "";
	return `sim_reset(() => {\n${variables.map(([, name, value]) => `${name} = ${value ?? "undefined"};\n`).join("")}});\n`;
}

/** Whether all state except simple variables outlives a boot. */
function isROM(program: Program): boolean {
	for (const { preloaded, code } of program.modules.values()) {
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
	readonly #map: string;
	readonly #programFunction: ProgramFunction;
	readonly #runsFromROM: boolean;
	readonly #restores: (() => void)[] = [];
	readonly #buffers = new BufferPool();
	#main: unknown;
	#loaded = false;
	#sourceMap: SourceMap | undefined;

	constructor(program: Program, code: string, map: string) {
		this.#program = program;
		this.#map = map;
		this.#runsFromROM = isROM(program);
		this.#programFunction = compileFunction(`"use strict";${code}`, PARAMETERS, {
			filename: FILE,
		}) as ProgramFunction;
	}

	boot(options: BootOptions): Chip {
		this.chip?.destroy();
		this.#buffers.recycle();
		this.chip = new NodeChip(this, options);
		return this.chip;
	}

	dispose(): void {
		this.chip?.destroy();
	}

	/** Runs the modules that must run at this boot, then the main module's default export. */
	run(): void {
		if (!this.#loaded || !this.#runsFromROM) this.#load();
		else for (const restore of this.#restores) restore();
		if (typeof this.#main === "function") (this.#main as Callback)();
	}

	#load(): void {
		this.#restores.length = 0;
		const math = Object.create(Math) as Math;
		math.random = () => this.chip!.random();
		const date = createDateClass(() => this.chip!.clock());
		this.#programFunction(
			(name) => this.chip!.bind(name),
			(...text) => {
				for (const part of text) this.chip!.trace(part);
			},
			{},
			date,
			math,
			this.#buffers.arrayBufferConstructor,
			(main) => {
				this.#main = main;
			},
			(restore) => this.#restores.push(restore),
		);
		this.#loaded = true;
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
		this.#sourceMap ??= new SourceMap(JSON.parse(this.#map));
		const entry = this.#sourceMap.findEntry(line - 1, column - 1);
		if (!("originalSource" in entry)) return `firmware:${line}`;
		const module = this.#program.modules.get(entry.originalSource.replace(/^.*?program:/, ""));
		return module
			? `${module.path}:${module.sourceLine(entry.originalLine + 1)}`
			: `${entry.originalSource}:${entry.originalLine + 1}`;
	}
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
