import assert from "node:assert/strict";
import { test } from "node:test";
import { Machine, prepare, Root } from "../../sim/xs/index";
import { gatherModules } from "../support/xs-modules";
import { TRIM } from "./chips/bme280-trim";

await prepare();

const SAMPLES = 10_000;
const SLOT_BYTES = 16;
/** RAM in bytes of a driver that is ready to measure, with the garbage of its start: docs/footprint.md. */
const LIMIT = 1152;

/** Of the SDK's modules what these drivers ask for; the bus answers from tables, and allocates nothing. */
const STAND_INS: Readonly<Record<string, string>> = {
	time: "export default { ticks: 0, delta: () => 0 };",
	timer: "export default { delay() {} };",
	"embedded:provider/builtin": `
		const registers = new Uint8Array(256);
		registers.set(${JSON.stringify(TRIM.slice(0, 26))}, 0x88);
		registers.set(${JSON.stringify(TRIM.slice(26))}, 0xe1);
		registers[0xd0] = 0x60;
		registers.set([0x4a, 0x52, 0xc0, 0x80, 0x96, 0xc0, 0x7a, 0x76], 0xf7);
		let humidity = 0;
		let settings = 0;
		// Words with their checksums, as Sensirion's sensors answer: ready; and a measurement.
		const answers = [];
		answers[3] = Uint8Array.of(0x80, 0x06, 0x04);
		answers[9] = Uint8Array.of(0x01, 0xf4, 0x33, 0x66, 0x67, 0xa2, 0x5e, 0xb9, 0x3c);
		answers[6] = Uint8Array.of(0x66, 0x67, 0xa2, 0x5e, 0xb9, 0x3c);
		answers[2] = Uint8Array.of(0x01, 0x00);
		let configuration = 0;
		class SMBus {
			write() {}
			sendByte() {}
			read(buffer) {
				const from = answers[buffer.length];
				for (let i = 0; i < buffer.length; i++) buffer[i] = from[i];
			}
			readUint8(register) { return register === 0xf2 ? humidity : registers[register]; }
			writeUint8(register, value) {
				if (register === 0xf2) humidity = value;
				if (register === 0xf4) settings = value & 0xfc;
			}
			readUint16(register) { return register === 0 ? configuration : register === 1 ? 2000 : 0x5d9a; }
			writeUint16(register, value) { configuration = value; }
			readBuffer(register, buffer) {
				for (let i = 0; i < buffer.length; i++) buffer[i] = registers[register + i];
				if (register !== 0xf2) return;
				buffer[0] = humidity;
				buffer[2] = settings;
			}
			close() {}
		}
		export default { I2C: { default: { data: 4, clock: 5 } }, io: { SMBus } };`,
};

for (const [name, property, expected, options] of [
	["bh1750", "lightmeter.illuminance", 256 / 2.4, {}],
	["bme280", "hygrometer.humidity", 65.306, {}],
	["ina219", "electricity.current", 0.2, {}],
	["scd4x", "airQuality.CO2", 500, {}],
	["scd4x", "airQuality.CO2", 500, { mode: "singleShot" }],
	["sht4x", "thermometer.temperature", 25, {}],
] as const)
	test(`on XS, ${SAMPLES} samples of ${name} with ${JSON.stringify(options)}: allocate nothing`, (t) => {
		const driver = `firmware/drivers/${name}/${name}`;
		const modules = gatherModules(driver);
		const preload = [...modules.keys()];
		for (const [specifier, source] of Object.entries(STAND_INS))
			modules.set(specifier, { source, path: `${specifier}.js` });
		preload.push(...Object.keys(STAND_INS).filter((specifier) => !specifier.startsWith("embedded")));
		modules.set("main", {
			source: `import Driver from "${driver}";
				import device from "embedded:provider/builtin";
				const options = Object.freeze(${JSON.stringify(options)});
				native("keep").call(undefined, () => {
					const sensor = globalThis.sensor = new Driver(options);
					sensor.configure(options);
				});
				native("keep").call(undefined, (count) => {
					const sensor = globalThis.sensor;
					let sample;
					for (let i = 0; i < count; i++) sample = sensor.sample();
					return sample.${property};
				});`,
			path: "main.js",
		});
		const handles: number[] = [];
		const machine = new Machine(new Root({ modules, preload, natives: ["keep"] }), {
			creation: { slots: 2048, chunks: 32_768, stack: 512, keys: 64 },
			clock: () => 0,
			seed: 1,
			natives: { keep: (handle: number) => void handles.push(handle) },
			retained: new Uint8Array(0),
		});
		machine.import("main");
		const [create, sample] = handles;
		const empty = machine.statistics;
		machine.call(create);
		const created = machine.statistics;
		const value = machine.call(sample, 1);
		const before = machine.statistics;
		machine.call(sample, SAMPLES);
		const after = machine.statistics;
		t.diagnostic(JSON.stringify({ value, empty, created }));
		assert.ok(Math.abs(Number(value) - expected) < 0.003, `${value}`);
		assert.equal(after.slots.allocated - before.slots.allocated, 0);
		assert.equal(after.chunks.allocated - before.chunks.allocated, 0);
		assert.equal(after.collections, before.collections);
		const bytes =
			(created.slots.allocated - empty.slots.allocated) * SLOT_BYTES +
			(created.chunks.allocated - empty.chunks.allocated);
		t.diagnostic(`${name}: ${bytes} bytes until it is ready`);
		assert.ok(bytes <= LIMIT, `${bytes}`);
		machine.destroy();
	});
