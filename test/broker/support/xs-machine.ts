import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { type Creation, type HostFunction, type HostValue, Machine, type ModuleSource, prepare, Root } from "../../../sim/xs/index";

const top = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../..");

const FOLDERS = [
	"src/mqtt",
	"src/mqtt/decode",
	"src/mqtt/encode",
	"src/crypto",
	"src/broker",
	"src/broker/access",
	"src/broker/persist",
	"src/broker/web",
	"src/websocket",
	"src/config",
];

/** Slots are twice as large here as on an ESP32. */
const WIDTH = 2;

/** What a device is made with: `creation` of firmware/manifest.json. */
export const chip: Creation = (() => {
	const { static: total, chunk, heap, stack } = JSON.parse(readFileSync(join(top, "firmware/manifest.json"), "utf8")).creation;
	return {
		slots: heap.initial,
		moreSlots: heap.incremental,
		chunks: chunk.initial * WIDTH,
		moreChunks: chunk.incremental * WIDTH,
		stack,
		keys: 32,
		moreKeys: 32,
		total: total * WIDTH,
	};
})();

/** More than enough of everything but stack. */
const ample: Creation = { slots: 8192, chunks: 262_144, stack: 512, keys: 64 };

/** The broker on XS, its modules preloaded as on a device, with a bench that plays host and clients. */
export function benchOnXS(bench = "xs-bench", natives: Readonly<Record<string, HostFunction>> = {}): Promise<Bench> {
	return machineOnXS(bench, ample, { natives });
}

export interface Bench {
	readonly machine: Machine;
	/** Calls the function that was kept in that place. */
	call(step: number, ...values: HostValue[]): number;
}

/** @param more what else the bench can call, and what it needs in flash, by name in the same folder */
export async function machineOnXS(
	bench: string,
	creation: Creation,
	more: { readonly natives?: Readonly<Record<string, HostFunction>>; readonly preload?: readonly string[] } = {},
): Promise<Bench> {
	await prepare();
	const modules = new Map<string, ModuleSource>();
	for (const folder of FOLDERS)
		for (const file of readdirSync(join(top, folder))) if (file.endsWith(".ts")) add(modules, `${folder}/${file.slice(0, -3)}`);
	for (const name of more.preload ?? []) add(modules, `test/broker/support/${name}`);
	const preload = [...modules.keys()].filter((name) => !name.startsWith("src/config"));
	add(modules, `test/broker/support/${bench}`);
	const natives = more.natives ?? {};
	const root = new Root({ modules, preload: [...preload, "src/config/defaults"], natives: ["keep", ...Object.keys(natives)] });
	const handles: number[] = [];
	const machine = new Machine(root, {
		creation,
		clock: () => 1_700_000_000_000,
		seed: 1,
		natives: {
			...natives,
			keep: (handle: number) => {
				handles.push(handle);
			},
		},
	});
	machine.import(`test/broker/support/${bench}`);
	return { machine, call: (step, ...values) => machine.call(handles[step]!, ...values) as number };
}

function add(modules: Map<string, ModuleSource>, name: string): void {
	const path = join(top, `${name}.ts`);
	const { code } = transformSync(readFileSync(path, "utf8"), { loader: "ts", format: "esm", target: "es2023", sourcefile: path });
	modules.set(name, { source: code, path });
}
