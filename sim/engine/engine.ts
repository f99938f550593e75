import type { Program } from "../manifest/program";

/**
 * A native function. Typed arrays and buffers are valid during the call only; an Error thrown here is thrown
 * in the firmware. Only natives whose names end in `_start`, `_join` or `_serve` accept functions, which
 * arrive as handles for {@link Chip.call} and are kept until {@link Chip.forget}.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: most natives return nothing
export type NativeFunction = (...args: never[]) => number | string | boolean | undefined | void;

export interface BootOptions {
	/** Result of Date.now(), ms. */
	clock(): number;
	/** Seed of Math.random. */
	readonly seed: number;
	/** Retained memory: outlives the chip; the firmware accesses it through `xs_firefly_retained`. */
	readonly retained: Uint8Array;
	readonly natives: Readonly<Record<string, NativeFunction>>;
	/** The global `trace`, called for each of its arguments. */
	trace(text: string): void;
}

/** Memory in use and work done since boot; undefined if the engine does not measure it. */
export interface ChipStatistics {
	readonly slots: number;
	readonly slotsPeak: number;
	/** Since boot, including collected slots. */
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
	/** Releases a function of the firmware, which must not be called any more. */
	forget(handle: number): void;
	/** @param collects garbage first, so that only what is reachable counts */
	statistics(collects?: boolean): ChipStatistics | undefined;
	destroy(): void;
}

/** A program linked for an engine: the flash content of every board that runs it. */
export interface Image {
	boot(options: BootOptions): Chip;
	dispose(): void;
}

export interface Engine {
	readonly name: "xs" | "node";
	/** @param natives the names of all natives of every board */
	load(program: Program, natives: readonly string[]): Promise<Image>;
}

/** A machine crashed; other machines are not affected. */
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
