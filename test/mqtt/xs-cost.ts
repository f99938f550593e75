import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { transpile } from "../../sim/manifest/transpiler";
import { Machine, type ModuleSource, prepare, Root } from "../../sim/xs/index";

await prepare();

const folder = fileURLToPath(new URL("../../src/mqtt", import.meta.url));

/** The modules of src/mqtt under their names on the device: `mqtt/encoder` … */
function sources(): Map<string, ModuleSource> {
	const result = new Map<string, ModuleSource>();
	for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
		if (!name.endsWith(".ts")) continue;
		const path = join(folder, name);
		const { code } = transpile(readFileSync(path, "utf8"), path);
		result.set(`mqtt/${name.replaceAll(sep, "/").replace(/\.ts$/, "")}`, { source: code, path });
	}
	return result;
}

/** Cost of one call of a function on XS. */
export interface Cost {
	slots: number;
	chunks: number;
	computrons: number;
}

/**
 * Runs JavaScript with src/mqtt preloaded on its own machine. The script passes functions of one argument, a
 * count of repetitions, to `measure(name, function)`. Each function runs once to warm up; then the cost
 * of one repetition is the difference between 2,000 and 1,000 repetitions, divided by 1,000.
 */
export function measure(source: string): Map<string, Cost> {
	const modules = sources();
	const preload = [...modules.keys()];
	modules.set("main", {
		source: `const measure = (name, run) => native("measure").call(this, name, run);\n${source}`,
		path: "main.js",
	});
	const root = new Root({ modules, preload, natives: ["measure"] });
	const functions = new Map<string, number>();
	const machine = new Machine(root, {
		creation: { slots: 4096, chunks: 65536, stack: 384, keys: 64 },
		clock: () => 0,
		seed: 1,
		natives: { measure: (name: string, run: number) => void functions.set(name, run) },
	});
	machine.import("main");
	const result = new Map<string, Cost>();
	for (const [name, run] of functions) {
		const cost = (count: number): Cost => {
			const before = machine.statistics;
			machine.call(run, count);
			const after = machine.statistics;
			return {
				slots: after.slots.allocated - before.slots.allocated,
				chunks: after.chunks.allocated - before.chunks.allocated,
				computrons: after.computrons - before.computrons,
			};
		};
		cost(10);
		const less = cost(1000);
		const more = cost(2000);
		result.set(name, {
			slots: (more.slots - less.slots) / 1000,
			chunks: (more.chunks - less.chunks) / 1000,
			computrons: (more.computrons - less.computrons) / 1000,
		});
	}
	machine.destroy();
	root.dispose();
	return result;
}
