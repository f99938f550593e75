import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { build } from "esbuild";
import { loadManifest } from "../../cli/config/load";
import type { TimedEvent } from "../../sim/report/events";
import { Simulation } from "../../sim/simulation";
import type { Sensor, SensorConstructor } from "../../src/device";
import { root } from "./import-graph";

/** The files of docs/writing-a-driver.md, by the name before each block. */
function filesOfPage(): ReadonlyMap<string, string> {
	const page = readFileSync(join(root, "docs/writing-a-driver.md"), "utf8");
	const blocks = page.matchAll(/^\*\*([\w./]+)\*\*\n\n```(?:js|json)\n([\s\S]*?)^```$/gm);
	return new Map([...blocks].map(([, name, text]) => [name!, text!]));
}

describe("the driver of docs/writing-a-driver.md", () => {
	const files = filesOfPage();
	const directory = mkdtempSync(join(tmpdir(), "firefly-driver-"));
	for (const [name, text] of files) {
		mkdirSync(dirname(join(directory, name)), { recursive: true });
		writeFileSync(join(directory, name), text);
	}
	mkdirSync(join(directory, "node_modules"));
	symlinkSync(root, join(directory, "node_modules/firefly"));
	after(() => rmSync(directory, { recursive: true, force: true }));
	const manifest = join(directory, "manifest.json");

	/** Compiles a module of the page, with stand-ins for what it imports. */
	async function load(name: string, modules: Readonly<Record<string, object>>): Promise<SensorConstructor> {
		const { outputFiles } = await build({
			entryPoints: [join(directory, name)],
			bundle: true,
			write: false,
			format: "cjs",
			external: Object.keys(modules),
			logLevel: "silent",
		});
		const module = { exports: {} as { default: SensorConstructor } };
		const require = (specifier: string): object => ({ __esModule: true, ...modules[specifier] });
		new Function("require", "module", "exports", outputFiles[0]!.text)(require, module, module.exports);
		return module.exports.default;
	}

	test("the page has all files of the project", () => {
		assert.deepEqual([...files.keys()].sort(), [
			"bh1750/bh1750.declaration.json",
			"bh1750/bh1750.js",
			"bh1750/manifest.json",
			"bh1750/simulated.js",
			"manifest.json",
		]);
	});

	test("check finds nothing to say", () => {
		const loaded = loadManifest(manifest, { FIREFLY_WIFI_PASSWORD: "p4ssword" });
		assert.deepEqual("problems" in loaded ? loaded.problems : [], []);
		assert.deepEqual(loaded.warnings, []);
	});

	test("the simulator runs it, with the values that it declares", async () => {
		const values: number[] = [];
		const simulation = await Simulation.build({
			manifest: { path: manifest, json: JSON.parse(files.get("manifest.json")!), overrides: {} },
			speed: "max",
			seed: 1,
			engine: "node",
			listener: {
				event: (event: TimedEvent) => {
					if (event.type === "value" && event.topic.endsWith("/windowsill/light"))
						values.push(Number(event.payload));
				},
			},
		});
		await simulation.run(43_200_000);
		simulation.dispose();
		assert.ok(values.length > 10, `${values.length}`);
		for (const value of values) assert.ok(value >= 0 && value <= 54_612, `${value}`);
	});

	test("the class asks the sensor as its datasheet says, and gives the bus back", async () => {
		const log: unknown[] = [];
		class I2C {
			constructor(options: object) {
				log.push(options);
			}
			write(bytes: Uint8Array): void {
				log.push([...bytes]);
			}
			read(buffer: Uint8Array): void {
				// The datasheet's example
				buffer.set([0b1000_0011, 0b1001_0000]);
			}
			close(): void {
				log.push("close");
			}
		}
		const Driver = await load("bh1750/bh1750.js", {
			"embedded:provider/builtin": { default: { I2C: { default: { data: 21, clock: 22 } }, io: { I2C } } },
			timer: { default: { delay: (ms: number) => log.push(ms) } },
		});
		const sensor: Sensor = new Driver({ address: 92 });
		sensor.configure({});
		const { lightmeter } = sensor.sample() as { lightmeter: { illuminance: number } };
		assert.equal(Math.round(lightmeter.illuminance), 28_067);
		sensor.close();
		assert.deepEqual(log, [{ hz: 100_000, address: 92, data: 21, clock: 22 }, [0x20], 180, "close"]);
	});

	test("its stand-in for mcsim names driver and property", async () => {
		const calls: unknown[] = [];
		await load("bh1750/simulated.js", {
			"simulated-sensor": { simulatedSensor: (...args: unknown[]) => calls.push(args) },
		});
		assert.deepEqual(calls, [["bh1750", [], { lightmeter: { illuminance: 300 } }]]);
	});
});
