import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SensorConstructor } from "../../src/device";
import { loadModule } from "./module-loader";

interface AnalogOptions {
	readonly pin: number;
	readonly esp32: object;
}

/** A driver of a voltage with a converter that gives these readings. */
async function loadVoltageDriver(name: "analog" | "battery", readings: readonly number[], bits = 12) {
	const opened: AnalogOptions[] = [];
	let closed = 0;
	let next = 0;
	class Analog {
		readonly resolution = bits;
		constructor(options: AnalogOptions) {
			opened.push(options);
		}
		read(): number {
			return readings[next++ % readings.length]!;
		}
		close(): void {
			closed++;
		}
	}
	const { default: Driver } = await loadModule<{ default: SensorConstructor }>(
		`firmware/drivers/${name}/${name}`,
		{ modules: { "embedded:io/analog": { default: Analog } } },
	);
	const voltage = (options: object): number => {
		const sensor = new Driver({ pin: 34, ...options });
		sensor.configure(options);
		const sample = sensor.sample() as { [property: string]: { voltage: number } };
		sensor.close();
		return sample[name]!.voltage;
	};
	return { voltage, opened, closes: () => closed };
}

describe("analog", () => {
	const load = (readings: readonly number[], bits?: number) => loadVoltageDriver("analog", readings, bits);

	test("all bits set are the full scale of the attenuation, in mV", async () => {
		const { voltage, opened, closes } = await load([4095]);
		for (const [attenuation, millivolts] of [
			[undefined, 2450],
			[0, 950],
			[2.5, 1250],
			[6, 1750],
			[12, 2450],
		] as const)
			assert.ok(
				Math.abs(voltage(attenuation === undefined ? {} : { attenuation }) - millivolts) < 1e-9,
				`${attenuation}`,
			);
		assert.deepEqual(opened[0], { pin: 34, esp32: { attenuation: 12, calibrated: true } });
		assert.equal(closes(), 5);
	});

	test("readings are averaged, and scaled by divider, full scale and resolution", async () => {
		const { voltage } = await load([1000, 1002], 13);
		assert.ok(
			Math.abs(voltage({ fullScale: 2600, averaging: 2, divider: 3 }) - (1001 * 2600 * 3) / 8191) < 1e-9,
		);
	});

	test("without calibration the SDK is told so", async () => {
		const { voltage, opened } = await load([0]);
		assert.equal(voltage({ calibrated: false, attenuation: 0 }), 0);
		assert.deepEqual(opened[0]!.esp32, { attenuation: 0, calibrated: false });
	});
});

describe("battery", () => {
	test("all bits set are 2.45 V at the pin, and twice as much behind the divider", async () => {
		const { voltage, opened, closes } = await loadVoltageDriver("battery", [4095]);
		assert.ok(Math.abs(voltage({}) - 4.9) < 1e-12);
		assert.deepEqual(opened, [{ pin: 34, esp32: {} }]);
		assert.equal(closes(), 1);
	});

	test("readings are averaged, and scaled by divider, full scale and resolution", async () => {
		const { voltage } = await loadVoltageDriver("battery", [1000, 1004, 1003, 1001], 13);
		assert.ok(
			Math.abs(voltage({ fullScale: 2.6, averaging: 4, divider: 3 }) - (1002 * 2.6 * 3) / 8191) < 1e-12,
		);
		assert.ok(Math.abs(voltage({}) - (1002 * 2.45 * 2) / 8191) < 1e-12, "eight readings");
	});
});

describe("digital", () => {
	/** @param levelAt level of the pin, by ms */
	async function load(levelAt: (ms: number) => number) {
		const opened: object[] = [];
		let closed = 0;
		const clock = { now: 0 };
		class Digital {
			static Input = 0;
			static InputPullUp = 1;
			static InputPullDown = 2;
			constructor(options: object) {
				opened.push(options);
			}
			read(): number {
				return levelAt(clock.now);
			}
			close(): void {
				closed++;
			}
		}
		const { default: Driver } = await loadModule<{ default: SensorConstructor }>(
			"firmware/drivers/digital/digital",
			{
				modules: {
					"embedded:io/digital": { default: Digital },
					timer: { default: { delay: (ms: number) => (clock.now += ms) } },
				},
			},
		);
		return { Driver, opened, clock, closes: () => closed };
	}

	test("the level is active where it is the one that stands for it, under all three names", async () => {
		for (const [level, activeLow, active] of [
			[1, false, true],
			[0, false, false],
			[1, true, false],
			[0, true, true],
		] as const) {
			const { Driver, closes } = await load(() => level);
			const sensor = new Driver({ pin: 4, activeLow });
			sensor.configure({});
			const expected = { digital: { active }, contact: { open: active }, motion: { detected: active } };
			assert.deepEqual(sensor.sample(), expected);
			sensor.close();
			assert.equal(closes(), 1);
		}
	});

	test("the resistor is the one that pull names, up without", async () => {
		const { Driver, opened } = await load(() => 1);
		for (const pull of [undefined, "none", "up", "down"]) new Driver({ pin: 4, ...(pull && { pull }) });
		assert.deepEqual(
			opened,
			[1, 0, 1, 2].map((mode) => ({ pin: 4, mode })),
		);
	});

	test("a contact that bounces: its level once that has been the same for debounce", async () => {
		// Bounces for 7 ms, then stays closed
		const { Driver, clock } = await load((ms) => (ms < 7 && ms % 2 === 0 ? 1 : 0));
		const sensor = new Driver({ pin: 4, debounce: 5 });
		assert.deepEqual(sensor.sample(), {
			digital: { active: false },
			contact: { open: false },
			motion: { detected: false },
		});
		assert.equal(clock.now, 12);
	});

	test("a contact that never stops bouncing: sampled after ten times debounce", async () => {
		const { Driver, clock } = await load((ms) => ms % 2);
		const sensor = new Driver({ pin: 4, debounce: 20 });
		sensor.sample();
		assert.equal(clock.now, 200);
	});

	test("debounce of 0: the first reading counts, at once", async () => {
		const { Driver, clock } = await load((ms) => (ms === 0 ? 1 : 0));
		const { digital } = new Driver({ pin: 4, debounce: 0 }).sample() as { digital: { active: boolean } };
		assert.equal(digital.active, true);
		assert.equal(clock.now, 0);
	});
});
