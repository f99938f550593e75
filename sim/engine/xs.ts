import type { CreationSizes, Program, ProgramModule } from "../manifest/program";
import {
	type BuildOptions,
	Machine,
	prepare,
	Root,
	XSCrash,
	type HostFunction as XSHostFunction,
} from "../xs/index";
import { type BootOptions, type Chip, type ChipStatistics, Crash, type Engine, type Image } from "./engine";

/** Computrons allowed for one entry, far more than a wake needs; ends a runaway loop. */
const COMPUTRON_LIMIT = 100_000_000;
/** Pointers here take twice the bytes they take on an ESP32, and small chunks up to twice. */
const POINTER_SIZE_RATIO = 2;

/** XS with memory of the ESP32's size. @param build how the engine is built, once on a machine */
export function xsEngine(build: BuildOptions = {}): Engine {
	const roots = new SharedRoots();
	return {
		name: "xs",
		async load(program, natives) {
			await prepare(build);
			return rethrowAsCrash(program, () => new XSImage(program, natives, roots));
		},
	};
}

/**
 * The roots of the images in use. Images of one program have the same root: it is built once, and the boards
 * that run it in turn find its byte code in the processor's caches.
 */
class SharedRoots {
	readonly #entries: { program: Program; natives: string; root: Root; images: number }[] = [];

	acquire(program: Program, natives: readonly string[]): Root {
		const names = natives.join();
		let entry = this.#entries.find((each) => each.program === program && each.natives === names);
		if (entry === undefined) {
			entry = { program, natives: names, root: createRoot(program, natives), images: 0 };
			this.#entries.push(entry);
		}
		entry.images++;
		return entry.root;
	}

	/** Disposes of the root with its last image. */
	release(root: Root): void {
		const at = this.#entries.findIndex((each) => each.root === root);
		if (--this.#entries[at]!.images > 0) return;
		this.#entries.splice(at, 1);
		root.dispose();
	}
}

function createRoot(program: Program, natives: readonly string[]): Root {
	const modules = new Map<string, { source: string; path: string }>();
	const preload: string[] = [];
	for (const { specifier, code, path, preloaded } of program.modules.values()) {
		modules.set(specifier, { source: code, path });
		if (preloaded) preload.push(specifier);
	}
	return new Root({
		modules,
		preload,
		natives,
		resolve(specifier, importer) {
			const module = program.modules.get(importer);
			return module ? module.imports[module.importsAsWritten.indexOf(specifier)] : specifier;
		},
	});
}

class XSImage implements Image {
	readonly root: Root;
	readonly program: Program;
	readonly memory: ConstructorParameters<typeof Machine>[1]["creation"];
	readonly #roots: SharedRoots;
	#isDisposed = false;

	constructor(program: Program, natives: readonly string[], roots: SharedRoots) {
		this.program = program;
		this.memory = machineMemory(program.creation);
		this.#roots = roots;
		this.root = roots.acquire(program, natives);
	}

	boot(options: BootOptions): Chip {
		return rethrowAsCrash(this.program, () => new XSChip(this, options));
	}

	dispose(): void {
		if (this.#isDisposed) return;
		this.#isDisposed = true;
		this.#roots.release(this.root);
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
			computronLimit: COMPUTRON_LIMIT,
			natives: options.natives as Readonly<Record<string, XSHostFunction>>,
			retained: options.retained,
			trace: options.trace,
		});
	}

	start(): void {
		try {
			this.#machine.launch(this.#image.program.main);
			if (this.#machine.pendingJobs) this.#machine.runJobs();
		} catch (error) {
			throw toCrash(this.#image.program, error);
		}
	}

	call(handle: number, ...args: (number | string | boolean | undefined)[]): unknown {
		try {
			const result = this.#machine.call(handle, ...args);
			if (this.#machine.pendingJobs) this.#machine.runJobs();
			return result;
		} catch (error) {
			throw toCrash(this.#image.program, error);
		}
	}

	forget(handle: number): void {
		this.#machine.forget(handle);
	}

	statistics(collects = false): ChipStatistics {
		if (collects) this.#machine.collect();
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

/**
 * Converts the manifest's sizes, which are those of the ESP32. An arena of its size holds no more here than
 * there: large buffers, of which the broker's memory consists, have the same size on both.
 */
function machineMemory(creation: CreationSizes): ConstructorParameters<typeof Machine>[1]["creation"] {
	const { heap, chunk, stack, keys } = creation;
	return {
		slots: heap.initial,
		chunks: chunk.initial * (creation.static > 0 ? 1 : POINTER_SIZE_RATIO),
		stack,
		keys: keys.initial,
		moreSlots: heap.incremental,
		moreChunks: chunk.incremental * (creation.static > 0 ? 1 : POINTER_SIZE_RATIO),
		moreKeys: keys.incremental,
		...(creation.static > 0 ? { total: creation.static } : {}),
	};
}

function rethrowAsCrash<T>(program: Program, action: () => T): T {
	try {
		return action();
	} catch (error) {
		throw toCrash(program, error);
	}
}

function toCrash(program: Program, error: unknown): unknown {
	if (!(error instanceof XSCrash)) return error;
	const byPath = new Map<string, ProgramModule>();
	for (const module of program.modules.values()) byPath.set(module.path, module);
	const mapLocations = (text: string): string =>
		text.replace(/([^\s()]+):(\d+)/g, (whole, path: string, line: string) => {
			const module = byPath.get(path);
			return module ? `${path}:${module.sourceLine(Number(line))}` : whole;
		});
	return new Crash(
		error.kind,
		mapLocations(error.detail || error.kind),
		error.stack && mapLocations(error.stack),
	);
}
