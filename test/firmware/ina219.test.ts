import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { I2CBus } from "./chips/i2c-bus";
import { Ina219Chip } from "./chips/ina219";
import { loadDriver } from "./driver-loader";
import { DriverSampler } from "./driver-sampler";

async function start(options: object = {}) {
	const clock = { now: 0 };
	const bus = new I2CBus(clock);
	const chip = new Ina219Chip(clock);
	bus.chips.set(0x40, chip);
	const { Driver } = await loadDriver("ina219", bus.SMBus, { clock, isShort: true });
	const properties = ["electricity.voltage", "electricity.current", "electricity.power"];
	return { clock, chip, sampler: new DriverSampler(Driver, properties, options) };
}

const rounded = (values: readonly number[]): number[] =>
	values.map((value) => Math.round(value * 1000) / 1000);

describe("ina219", () => {
	test("the datasheet's example, 20 mV at 2 mΩ and 11.98 V: 10 A and 119.8 W", async () => {
		const { chip, sampler } = await start({ shunt: 0.002 });
		assert.deepEqual(rounded(sampler.sample()), [11.98, 10, 119.8]);
		// Its registers in the example
		for (const [register, word] of [
			[1, 0x07d0],
			[2, 0x5d98],
		] as const) {
			chip.write([register]);
			const [high = 0, low = 0] = chip.read(2);
			// But for the bit that says that it has measured
			assert.equal(((high << 8) | low) & ~2, word);
		}
	});

	test("a current that flows back is negative", async () => {
		const { chip, sampler } = await start();
		chip.shuntVolts = -0.1;
		assert.deepEqual(rounded(sampler.sample()), [11.98, -1, -11.98]);
	});

	test("nothing connected: zeros", async () => {
		const { chip, sampler } = await start();
		chip.shuntVolts = 0;
		chip.busVolts = 0;
		assert.deepEqual(sampler.sample(), [0, 0, 0]);
	});

	for (const volts of [0.32, 0.5, -0.32])
		test(`${volts} V at the shunt, where the converter stays at its end: the reading fails`, async () => {
			const { chip, sampler } = await start();
			chip.shuntVolts = volts;
			assert.deepEqual(sampler.sample(), [NaN, NaN, NaN]);
			assert.match(sampler.traces[0]!, /more than 320 mV at the shunt$/);
			assert.equal(chip.configuration & 7, 0);
		});

	for (const [averaging, configuration, ms] of [
		[1, 0x3c40, 1.172],
		[16, 0x3e60, 18.752],
		[128, 0x3ff8, 150.016],
	] as const)
		test(`averaging ${averaging}: its configuration, its longest time, and off afterwards`, async () => {
			const { clock, chip, sampler } = await start({ averaging });
			sampler.sample();
			const from = clock.now;
			assert.ok(sampler.sample().every(Number.isFinite));
			assert.ok(clock.now - from > ms && clock.now - from < ms + 5, `${clock.now - from}`);
			assert.equal(chip.configuration, configuration);
		});

	test("a supply that fails during the measurement: the reading fails", async () => {
		const { chip, sampler } = await start();
		sampler.sample();
		const write = chip.write.bind(chip);
		chip.write = (bytes) => {
			write(bytes);
			if (bytes.length < 3 || (bytes[2]! & 7) !== 3) return;
			chip.losePower();
			// It measures by itself then, with other settings.
			write([0, 0x39, 0x9f]);
		};
		assert.deepEqual(sampler.sample(), [NaN, NaN, NaN]);
		assert.match(sampler.traces[0]!, /has lost its settings$/);
	});

	test("it does not measure: the reading fails", async () => {
		const { chip, sampler } = await start();
		chip.slownessMs = 1000;
		assert.deepEqual(sampler.sample(), [NaN, NaN, NaN]);
		assert.match(sampler.traces[0]!, /does not measure$/);
	});
});
