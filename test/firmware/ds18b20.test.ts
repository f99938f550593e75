import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SensorConstructor } from "../../src/device";
import { Ds18b20Chip, oneWireChecksum } from "./chips/ds18b20";
import { DriverSampler } from "./driver-sampler";
import { loadModule } from "./module-loader";

async function start(options: object = {}) {
	const clock = { now: 0 };
	const chip = new Ds18b20Chip(clock);
	const open: number[] = [];
	class OneWire {
		readonly #pin: number;
		constructor({ pin }: { readonly pin: number }) {
			assert.ok(!open.includes(pin));
			open.push(pin);
			this.#pin = pin;
		}
		reset = () => chip.reset();
		write = (byte: number) => chip.write(byte);
		read = () => chip.read();
		close(): void {
			open.splice(open.indexOf(this.#pin), 1);
		}
	}
	const { default: Driver } = await loadModule<{ default: SensorConstructor }>(
		"firmware/drivers/ds18b20/ds18b20",
		{
			modules: {
				onewire: { default: OneWire },
				timer: {
					default: {
						delay(ms: number) {
							// As short as a delay of FreeRTOS may be.
							clock.now += ms - 1;
						},
					},
				},
			},
		},
	);
	const sampler = new DriverSampler(Driver, ["thermometer.temperature"], { pin: 4, ...options });
	return { clock, chip, open, sampler };
}

describe("ds18b20", () => {
	test("the example of Maxim's application note 27: the chip of this test has its checksum", () => {
		assert.equal(oneWireChecksum([0x02, 0x1c, 0xb8, 0x01, 0x00, 0x00, 0x00]), 0xa2);
	});

	// The datasheet's table of temperatures
	for (const [raw, temperature] of [
		[0x07d0, 125],
		[0x0550, 85],
		[0x0191, 25.0625],
		[0x00a2, 10.125],
		[0x0008, 0.5],
		[0x0000, 0],
		[0xfff8, -0.5],
		[0xff5e, -10.125],
		[0xfe6f, -25.0625],
		[0xfc90, -55],
	] as const)
		test(`0x${raw.toString(16)}: ${temperature} °C`, async () => {
			const { chip, open, sampler } = await start();
			chip.raw = raw;
			for (let i = 0; i < 2; i++) assert.deepEqual(sampler.sample(), [temperature]);
			sampler.close();
			assert.deepEqual(open, []);
		});

	for (const [resolution, temperature, ms] of [
		[9, 25, 93.75],
		[10, 25, 187.5],
		[11, 25, 375],
		[12, 25.0625, 750],
	] as const)
		test(`resolution ${resolution}: waits for ${ms} ms, and leaves bits out that are undefined`, async () => {
			const { clock, sampler } = await start({ resolution });
			sampler.sample();
			const from = clock.now;
			assert.deepEqual(sampler.sample(), [temperature]);
			assert.ok(clock.now - from >= ms && clock.now - from < ms + 6, `${clock.now - from}`);
		});

	test("no sensor at first, and one that goes: readings fail until there is one", async () => {
		const { chip, open, sampler } = await start();
		for (let round = 0; round < 2; round++) {
			chip.isThere = false;
			for (let i = 0; i < 2; i++) {
				assert.deepEqual(sampler.sample(), [NaN]);
				assert.match(sampler.traces[0]!, /DS18B20: no sensor at the pin$/);
				assert.deepEqual(open, []);
			}
			chip.isThere = true;
			assert.deepEqual(sampler.sample(), [25.0625]);
		}
	});

	test("the sensor goes during a conversion: what the open line reads is no value", async () => {
		const { chip, sampler } = await start();
		sampler.sample();
		const { read } = chip;
		chip.read = () => 0xff;
		assert.deepEqual(sampler.sample(), [NaN]);
		chip.read = read;
		assert.deepEqual(sampler.sample(), [25.0625]);
	});

	test("zeros alone, whose checksum is right: no value", async () => {
		const { chip, sampler } = await start();
		chip.read = () => 0;
		assert.deepEqual(sampler.sample(), [NaN]);
		assert.match(sampler.traces[0]!, /wrong checksum$/);
	});

	test("a line at ground: no sensor", async () => {
		const { chip, sampler } = await start();
		chip.isShorted = true;
		assert.deepEqual(sampler.sample(), [NaN]);
	});

	test("a supply that fails during a conversion: the reading fails; 85 °C are no value", async () => {
		const { chip, sampler } = await start();
		sampler.sample();
		const { write } = chip;
		chip.write = (byte) => {
			write.call(chip, byte);
			if (byte === 0x44) chip.losePower();
		};
		assert.deepEqual(sampler.sample(), [NaN]);
		assert.match(sampler.traces[0]!, /has lost its settings$/);
		chip.write = write;
		assert.deepEqual(sampler.sample(), [25.0625]);
	});

	test("without its supply: fails, and says so", async () => {
		const { chip, sampler } = await start();
		chip.hasSupply = false;
		assert.deepEqual(sampler.sample(), [NaN]);
		assert.match(sampler.traces[0]!, /DS18B20: its supply is not connected$/);
	});

	test("another family: fails, and says which one; a DS1822 is one of its kind", async () => {
		const { chip, sampler } = await start();
		chip.family = 0x10;
		assert.deepEqual(sampler.sample(), [NaN]);
		assert.match(sampler.traces[0]!, /the chip is of the family 0x10, not 0x28$/);
		chip.family = 0x22;
		assert.deepEqual(sampler.sample(), [25.0625]);
	});

	for (let wrong = 0; wrong < 9; wrong++)
		test(`byte ${wrong} of the scratchpad is wrong: the reading fails, the next one succeeds`, async () => {
			const { chip, sampler } = await start();
			chip.wrongByte = wrong;
			assert.deepEqual(sampler.sample(), [NaN]);
			assert.deepEqual(sampler.sample(), [25.0625]);
		});
});
