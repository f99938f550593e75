import type { Program } from "../manifest/program";

/** What the firmware hands over and gets back. A function arrives as a handle, for {@link Chip.call}. */
export type NativeValue = number | string | boolean | undefined | Uint8Array;

/**
 * A native function. Typed arrays and buffers are lent for the call only; an Error thrown here is thrown in
 * the firmware. A name that ends in `_start` is where functions may be handed over.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: most natives return nothing
export type NativeFunction = (...args: never[]) => number | string | boolean | undefined | void;

export interface BootOptions {
	/** What Date.now() tells, ms. */
	clock(): number;
	/** For Math.random. */
	readonly seed: number;
	/** Survives the chip; `xs_firefly_retained` hands it to the firmware. */
	readonly retained: Uint8Array;
	readonly natives: Readonly<Record<string, NativeFunction>>;
	/** The global `trace`, called for each of its arguments. */
	trace(text: string): void;
}

/** Memory in use and work done since boot; undefined where the engine does not count. */
export interface ChipStatistics {
	readonly slots: number;
	readonly slotsPeak: number;
	/** Since boot, collected or not. */
	readonly slotsAllocated: number;
	/** Bytes. */
	readonly chunks: number;
	readonly chunksPeak: number;
	readonly chunksAllocated: number;
	readonly stackPeak: number;
	readonly collections: number;
	readonly computrons: number;
}

/** A machine that runs the firmware, from boot to sleep. */
export interface Chip {
	/** Runs the main module and its default export. Throws {@link Crash}. */
	start(): void;
	/** Calls a function of the firmware, then its promise jobs. Throws {@link Crash}. */
	call(handle: number, ...args: (number | string | boolean | undefined)[]): unknown;
	statistics(): ChipStatistics | undefined;
	destroy(): void;
}

/** A program linked for an engine: what is in the flash of every board that runs it. */
export interface Image {
	boot(options: BootOptions): Chip;
	dispose(): void;
}

export interface Engine {
	readonly name: "xs" | "node";
	/** @param natives the names of all natives of every board */
	load(program: Program, natives: readonly string[]): Promise<Image>;
}

/** The engine gave up on a machine; other machines run on. */
export class Crash extends Error {
	override readonly name = "Crash";
	/** "exception", "slot memory full", … */
	readonly kind: string;

	/** @param stack lines of the firmware, as in its source files */
	constructor(kind: string, message: string, stack: string | undefined) {
		super(message);
		this.kind = kind;
		if (stack !== undefined) this.stack = stack;
	}
}
