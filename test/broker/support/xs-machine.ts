import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { transpile } from "../../../sim/manifest/transpiler";
import {
	type Creation,
	type HostFunction,
	type HostValue,
	Machine,
	type ModuleSource,
	prepare,
	Root,
} from "../../../sim/xs/index";

const projectRoot = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../..");

const FOLDERS = [
	"src/mqtt",
	"src/mqtt/decode",
	"src/mqtt/encode",
	"src/crypto",
	"src/broker",
	"src/broker/access",
	"src/broker/core",
	"src/broker/delivery",
	"src/broker/handlers",
	"src/broker/persist",
	"src/broker/pool",
	"src/broker/session",
	"src/broker/topics",
	"src/broker/web",
	"src/session",
	"src/text",
	"src/http",
	"src/websocket",
	"src/config",
	"src/config/fields",
];

/** Creation parameters of a device: `creation` of firmware/manifest.json. */
export const deviceCreation: Creation = (() => {
	const {
		static: total,
		chunk,
		heap,
		stack,
	} = JSON.parse(readFileSync(join(projectRoot, "firmware/manifest.json"), "utf8")).creation;
	return {
		slots: heap.initial,
		moreSlots: heap.incremental,
		chunks: chunk.initial,
		moreChunks: chunk.incremental,
		stack,
		keys: 32,
		moreKeys: 32,
		total,
	};
})();

/** Ample memory, but the stack of a device. */
export const ampleCreation: Creation = { slots: 8192, chunks: 262_144, stack: 512, keys: 64 };

/** The broker on XS, its modules preloaded as on a device, with a bench that is its host and clients. */
export function benchOnXS(
	bench = "xs-bench",
	natives: Readonly<Record<string, HostFunction>> = {},
): Promise<XSBench> {
	return machineOnXS(bench, ampleCreation, { natives });
}

export interface XSBench {
	readonly machine: Machine;
	/** Calls a function that the bench has registered, by its number. */
	call(step: number, ...values: HostValue[]): number;
}

/** @param options further natives of the bench, and modules of this folder to preload, by name */
export async function machineOnXS(
	bench: string,
	creation: Creation,
	options: {
		readonly natives?: Readonly<Record<string, HostFunction>>;
		readonly preload?: readonly string[];
		/** Folders of the sources besides the broker's. */
		readonly folders?: readonly string[];
	} = {},
): Promise<XSBench> {
	await prepare();
	const modules = new Map<string, ModuleSource>();
	for (const folder of [...FOLDERS, ...(options.folders ?? [])])
		for (const file of readdirSync(join(projectRoot, folder)))
			if (file.endsWith(".ts")) addModule(modules, `${folder}/${file.slice(0, -3)}`);
	for (const name of ["src/backoff", "src/retained-memory", "src/stored-value", "src/version"])
		addModule(modules, name);
	for (const name of options.preload ?? []) addModule(modules, `test/broker/support/${name}`);
	const preload = [...modules.keys()].filter((name) => !name.startsWith("src/config"));
	for (const name of ["test/support/in-machine-socket", `test/broker/support/${bench}`])
		addModule(modules, name);
	const natives = options.natives ?? {};
	const root = new Root({
		modules,
		preload: [...preload, "src/config/defaults"],
		natives: ["keep", ...Object.keys(natives)],
	});
	const steps: number[] = [];
	const machine = new Machine(root, {
		creation,
		clock: () => 1_700_000_000_000,
		seed: 1,
		natives: {
			...natives,
			keep: (handle: number) => {
				steps.push(handle);
			},
		},
	});
	machine.import(`test/broker/support/${bench}`);
	return { machine, call: (step, ...values) => machine.call(steps[step]!, ...values) as number };
}

function addModule(modules: Map<string, ModuleSource>, name: string): void {
	const path = join(projectRoot, `${name}.ts`);
	const { code } = transpile(readFileSync(path, "utf8"), path);
	modules.set(name, { source: code, path });
}
