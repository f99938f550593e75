import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { I2CBus } from "./chips/i2c-bus";
import { wordWithChecksum } from "./chips/sensirion";
import { Sht4xChip } from "./chips/sht4x";
import { loadDriver } from "./driver-loader";
import { DriverSampler } from "./driver-sampler";

async function start(options: object = {}) {
	const clock = { now: 0 };
	const bus = new I2CBus(clock);
	const chip = new Sht4xChip(clock);
	bus.chips.set(0x44, chip);
	const { Driver } = await loadDriver("sht4x", bus.SMBus, { clock, isShort: true });
	const properties = ["thermometer.temperature", "hygrometer.humidity"];
	return { clock, chip, sampler: new DriverSampler(Driver, properties, options) };
}

describe("sht4x", () => {
	test("the datasheet's example of a checksum: the chip of this test has it", () => {
		assert.deepEqual(wordWithChecksum(0xbeef), [0xbe, 0xef, 0x92]);
	});

	// The ends of the scale are as in the tests of the Rust crate sht4x; there the humidity is not bounded.
	for (const [signals, temperature, humidity] of [
		[[0x0000, 0x0000], -45, 0],
		[[0xffff, 0xffff], 130, 100],
		[[0x6666, 0x72b0], 25, 50.001],
		[[0x8000, 0x8000], 42.501, 56.501],
	] as const)
		test(`signals ${signals.join(", ")}: ${temperature} °C and ${humidity} %`, async () => {
			const { chip, sampler } = await start();
			chip.signals = signals;
			const values = sampler.sample();
			assert.ok(Math.abs(values[0]! - temperature) < 0.001, `${values}`);
			assert.ok(Math.abs(values[1]! - humidity) < 0.001, `${values}`);
		});

	for (const [precision, command, ms] of [
		["high", 0xfd, 8.3],
		["medium", 0xf6, 4.5],
		["low", 0xe0, 1.6],
	] as const)
		test(`precision ${precision}: its command, and its longest time`, async () => {
			const { clock, chip, sampler } = await start({ precision });
			sampler.sample();
			const from = clock.now;
			assert.ok(sampler.sample().every(Number.isFinite));
			assert.ok(clock.now - from < ms + 3, `${clock.now - from}`);
			assert.deepEqual(chip.commands, [0x94, command, command]);
		});

	for (let wrong = 0; wrong < 6; wrong++)
		test(`byte ${wrong} of the answer is wrong: the reading fails, the next one succeeds`, async () => {
			const { chip, sampler } = await start();
			chip.wrongByte = wrong;
			assert.deepEqual(sampler.sample(), [NaN, NaN]);
			assert.match(sampler.traces[0]!, /wrong checksum$/);
			assert.ok(sampler.sample().every(Number.isFinite));
		});
});
