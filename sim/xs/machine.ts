import { binding, type HostFunction, type HostValue, type NativeMachine } from "./binding";
import type { Root } from "./root";

/**
 * Sizes of a device's memory, as `creation` of a manifest. A slot takes 32 bytes here and 16 on an ESP32;
 * counts of slots are the same on both.
 */
export interface Creation {
	/** slots of the heap; one is used for its header */
	slots: number;
	/** bytes of chunks; an ESP32 uses 50 to 86 % of what is used here */
	chunks: number;
	/** slots of the stack */
	stack: number;
	/** names that can be created beyond those in the root */
	keys: number;
	/**
	 * slots, bytes and keys by which each may grow; default 0: memory is fixed. Slots and chunks grow only
	 * within `total`, keys without bound.
	 */
	moreSlots?: number;
	moreChunks?: number;
	moreKeys?: number;
	/**
	 * bytes of an ESP32's arena, `creation.static` of a manifest: the stack is taken from it, and slots of 16
	 * bytes and chunks grow towards each other in the rest. Chunks count with their bytes here, which are never
	 * fewer than there. Default: `slots` and `chunks` are fixed
	 */
	total?: number;
}

/** Options of a {@link Machine}. */
export interface MachineOptions {
	creation: Creation;
	/** `Date.now()` of the device, in ms since 1970 */
	clock(): number;
	/** seed of Math.random; an integer */
	seed: number;
	/** computrons after which an entry from Node, including its nested entries, crashes; default: none */
	computronLimit?: number;
	natives?: Readonly<Record<string, HostFunction>>;
	/**
	 * memory that XS accesses through `native("xs_firefly_retained").call(this, n)`, a buffer for `new
	 * Uint8Array()`: the same bytes, not a copy
	 */
	retained?: Uint8Array;
	/** called for each argument of the global function `trace` */
	trace?(text: string): void;
}

/**
 * Resources used by a machine, in slots, bytes of chunks, stack slots and computrons. `allocated` counts all
 * allocations since the machine was created, including collected ones.
 */
export interface Statistics {
	readonly slots: { readonly used: number; readonly peak: number; readonly allocated: number };
	/** bytes; shrinking a buffer in place is subtracted */
	readonly chunks: { readonly used: number; readonly peak: number; readonly allocated: number };
	readonly stack: { readonly peak: number };
	/** names created beyond those of the root */
	readonly keys: { readonly used: number };
	readonly collections: number;
	/**
	 * byte codes executed, with a surcharge for some host functions: the same for the same code on any machine
	 */
	readonly computrons: number;
}

/**
 * A device: a machine cloned from a root, with its own memory, clock and random numbers.
 *
 * An entry (`import`, `launch`, `call`, `runJobs`, `collect`) throws {@link XSCrash} when the device crashes,
 * and the same one at each later entry. An exception that XS does not catch crashes the device, unless the
 * entry was made from inside a host function of the same device: then it is thrown there as an Error, and if
 * the host function does not catch it, the original value is rethrown in XS.
 */
export class Machine {
	readonly #machine: NativeMachine;
	readonly #values = new Float64Array(16);

	/** Throws XSCrash if the memory is too small to start. */
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

	/** Imports a module, which runs at its first import. */
	import(specifier: string): void {
		binding().import(this.#machine, specifier, false);
	}

	/** Imports a module and, as the SDK does with `main`, calls its default export if that is a function. */
	launch(specifier: string): void {
		binding().import(this.#machine, specifier, true);
	}

	/**
	 * Calls the function behind a handle, with at most 16 arguments. A returned function becomes a handle, an
	 * object undefined, a buffer a Uint8Array over the memory of XS.
	 */
	call(handle: number, ...args: readonly HostValue[]): HostValue {
		return binding().call(this.#machine, handle, ...args);
	}

	/** Releases the handle of a function. No-op when repeated, and after the machine has been destroyed. */
	forget(handle: number): void {
		binding().forget(this.#machine, handle);
	}

	/** Runs promise jobs until none is left. A rejection that is then unhandled crashes the device. */
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

	/** Available after a crash; after the machine has been destroyed, its last values. */
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
	 * Frees all memory at once. Node frees an unreferenced machine by itself, but not while its own host
	 * functions refer to it. Called from inside a host function (deep sleep, reset) it stops the device there:
	 * XS does not continue, and the entry returns undefined. No-op when repeated.
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
