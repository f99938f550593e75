import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { addonPath, type BuildOptions, build } from "./build";
import { type CrashKind, XSCrash } from "./crash";

declare const rootBrand: unique symbol;
declare const machineBrand: unique symbol;
export type NativeRoot = { readonly [rootBrand]: true };
export type NativeMachine = { readonly [machineBrand]: true };

/**
 * A value that crosses between Node and XS. `Uint8Array`: see {@link HostFunction}. Strings cross as UTF-8,
 * up to the first U+0000.
 */
export type HostValue = number | string | boolean | null | undefined | Uint8Array;

/**
 * A function of Node that XS calls. Its arguments arrive as
 * - numbers, strings, booleans, null, undefined: as they are;
 * - functions: as handles, numbers greater than 0 that stay valid until `forget`;
 * - typed arrays, DataViews, ArrayBuffers: as a Uint8Array over the memory of XS, valid until the host
 *   function returns or enters XS again; writes to it change the memory of XS. Read-only data of the root
 *   arrives as a copy;
 * - anything else: as undefined.
 *
 * Returning a number, boolean, null or undefined allocates nothing in XS, a string allocates its bytes; a
 * Uint8Array becomes a new ArrayBuffer. A thrown Error is thrown in XS as an Error with the same message.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a host function may return nothing
export type HostFunction = (...args: never[]) => HostValue | void;

/** The functions of the addon, see native/addon.c. */
export interface Binding {
	initialize(makeCrash: (kind: CrashKind, detail: string, trace: string, cause: unknown) => XSCrash): void;
	root(
		modules: readonly string[],
		preload: readonly string[],
		natives: readonly string[],
		resolve: (specifier: string, importer: string) => string | undefined,
	): NativeRoot;
	disposeRoot(root: NativeRoot): void;
	machine(
		root: NativeRoot,
		sizes: Float64Array,
		natives: readonly (HostFunction | undefined)[],
		clock: (() => number) | undefined,
		trace: ((text: string) => void) | undefined,
		retained: Uint8Array | undefined,
	): NativeMachine;
	import(machine: NativeMachine, specifier: string, launch: boolean): void;
	call(machine: NativeMachine, handle: number, ...args: readonly HostValue[]): HostValue;
	forget(machine: NativeMachine, handle: number): void;
	runJobs(machine: NativeMachine): void;
	pendingJobs(machine: NativeMachine): boolean;
	collect(machine: NativeMachine): void;
	statistics(machine: NativeMachine, values: Float64Array): Float64Array;
	destroy(machine: NativeMachine): void;
}

let loaded: Binding | undefined;

function load(path: string): Binding {
	const binding = createRequire(import.meta.url)(path) as Binding;
	binding.initialize((kind, detail, trace, cause) => new XSCrash(kind, detail, trace, cause));
	loaded = binding;
	return binding;
}

/** Builds the addon if necessary, and loads it. Await it before the first Root is created. */
export async function prepare(options: BuildOptions = {}): Promise<void> {
	if (!loaded) load(await build(options));
}

/** The loaded addon. Throws an Error if it has never been built. */
export function binding(): Binding {
	if (loaded) return loaded;
	const path = addonPath();
	if (!existsSync(path)) throw new Error("XS has not been built yet: await prepare() first");
	return load(path);
}
