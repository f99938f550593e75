import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bh1750Chip } from "./chips/bh1750";
import { I2CBus } from "./chips/i2c-bus";
import { loadDriver } from "./driver-loader";
import { DriverSampler } from "./driver-sampler";

async function start() {
	const clock = { now: 0 };
	const bus = new I2CBus(clock);
	const chip = new Bh1750Chip(clock);
	bus.chips.set(0x23, chip);
	const { Driver } = await loadDriver("bh1750", bus.SMBus, { clock, isShort: true });
	return { clock, chip, sampler: new DriverSampler(Driver, ["lightmeter.illuminance"]) };
}

describe("bh1750", () => {
	for (const [lux, step] of [
		[0, 0],
		[0.5, 0.42],
		[100, 0.42],
		[27_300, 0.42],
		// Beyond the fine resolution
		[27_310, 1.86],
		// The datasheet's example 10000011 10010000
		[28_067, 1.86],
		[120_000, 1.86],
	] as const)
		test(`${lux} lx: read to ${step} lx, and the sensor is off afterwards`, async () => {
			const { chip, sampler } = await start();
			chip.lux = lux;
			for (let i = 0; i < 2; i++) {
				const [value = NaN] = sampler.sample();
				assert.ok(Math.abs(value - lux) <= step, `${value}`);
				assert.equal(chip.isOn, false);
			}
		});

	test("brighter than it can measure: the largest value", async () => {
		const { chip, sampler } = await start();
		chip.lux = 200_000;
		assert.ok(Math.abs(sampler.sample()[0]! - 121_557) < 1);
	});

	test("from bright to dim: each sample with the resolution of its light", async () => {
		const { chip, sampler } = await start();
		chip.lux = 90_000;
		sampler.sample();
		chip.lux = 3;
		assert.ok(Math.abs(sampler.sample()[0]! - 3) < 0.42);
	});

	test("a node that was reset in a bright sample: the measurement time is set again", async () => {
		const { chip, sampler } = await start();
		chip.write([0x40]);
		chip.write([0x7f]);
		assert.ok(Math.abs(sampler.sample()[0]! - 100) < 0.42);
	});

	test("a dim sample waits for its longest time, a bright one for 81 ms more", async () => {
		const { clock, chip, sampler } = await start();
		sampler.sample();
		for (const [lux, ms] of [
			[100, 180],
			[50_000, 261],
		] as const) {
			chip.lux = lux;
			const from = clock.now;
			sampler.sample();
			assert.ok(clock.now - from >= ms && clock.now - from < ms + 5, `${clock.now - from}`);
		}
	});
});
