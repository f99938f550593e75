import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { Machine, type ModuleSource, prepare, Root } from "../../../sim/xs/index";

const top = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../..");

/** The broker on XS, its modules preloaded as on a device, with a bench that plays host and clients. */
export async function benchOnXS(bench = "xs-bench"): Promise<{ machine: Machine; call(step: number, ...numbers: number[]): number }> {
	await prepare();
	const modules = new Map<string, ModuleSource>();
	for (const folder of [
		"src/mqtt",
		"src/mqtt/decode",
		"src/mqtt/encode",
		"src/crypto",
		"src/broker",
		"src/broker/access",
		"src/broker/web",
		"src/websocket",
		"src/config",
	]) {
		for (const file of readdirSync(join(top, folder))) if (file.endsWith(".ts")) add(modules, `${folder}/${file.slice(0, -3)}`);
	}
	const preload = [...modules.keys()].filter((name) => !name.startsWith("src/config"));
	add(modules, `test/broker/support/${bench}`);
	const root = new Root({ modules, preload: [...preload, "src/config/defaults"], natives: ["keep"] });
	const handles: number[] = [];
	const machine = new Machine(root, {
		creation: { slots: 8192, chunks: 262_144, stack: 512, keys: 64 },
		clock: () => 1_700_000_000_000,
		seed: 1,
		natives: {
			keep: (handle) => {
				handles.push(handle as number);
			},
		},
	});
	machine.import(`test/broker/support/${bench}`);
	return { machine, call: (step, ...numbers) => machine.call(handles[step], ...numbers) as number };
}

function add(modules: Map<string, ModuleSource>, name: string): void {
	const path = join(top, `${name}.ts`);
	const { code } = transformSync(readFileSync(path, "utf8"), { loader: "ts", format: "esm", target: "es2023", sourcefile: path });
	modules.set(name, { source: code, path });
}
