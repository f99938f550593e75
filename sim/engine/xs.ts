import type { Creation, Program, ProgramModule } from "../manifest/program";
import { Machine, type HostFunction as NativeFunction, type Progress, prepare, Root, XSCrash } from "../xs/index";
import { type BootOptions, type Chip, type ChipStatistics, Crash, type Engine, type Image } from "./engine";

/** A runaway loop ends here: far more than a wake needs, computrons for one entry. */
const COMPUTRONS = 100_000_000;
/** Slots and pointers take twice the bytes that they take on an ESP32. */
const WIDTH = 2;

/** The real engine, with memory of the ESP32's size. @param progress told while the engine is built, once */
export function xsEngine(progress?: Progress): Engine {
	return {
		name: "xs",
		async load(program, natives) {
			await prepare(progress ? { progress } : {});
			return guard(program, () => new XSImage(program, natives));
		},
	};
}

class XSImage implements Image {
	readonly root: Root;
	readonly program: Program;
	readonly memory: ConstructorParameters<typeof Machine>[1]["creation"];

	constructor(program: Program, natives: readonly string[]) {
		this.program = program;
		this.memory = memoryOf(program.creation);
		const modules = new Map<string, { source: string; path: string }>();
		const preload: string[] = [];
		for (const { specifier, code, path, preloaded } of program.modules.values()) {
			modules.set(specifier, { source: code, path });
			if (preloaded) preload.push(specifier);
		}
		this.root = new Root({
			modules,
			preload,
			natives,
			resolve(specifier, importer) {
				const module = program.modules.get(importer);
				return module ? module.imports[module.written.indexOf(specifier)] : specifier;
			},
		});
	}

	boot(options: BootOptions): Chip {
		return guard(this.program, () => new XSChip(this, options));
	}

	dispose(): void {
		this.root.dispose();
	}
}

class XSChip implements Chip {
	readonly #image: XSImage;
	readonly #machine: Machine;

	constructor(image: XSImage, options: BootOptions) {
		this.#image = image;
		this.#machine = new Machine(image.root, {
			creation: image.memory,
			clock: options.clock,
			seed: options.seed,
			computronLimit: COMPUTRONS,
			natives: options.natives as Readonly<Record<string, NativeFunction>>,
			retained: options.retained,
			trace: options.trace,
		});
	}

	start(): void {
		try {
			this.#machine.launch(this.#image.program.main);
			if (this.#machine.pendingJobs) this.#machine.runJobs();
		} catch (error) {
			throw translate(this.#image.program, error);
		}
	}

	call(handle: number, ...args: (number | string | boolean | undefined)[]): unknown {
		try {
			const result = this.#machine.call(handle, ...args);
			if (this.#machine.pendingJobs) this.#machine.runJobs();
			return result;
		} catch (error) {
			throw translate(this.#image.program, error);
		}
	}

	statistics(): ChipStatistics {
		const { slots, chunks, stack, collections, computrons } = this.#machine.statistics;
		return {
			slots: slots.used,
			slotsPeak: slots.peak,
			slotsAllocated: slots.allocated,
			chunks: chunks.used,
			chunksPeak: chunks.peak,
			chunksAllocated: chunks.allocated,
			stackPeak: stack.peak,
			collections,
			computrons,
		};
	}

	destroy(): void {
		this.#machine.destroy();
	}
}

/** The manifest's sizes are those of the ESP32. */
function memoryOf(creation: Creation): ConstructorParameters<typeof Machine>[1]["creation"] {
	const { heap, chunk, stack, keys } = creation;
	return {
		slots: heap.initial,
		chunks: chunk.initial * WIDTH,
		stack,
		keys: keys.initial,
		moreSlots: heap.incremental,
		moreChunks: chunk.incremental * WIDTH,
		moreKeys: keys.incremental,
		...(creation.static > 0 ? { total: creation.static * WIDTH } : {}),
	};
}

function guard<T>(program: Program, action: () => T): T {
	try {
		return action();
	} catch (error) {
		throw translate(program, error);
	}
}

function translate(program: Program, error: unknown): unknown {
	if (!(error instanceof XSCrash)) return error;
	const byPath = new Map<string, ProgramModule>();
	for (const module of program.modules.values()) byPath.set(module.path, module);
	const place = (text: string): string =>
		text.replace(/([^\s()]+):(\d+)/g, (whole, path: string, line: string) => {
			const module = byPath.get(path);
			return module ? `${path}:${module.line(Number(line))}` : whole;
		});
	return new Crash(error.kind, place(error.detail || error.kind), error.stack && place(error.stack));
}
