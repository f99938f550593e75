import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transpile } from "../../../sim/manifest/transpiler";
import { Machine, type ModuleSource, prepare, Root } from "../../../sim/xs/index";

/** Cost of an operation on XS. */
export interface Cost {
	slots: number;
	chunks: number;
	computrons: number;
}

/**
 * Runs JavaScript on its own machine, with src/websocket, src/crypto and their imports preloaded; it may
 * import "in-machine-socket", too. The script passes functions of a count of repetitions to
 * `measure(name, f)`, which gives the cost of one repetition: the difference between 400 and 200, divided by
 * 200; and functions to `memory(name, f)`, which gives the memory that f leaves in use.
 */
export async function measure(
	source: string,
): Promise<{ costs: Map<string, Cost>; memory: Map<string, Cost> }> {
	await prepare();
	const modules = new Map<string, ModuleSource>();
	for (const folder of ["websocket", "http", "crypto", "mqtt", "text"]) {
		const url = new URL(`../../../src/${folder}/`, import.meta.url);
		for (const file of readdirSync(url)) {
			if (!file.endsWith(".ts") || (folder === "mqtt" && file !== "utf8.ts")) continue;
			const path = fileURLToPath(new URL(file, url));
			modules.set(`${folder}/${file.slice(0, -3)}`, moduleAt(path));
		}
	}
	const preload = [...modules.keys()];
	modules.set(
		"in-machine-socket",
		moduleAt(fileURLToPath(new URL("../../support/in-machine-socket.ts", import.meta.url))),
	);
	const helpers = `
		const measure = (name, run) => native("measure").call(this, name, run);
		const memory = (name, run) => native("memory").call(this, name, run);
	`;
	modules.set("main", { source: helpers + source, path: "main.js" });
	const root = new Root({ modules, preload, natives: ["measure", "memory"] });
	const costFunctions = new Map<string, number>();
	const memoryFunctions = new Map<string, number>();
	const machine = new Machine(root, {
		creation: { slots: 16_384, chunks: 262_144, stack: 384, keys: 64 },
		clock: () => 0,
		seed: 1,
		natives: {
			measure: (name: string, run: number) => void costFunctions.set(name, run),
			memory: (name: string, run: number) => void memoryFunctions.set(name, run),
		},
	});
	machine.import("main");
	const memory = new Map<string, Cost>();
	for (const [name, run] of memoryFunctions) {
		machine.collect();
		const before = machine.statistics;
		machine.call(run);
		machine.collect();
		const after = machine.statistics;
		const computrons = after.computrons - before.computrons;
		memory.set(name, {
			slots: after.slots.used - before.slots.used,
			chunks: after.chunks.used - before.chunks.used,
			computrons,
		});
	}
	const costs = new Map<string, Cost>();
	for (const [name, run] of costFunctions) {
		const cost = (count: number) => {
			const { slots, chunks, computrons } = machine.statistics;
			machine.call(run, count);
			const after = machine.statistics;
			return {
				slots: after.slots.allocated - slots.allocated,
				chunks: after.chunks.allocated - chunks.allocated,
				computrons: after.computrons - computrons,
			};
		};
		cost(10);
		const less = cost(200);
		const more = cost(400);
		costs.set(name, {
			slots: (more.slots - less.slots) / 200,
			chunks: (more.chunks - less.chunks) / 200,
			computrons: (more.computrons - less.computrons) / 200,
		});
	}
	machine.destroy();
	root.dispose();
	return { costs, memory };
}

function moduleAt(path: string): ModuleSource {
	const { code } = transpile(readFileSync(path, "utf8"), path);
	return { source: code, path };
}
