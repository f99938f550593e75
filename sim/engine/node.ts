import type { Program } from "../manifest/program";
import { BufferPool } from "./buffer-pool";
import { type BootOptions, type Chip, Crash, type Engine, type Image, type NativeFunction } from "./engine";
import { MathRandom } from "./math-random";
import { type Bundle, bundleOf, sourceStack } from "./program-bundle";
import { type ProgramBoard, ProgramInstance } from "./program-instance";

type Callback = (...args: unknown[]) => unknown;

/** Native functions to which the firmware passes a function, which becomes a handle. */
const TAKES_FUNCTION = /_(start|join|serve)$/;
/**
 * V8, in this process: no memory limits and no metering, for speed. If every module of the program is
 * preloaded, the modules run once for all boards, as in ROM, and each boot only resets their variables;
 * otherwise all modules run at each boot.
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

/** The instances of programs whose modules run once. */
const instances = new WeakMap<Bundle, ProgramInstance>();

function instanceOf(bundle: Bundle): ProgramInstance {
	const instance = instances.get(bundle) ?? new ProgramInstance(bundle);
	if (bundle.runsFromROM) instances.set(bundle, instance);
	return instance;
}

class NodeImage implements Image, ProgramBoard {
	/** The running chip. */
	chip: NodeChip | undefined;
	readonly buffers = new BufferPool();
	readonly config: unknown;
	readonly #program: Program;
	readonly #bundle: Bundle;
	#instance: ProgramInstance;

	constructor(program: Program, bundle: Bundle) {
		this.#program = program;
		this.#bundle = bundle;
		this.config = frozen(JSON.parse(JSON.stringify(program.config)));
		this.#instance = instanceOf(bundle);
	}

	boot(options: BootOptions): Chip {
		this.chip?.destroy();
		this.buffers.recycle();
		this.chip = new NodeChip(this, options);
		if (!this.#bundle.runsFromROM) this.#instance = instanceOf(this.#bundle);
		return this.chip;
	}

	dispose(): void {
		this.chip?.destroy();
		this.#instance.leave(this);
	}

	/** The firmware's lines of a stack, as in its source files. */
	sourceStack(stack: string): string {
		return sourceStack(this.#bundle, this.#program, stack);
	}

	/** Runs the modules that must run at this boot, then the main module's default export. */
	start(): void {
		this.#instance.call(this, () => this.#instance.start());
	}

	call(callback: Callback, args: readonly unknown[]): unknown {
		return this.#instance.call(this, () => callback(...args));
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
		this.#invoke(() => this.#image.start());
	}

	call(handle: number, ...args: (number | string | boolean | undefined)[]): unknown {
		const callback = this.#functions[handle]!;
		return this.#invoke(() => this.#image.call(callback, args));
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
