import type { Program } from "../manifest/program";
import { arrayBufferOf, BufferPool } from "./buffer-pool";
import { type BootOptions, type Chip, Crash, type Engine, type Image, type NativeFunction } from "./engine";
import { MathRandom } from "./math-random";
import { type Bundle, bundleOf, sourceStack } from "./program-bundle";

type Callback = (...args: unknown[]) => unknown;

/** The modules of a bundle after they have run. */
interface ProgramInstance {
	image: NodeImage | undefined;
	main: unknown;
	readonly restores: (() => void)[];
	readonly configures: (() => void)[];
}

/** Native functions to which the firmware passes a function, which becomes a handle. */
const TAKES_FUNCTION = /_(start|join|serve)$/;
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

/** The configuration as in ROM. */
function frozen(value: unknown): unknown {
	if (typeof value !== "object" || value === null) return value;
	for (const member of Object.values(value)) frozen(member);
	return Object.freeze(value);
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
		idleInstancesOf(this.#bundle).push(instance);
	}

	/** What the program's `ArrayBuffer` constructs. */
	get buffers(): BufferPool {
		return this.#buffers;
	}

	get config(): unknown {
		return this.#config;
	}

	/** The firmware's lines of a stack, as in its source files. */
	sourceStack(stack: string): string {
		return sourceStack(this.#bundle, this.#program, stack);
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
}

/** Instances without an image, for the next one: their code is compiled. */
const idleInstances = new WeakMap<Bundle, ProgramInstance[]>();

function idleInstancesOf(bundle: Bundle): ProgramInstance[] {
	const idle = idleInstances.get(bundle) ?? [];
	idleInstances.set(bundle, idle);
	return idle;
}

/** An instance that another image has left, with the configuration of this one. */
function reuseInstance(bundle: Bundle, image: NodeImage): ProgramInstance | undefined {
	const instance = idleInstancesOf(bundle).pop();
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
