import { binding, type HostFunction, type HostValue, type NativeMachine } from "./binding";
import type { Root } from "./root";

/**
 * Sizes of a device's memory, as `creation` of a manifest. A slot takes 32 bytes here and 16 on an ESP32;
 * counts of slots are the same on both.
 */
export interface Creation {
	/** slots of the heap; one is used for its header */
	slots: number;
	/** bytes of chunks: 50 to 86 % of what is used here is used on an ESP32 */
	chunks: number;
	/** slots of the stack */
	stack: number;
	/** names that can be made beyond those in the root */
	keys: number;
	/**
	 * slots, bytes and keys by which each may grow, 0 by default: memory is fixed. Slots and chunks grow only
	 * within `total`, keys without bound.
	 */
	moreSlots?: number;
	moreChunks?: number;
	moreKeys?: number;
	/**
	 * bytes in which slots and chunks grow towards each other, the stack not included; default: what `slots`
	 * and `chunks` take
	 */
	total?: number;
}

/** Options of a {@link Machine}. */
export interface MachineOptions {
	creation: Creation;
	/** `Date.now()` of the device, in ms since 1970 */
	clock(): number;
	/** of Math.random; an integer */
	seed: number;
	/** computrons after which an entry from Node, with all entries nested in it, crashes; default: none */
	computronLimit?: number;
	natives?: Readonly<Record<string, HostFunction>>;
	/**
	 * memory that XS sees through `native("xs_firefly_retained").call(this, n)`, a buffer for
	 * `new Uint8Array()`: the same bytes, not a copy
	 */
	retained?: Uint8Array;
	/** each argument of the global function `trace` */
	trace?(text: string): void;
}

/**
 * What a machine has used, in slots, bytes of chunks, stack slots and computrons. `allocated` counts
 * everything since the machine was made, collected or not.
 */
export interface Statistics {
	readonly slots: { readonly used: number; readonly peak: number; readonly allocated: number };
	/** bytes; shrinking a buffer in place takes back what it frees */
	readonly chunks: { readonly used: number; readonly peak: number; readonly allocated: number };
	readonly stack: { readonly peak: number };
	/** names made beyond those of the root */
	readonly keys: { readonly used: number };
	readonly collections: number;
	/**
	 * byte codes executed, with a surcharge for some host functions: the same for the same code on any machine
	 */
	readonly computrons: number;
}

/**
 * A device: a machine cloned from a root, with memory, clock and random numbers of its own.
 *
 * An entry (`import`, `launch`, `call`, `runJobs`, `collect`) throws {@link XSCrash} when the device crashes,
 * and the same one ever after. An exception that XS does not catch crashes the device, unless the entry was
 * made from inside a host function of the same device: then it is thrown there as an Error, and thrown on in
 * XS as what it was if the host function lets it pass.
 */
export class Machine {
	readonly #machine: NativeMachine;
	readonly #values = new Float64Array(16);

	/** Throws XSCrash when the memory is too small to start at all. */
	constructor(root: Root, options: MachineOptions) {
		const { creation } = options;
		const sizes = new Float64Array([
			checkInteger("slots", creation.slots, 64),
			checkInteger("chunks", creation.chunks, 0),
			checkInteger("stack", creation.stack, 64),
			checkInteger("keys", creation.keys, 0),
			checkInteger("moreSlots", creation.moreSlots ?? 0, 0),
			checkInteger("moreChunks", creation.moreChunks ?? 0, 0),
			checkInteger("moreKeys", creation.moreKeys ?? 0, 0),
			checkInteger("total", creation.total ?? 0, 0),
			Math.trunc(options.seed),
			checkInteger("computronLimit", options.computronLimit ?? 0, 0),
		]);
		const natives = root.natives.map((name) => options.natives?.[name]);
		this.#machine = binding().machine(
			root.native,
			sizes,
			natives,
			options.clock,
			options.trace,
			options.retained,
		);
	}

	/** Imports a module, which runs unless it has run before. */
	import(specifier: string): void {
		binding().import(this.#machine, specifier, false);
	}

	/** Imports a module and, as the SDK does with `main`, calls its default export if that is a function. */
	launch(specifier: string): void {
		binding().import(this.#machine, specifier, true);
	}

	/**
	 * Calls the function behind a handle, with at most 16 arguments. A function that is returned becomes a
	 * handle, an object undefined, a buffer a Uint8Array over the memory of XS.
	 */
	call(handle: number, ...args: readonly HostValue[]): HostValue {
		return binding().call(this.#machine, handle, ...args);
	}

	/** Lets go of a function. Harmless when repeated, and after the end of the machine. */
	forget(handle: number): void {
		binding().forget(this.#machine, handle);
	}

	/** Runs promise jobs until there are none. A rejection that is unhandled then crashes the device. */
	runJobs(): void {
		binding().runJobs(this.#machine);
	}

	/**
	 * Whether `runJobs` has anything to do, promise jobs or unhandled rejections; false once the machine has
	 * crashed or has been destroyed.
	 */
	get pendingJobs(): boolean {
		return binding().pendingJobs(this.#machine);
	}

	/** Collects garbage. */
	collect(): void {
		binding().collect(this.#machine);
	}

	/** Readable after a crash, and as it last was after the machine has been destroyed. */
	get statistics(): Statistics {
		const values = binding().statistics(this.#machine, this.#values);
		return {
			slots: { used: values[0], peak: values[1], allocated: values[2] },
			chunks: { used: values[3], peak: values[4], allocated: values[5] },
			stack: { peak: values[6] },
			collections: values[7],
			computrons: values[8],
			keys: { used: values[9] },
		};
	}

	/**
	 * Frees all memory at once; a machine that nobody refers to is freed by Node, but not while its own host
	 * functions refer to it. From inside a host function (deep sleep, reset) the device stops there: XS does
	 * not go on, the entry returns undefined. Harmless when repeated.
	 */
	destroy(): void {
		binding().statistics(this.#machine, this.#values);
		binding().destroy(this.#machine);
	}
}

function checkInteger(name: string, value: number, minimum: number): number {
	if (!Number.isSafeInteger(value) || value < minimum || value > 0x7fffffff)
		throw new RangeError(`${name}: ${value} is not an integer from ${minimum} to 2147483647`);
	return value;
}
