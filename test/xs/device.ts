import {
	type Creation,
	type HostFunction,
	Machine,
	type MachineOptions,
	prepare,
	Root,
	type RootOptions,
	XSCrash,
} from "../../sim/xs/index";

await prepare();

/** Approximately the sizes that `creation` gives an ESP32. */
export const creation: Creation = { slots: 2048, chunks: 65536, stack: 384, keys: 32 };

export function createRoot(
	sources: Record<string, string>,
	options: Partial<Omit<RootOptions, "modules">> = {},
): Root {
	const modules = new Map(
		Object.entries(sources).map(([specifier, source]) => [specifier, { source, path: `${specifier}.js` }]),
	);
	return new Root({ preload: [], natives: ["log", "keep", "other", "fire"], ...options, modules });
}

export function createMachine(
	root: Root,
	natives: Record<string, HostFunction> = {},
	options: Partial<MachineOptions> = {},
): Machine {
	return new Machine(root, { creation, clock: () => 0, seed: 1, natives, ...options });
}

/** Runs a module on its own machine; returns the values that it logs. */
export function run(
	source: string,
	options: Partial<MachineOptions> = {},
	modules: Record<string, string> = {},
	preload: string[] = [],
): unknown[] {
	const logged: unknown[] = [];
	const root = createRoot(
		{ ...modules, main: `const log = (...args) => native("log").call(this, ...args);\n${source}` },
		{ preload },
	);
	const machine = createMachine(root, { log: (...args: unknown[]) => void logged.push(...args) }, options);
	try {
		machine.launch("main");
		machine.runJobs();
	} finally {
		machine.destroy();
		root.dispose();
	}
	return logged;
}

export function catchCrash(action: () => void): XSCrash {
	try {
		action();
	} catch (error) {
		if (error instanceof XSCrash) return error;
		throw error;
	}
	throw new Error("no crash");
}
