import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { I2CBus } from "./chips/i2c-bus";
import { Scd4xChip } from "./chips/scd4x";
import { wordWithChecksum } from "./chips/sensirion";
import { loadDriver } from "./driver-loader";
import { DriverSampler } from "./driver-sampler";

const NOTHING = [NaN, NaN, NaN];

async function start(options: object = {}, prepare: (chip: Scd4xChip) => void = () => {}) {
	const clock = { now: 0 };
	const bus = new I2CBus(clock);
	const chip = new Scd4xChip(clock);
	prepare(chip);
	bus.chips.set(0x62, chip);
	const { Driver } = await loadDriver("scd4x", bus.SMBus, { clock, isShort: true });
	const properties = ["airQuality.CO2", "thermometer.temperature", "hygrometer.humidity"];
	const node = () => new DriverSampler(Driver, properties, options);
	return { clock, chip, node, sampler: node() };
}

const rounded = (values: readonly number[]): number[] => values.map((value) => Math.round(value * 100) / 100);

describe("scd4x", () => {
	test("the datasheet's examples of checksums: the chip of this test has them", () => {
		assert.deepEqual(
			[0x01f4, 0x6667, 0x5eb9, 0x07e6, 0x079e].map((word) => wordWithChecksum(word)[2]),
			[0x33, 0xa2, 0x3c, 0x48, 0x09],
		);
	});

	test("the datasheet's example: 500 ppm, 25 °C, 37 %; and that of the Rust crate scd4x", async () => {
		const { chip, sampler } = await start({ mode: "singleShot" });
		assert.deepEqual(rounded(sampler.sample()), [500, 25, 37]);
		chip.readings = [1000, 0x6203, 0x8000];
		assert.deepEqual(rounded(sampler.sample()), [1000, 22, 50]);
	});

	for (const [mode, command, seconds] of [
		["periodic", "21b1", 5],
		["lowPower", "21ac", 30],
	] as const) {
		test(`${mode}: no value until the first measurement has ended, then the latest one at once`, async () => {
			const { clock, chip, sampler } = await start({ mode });
			assert.deepEqual(sampler.sample(), NOTHING);
			clock.now += seconds * 900;
			assert.deepEqual(sampler.sample(), NOTHING);
			clock.now += seconds * 200;
			const from = clock.now;
			assert.deepEqual(rounded(sampler.sample()), [500, 25, 37]);
			assert.ok(clock.now - from < 10);
			chip.readings = [612, 0x6667, 0x5eb9];
			assert.equal(sampler.sample()[0], 500);
			clock.now += seconds * 1000;
			assert.equal(sampler.sample()[0], 612);
			assert.deepEqual(
				chip.commands.filter((text) => text.startsWith("21")),
				[command],
			);
		});

		test(`${mode}: goes on measuring while the node sleeps; its next wake has a value at once`, async () => {
			const { clock, chip, sampler, node } = await start({ mode, altitude: 300 });
			sampler.sample();
			for (let wake = 0; wake < 3; wake++) {
				sampler.close();
				clock.now += 60_000;
				const next = node();
				const from = clock.now;
				assert.equal(next.sample()[0], 500);
				assert.ok(clock.now - from < 10);
				next.close();
				assert.equal(chip.state, mode);
			}
			// A wake before the next measurement leaves it alone, too.
			node().sample();
			assert.deepEqual(
				chip.commands.filter((text) => text.startsWith("21") || text.startsWith("3f")),
				[command],
			);
		});

		test(`${mode}: a sensor that has stopped by itself is noticed and started again`, async () => {
			const { clock, chip, sampler } = await start({ mode });
			sampler.sample();
			clock.now += seconds * 1000 + 1;
			assert.equal(sampler.sample()[0], 500);
			chip.losePower();
			clock.now += seconds * 2900;
			// The last value counts for a while.
			assert.equal(sampler.sample()[0], 500);
			clock.now += seconds * 200;
			assert.deepEqual(sampler.sample(), NOTHING);
			assert.match(sampler.traces[0]!, /SCD4x: does not measure$/);
			assert.deepEqual(sampler.sample(), NOTHING);
			clock.now += seconds * 1000 + 1;
			assert.equal(sampler.sample()[0], 500);
		});
	}

	for (const state of ["periodic", "lowPower", "asleep"] as const)
		test(`singleShot, the sensor is ${state}: it is made idle first`, async () => {
			const { chip, sampler } = await start({ mode: "singleShot" }, (chip) => {
				chip.state = state;
			});
			assert.equal(sampler.sample()[0], 500);
			assert.equal(chip.state, "idle");
		});

	test("periodic, the sensor is asleep: it is woken and started", async () => {
		const { clock, chip, sampler } = await start({}, (chip) => {
			chip.state = "asleep";
		});
		sampler.sample();
		assert.equal(chip.state, "periodic");
		clock.now += 5001;
		assert.equal(sampler.sample()[0], 500);
	});

	test("a sensor that got its supply together with the node: it gets its time to start", async () => {
		for (const mode of ["periodic", "singleShot"]) {
			const { clock, sampler } = await start({ mode }, (chip) => chip.losePower(500));
			sampler.sample();
			assert.deepEqual(sampler.traces, [], mode);
			clock.now += 5001;
			assert.equal(sampler.sample()[0], 500);
		}
	});

	test("singleShot with an SCD40: fails, and says so; an SCD43 can do it", async () => {
		for (const [variant, isAble] of [
			[0, false],
			[5, true],
		] as const) {
			const { sampler } = await start({ mode: "singleShot" }, (chip) => {
				chip.variant = variant;
			});
			assert.equal(Number.isFinite(sampler.sample()[0]), isAble);
			if (!isAble) assert.match(sampler.traces[0]!, /an SCD40 has no single shot/);
		}
	});

	test("altitude and temperatureOffset: the datasheet's words, and only where they are set", async () => {
		const { chip, sampler } = await start({ mode: "singleShot", altitude: 1950, temperatureOffset: 5.4 });
		sampler.sample();
		assert.deepEqual(chip.commands.slice(1, 3), ["2427079e09", "241d07e648"]);
		const plain = await start({ mode: "singleShot" });
		plain.sampler.sample();
		assert.deepEqual(plain.chip.commands, ["202f", "219d", "e4b8", "ec05"]);
	});

	for (let wrong = 0; wrong < 9; wrong++)
		test(`byte ${wrong} of a measurement is wrong: the reading fails, a later one succeeds`, async () => {
			const { clock, chip, sampler } = await start();
			sampler.sample();
			clock.now += 5001;
			const read = chip.read.bind(chip);
			chip.read = (count) => {
				if (count === 9) {
					chip.wrongByte = wrong;
					chip.read = read;
				}
				return read(count);
			};
			assert.deepEqual(sampler.sample(), NOTHING);
			assert.match(sampler.traces[0]!, /wrong checksum$/);
			clock.now += 5001;
			assert.equal(sampler.sample()[0], 500);
		});

	test("0 ppm, as without a supply for its lamp: the reading fails", async () => {
		const { chip, sampler } = await start({ mode: "singleShot" });
		chip.readings = [0, 0x6667, 0x5eb9];
		assert.deepEqual(sampler.sample(), NOTHING);
		assert.match(sampler.traces[0]!, /measures 0 ppm$/);
	});
});
