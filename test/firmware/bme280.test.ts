import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bme280Chip } from "./chips/bme280";
import { TRIM } from "./chips/bme280-trim";
import { I2CBus } from "./chips/i2c-bus";
import { loadDriver } from "./driver-loader";
import { DriverSampler } from "./driver-sampler";

const PROPERTIES = ["thermometer.temperature", "barometer.pressure", "hygrometer.humidity"];

/**
 * Trimming values (registers 0x88 … 0xa1, 0xe1 … 0xe7), readings (0xf7 … 0xfe), and what they mean in °C, Pa
 * and percent. The first one is the example of the BMP280's datasheet (§3.12), which has no humidity, the
 * second one from the tests of periph.io. The others were computed with Bosch's BME280_SensorAPI 3.5.1 for
 * random trimming values: in floating point; and, where the trimming value H3 is not 0, in 32-bit integers,
 * as its floating point has a factor there that neither these nor the datasheet have.
 */
const MEANINGS: readonly (readonly [trim: string, readings: string, number, number, number])[] = [
	[
		"706b436718fc7d8e43d6d00b270b8c00f9ff8c3cf8c670170000000000000000".padEnd(66, "0"),
		"655ac07eed008000",
		25.0825,
		100_653.27,
		0,
	],
	[
		"106e6c6632005d95b8d5d00b771e9dfff9ffac260ad8bd10004b6e01001305001e",
		"4a52c08096c07a76",
		23.722,
		100_942.96,
		65.306,
	],
	[
		"106e6c665e015d95b8d5d00b771e9dfff9ffac260ad8bd10004b6e01001305001e",
		"60fc4080e9006e05",
		24.153868,
		85_806.43,
		47.5045,
	],
	[
		"106e6c6632025d95b8d5d00b771ebbfff9ffac260ad8bd10004b690100ff0200c9",
		"526f209cf4b04924",
		60.271975,
		101_365.2,
		86.448,
	],
	[
		"106e6c6699015d95b8d5d00b771e8bfff9ffac260ad8bd10004b5601001859feea",
		"51900067da30a1ee",
		-7.947752,
		91_024.11,
		86.2092,
	],
	[
		"106e6c6631015d95b8d5d00b771e7bfff9ffac260ad8bd10004b4c010013c5fdcf",
		"6aa4e0a39b508240",
		68.717988,
		85_460.42,
		56.9069,
	],
	[
		"456f6f68ffff828f75d6d00b441bd4fff9ffac260ad8bd10004b7d0100fe5402e8",
		"643d508816908989",
		32.398582,
		90_482.76,
		100,
	],
	[
		"456f6f683200828f75d6d00b441bfcfff9ffac260ad8bd10004b6101001504001e",
		"582ac08e12a04933",
		40.220189,
		100_242.78,
		0,
	],
	[
		"706b43670bfb7d8e43d6d00b270b9100f9ff8c3cf8c67017004b6b01ca1632fc1e",
		"60ab106e3d1072b3",
		3.613585,
		100_573.54,
		34.998,
	],
	[
		"456f6f686100828f75d6d00b441bfffff9ffac260ad8bd10004b4501ff152403f5",
		"4c01108f4d806f15",
		41.835766,
		109_254.62,
		29.8418,
	],
];

const bytesOf = (hex: string): readonly number[] => [...Buffer.from(hex, "hex")];

async function start(trim: readonly number[] = TRIM, options: object = {}) {
	const clock = { now: 0 };
	const bus = new I2CBus(clock);
	const chip = new Bme280Chip(clock, trim);
	bus.chips.set(0x76, chip);
	const { Driver } = await loadDriver("bme280", bus.SMBus, { clock, isShort: true });
	return { clock, bus, chip, sampler: new DriverSampler(Driver, PROPERTIES, options) };
}

describe("bme280", () => {
	for (const [trim, readings, ...expected] of MEANINGS)
		test(`readings ${readings} with the trimming values ${trim}: ${expected.join(", ")}`, async () => {
			const { chip, sampler } = await start(bytesOf(trim));
			chip.readings = bytesOf(readings);
			const tolerances = [0.001, 0.05, 0.007];
			sampler.sample().forEach((value, i) => {
				assert.ok(Math.abs(value - expected[i]!) <= tolerances[i]!, `${value}, not ${expected[i]}`);
			});
		});

	test("each sample is one forced measurement of all quantities, without filter", async () => {
		const { chip, sampler } = await start();
		for (let i = 0; i < 3; i++) sampler.sample();
		const measure = [0xf4, 0b001_001_01];
		assert.deepEqual(chip.writes, [[0xe0, 0xb6], [0xf2, 1], measure, measure, measure]);
	});

	for (const [oversampling, code, ms] of [
		[1, 1, 9.3],
		[2, 2, 16.2],
		[4, 3, 30],
		[8, 4, 57.6],
		[16, 5, 112.8],
	] as const)
		test(`oversampling ${oversampling}: waits ${ms} ms, its longest time, and little more`, async () => {
			const { clock, chip, sampler } = await start(TRIM, { oversampling });
			sampler.sample();
			const from = clock.now;
			assert.ok(sampler.sample().every(Number.isFinite));
			assert.ok(clock.now - from > ms && clock.now - from < ms + 6, `${clock.now - from}`);
			assert.deepEqual(chip.writes.slice(1, 3), [
				[0xf2, code],
				[0xf4, (code << 5) | (code << 2) | 1],
			]);
		});

	test("another chip at the address: the failure says which one, and its driver", async () => {
		for (const [id, text] of [
			[0x58, /: BME280: the chip is a BMP280, which has no humidity; its driver is "bmp280"$/],
			[0x57, /is a BMP280/],
			[0x56, /is a BMP280/],
			[0x61, /is a BME680 or BME688; its driver is "bme68x"$/],
			[0x55, /BME280: the chip has the id 0x55, not 0x60$/],
		] as const) {
			const { bus, chip, sampler } = await start();
			chip.id = id;
			assert.deepEqual(sampler.sample(), [NaN, NaN, NaN]);
			assert.match(sampler.traces[0]!, text);
			assert.equal(bus.open.size, 0);
			chip.id = 0x60;
			assert.ok(sampler.sample().every(Number.isFinite));
		}
	});

	test("a supply that fails during the measurement: the reading fails, though there are values", async () => {
		const { clock, chip, sampler } = await start();
		sampler.sample();
		const write = chip.write.bind(chip);
		chip.write = (bytes) => {
			write(bytes);
			if (bytes[0] !== 0xf4) return;
			chip.write = write;
			clock.now += 1;
			chip.losePower();
		};
		assert.deepEqual(sampler.sample(), [NaN, NaN, NaN]);
		assert.match(sampler.traces[0]!, /BME280: has lost its settings$/);
		assert.ok(sampler.sample().every(Number.isFinite));
	});

	test("another BME280 in its place: no value by the trimming values of the first one", async () => {
		const { bus, clock, chip, sampler } = await start();
		const [before = NaN] = sampler.sample();
		const [trim, readings, temperature] = MEANINGS[3]!;
		const other = new Bme280Chip(clock, bytesOf(trim));
		other.readings = bytesOf(readings);
		bus.chips.set(0x76, other);
		assert.deepEqual(sampler.sample(), [NaN, NaN, NaN]);
		assert.ok(Math.abs(sampler.sample()[0]! - temperature) < 0.001);
		bus.chips.set(0x76, chip);
		chip.losePower();
		clock.now += 10;
		sampler.sample();
		assert.equal(sampler.sample()[0], before);
	});

	test("a measurement that takes longer: waited for a little, then failed", async () => {
		const { chip, sampler } = await start();
		chip.slownessMs = 2;
		assert.ok(sampler.sample().every(Number.isFinite));
		chip.slownessMs = 100;
		assert.deepEqual(sampler.sample(), [NaN, NaN, NaN]);
		assert.match(sampler.traces[0]!, /does not end its measurement$/);
	});

	test("no trimming values: the reading fails", async () => {
		const { sampler } = await start(Array<number>(33).fill(0));
		assert.deepEqual(sampler.sample(), [NaN, NaN, NaN]);
		assert.match(sampler.traces[0]!, /BME280: has no trimming values$/);
	});

	test("whatever mode it was left in: it is reset", async () => {
		const { clock, chip, sampler } = await start();
		chip.write([0xf5, 0xff, 0xf4, 0xff]);
		clock.now += 1;
		assert.ok(sampler.sample().every(Number.isFinite));
	});
});
