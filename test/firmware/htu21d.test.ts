import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Chip, I2CBus, Nack } from "./chips/i2c-bus";
import { type DriverClock, loadDriver } from "./driver-loader";
import { DriverSampler } from "./driver-sampler";

describe("htu21d", () => {
	/** The sensor by its datasheet: deaf during a reset and a measurement, which it must be given time for. */
	function htu21d(clock: DriverClock, answers: Readonly<Record<number, readonly number[]>>): Chip {
		const busy = new Map([
			[0xfe, 15],
			[0xf5, 16],
			[0xf3, 50],
		]);
		let readyAt = 0;
		let answer: readonly number[] = [];
		const live = () => {
			if (clock.now < readyAt) throw new Nack();
		};
		return {
			write([command]) {
				live();
				readyAt = clock.now + busy.get(command!)!;
				answer = answers[command!] ?? [];
			},
			read() {
				live();
				return answer;
			},
		};
	}

	async function start(answers: Readonly<Record<number, readonly number[]>>) {
		const clock = { now: 0 };
		const bus = new I2CBus(clock);
		bus.chips.set(0x40, htu21d(clock, answers));
		const { Driver } = await loadDriver("htu21d", bus.SMBus, { clock, isShort: true });
		const sampler = new DriverSampler(Driver, ["thermometer.temperature", "hygrometer.humidity"]);
		return { bus, sampler };
	}

	test("the datasheet's examples of checksums are accepted, and converted by its formulas", async () => {
		const { sampler } = await start({ 243: [0x68, 0x3a, 0x7c], 245: [0x4e, 0x85, 0x6b] });
		const [temperature = NaN, humidity = NaN] = sampler.sample();
		assert.ok(Math.abs(temperature - (-46.85 + (175.72 * 0x6838) / 65_536)) < 1e-9);
		assert.ok(Math.abs(humidity - (-6 + (125 * 0x4e84) / 65_536)) < 1e-9);
	});

	test("no sensor at first: readings fail until there is one", async () => {
		const { bus, sampler } = await start({ 243: [0x68, 0x3a, 0x7c], 245: [0x4e, 0x85, 0x6b] });
		const chip = bus.chips.get(0x40)!;
		bus.chips.clear();
		for (let i = 0; i < 2; i++) {
			assert.deepEqual(sampler.sample(), [NaN, NaN]);
			assert.match(sampler.traces[0]!, /write failed$/);
		}
		bus.chips.set(0x40, chip);
		assert.ok(sampler.sample().every(Number.isFinite));
	});

	test("a wrong checksum leaves its value out, and only that", async () => {
		const { sampler } = await start({ 243: [0x68, 0x3a, 0x7d], 245: [0x4e, 0x85, 0x6b] });
		assert.deepEqual(sampler.sample().map(Number.isFinite), [false, true]);
	});

	test("humidity stays within 0 and 100 %, where the formula leaves them", async () => {
		const checksum = (high: number, low: number): number => {
			let remainder = (high << 16) | (low << 8);
			for (let bit = 23; bit >= 8; bit--) if ((remainder >> bit) & 1) remainder ^= 0x131 << (bit - 8);
			return remainder;
		};
		// One of the datasheet's examples
		assert.equal(checksum(0, 0xdc), 0x79);
		for (const [high, expected] of [
			[0x00, 0],
			[0xff, 100],
		] as const) {
			const { sampler } = await start({ 243: [0, 0xdc, 0x79], 245: [high, high, checksum(high, high)] });
			assert.equal(sampler.sample()[1], expected);
		}
	});
});
