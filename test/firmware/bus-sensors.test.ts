import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ownDeclarations } from "../../cli/config/declarations";
import { Bh1750Chip } from "./chips/bh1750";
import { Bme280Chip } from "./chips/bme280";
import { TRIM } from "./chips/bme280-trim";
import { type Chip, I2CBus } from "./chips/i2c-bus";
import { Ina219Chip } from "./chips/ina219";
import { Scd4xChip } from "./chips/scd4x";
import { Sht4xChip } from "./chips/sht4x";
import { type DriverClock, driverSource, loadDriver } from "./driver-loader";
import { DriverSampler } from "./driver-sampler";
import { root } from "./import-graph";

interface PoweredChip extends Chip {
	losePower(): void;
}

/** Chips of the drivers that have no class of the SDK, and the options of a driver in this test. */
const CHIPS: Readonly<
	Record<string, { readonly make: (clock: DriverClock) => PoweredChip; readonly options?: object }>
> = {
	bh1750: { make: (clock) => new Bh1750Chip(clock) },
	bme280: { make: (clock) => new Bme280Chip(clock, TRIM) },
	ina219: { make: (clock) => new Ina219Chip(clock) },
	scd4x: { make: (clock) => new Scd4xChip(clock), options: { mode: "singleShot" } },
	sht4x: { make: (clock) => new Sht4xChip(clock) },
};

const declarations = ownDeclarations(join(root, "firmware"));

async function start(name: string, more: object = {}) {
	const clock = { now: 1000 };
	const bus = new I2CBus(clock);
	const { Driver } = await loadDriver(name, bus.SMBus, { clock, isShort: true });
	const { options, properties } = declarations.get(name)!;
	const sampler = new DriverSampler(Driver, Object.keys(properties), { ...CHIPS[name]!.options, ...more });
	const addresses = options.address!.choices!;
	const address = options.address!.default as number;
	return { clock, bus, Driver, sampler, address, addresses, chip: CHIPS[name]!.make(clock) };
}

const failed = (values: readonly number[]): boolean => values.every(Number.isNaN);
const measured = (values: readonly number[]): boolean => values.every(Number.isFinite);

describe("drivers with a bus of their own making", () => {
	test("each of them has a chip", () => {
		const drivers = readdirSync(join(root, "firmware/drivers"), { withFileTypes: true })
			.filter((entry) => entry.isDirectory() && / extends BusSensor/.test(driverSource(entry.name)))
			.map(({ name }) => name);
		// The HTU21D's is in its own test.
		assert.deepEqual(
			drivers.filter((name) => name !== "htu21d"),
			Object.keys(CHIPS),
		);
	});

	for (const name of Object.keys(CHIPS)) {
		test(`${name}: no sensor at first: readings fail until there is one`, async () => {
			const { bus, sampler, address, chip } = await start(name);
			for (let i = 0; i < 3; i++) {
				assert.ok(failed(sampler.sample()));
				assert.match(sampler.traces.join(), /^sensor s: Error: \w+ failed$/);
				assert.equal(bus.open.size, 0);
			}
			bus.chips.set(address, chip);
			assert.ok(measured(sampler.sample()), sampler.traces.join());
			assert.deepEqual([...bus.open], [address]);
		});

		test(`${name}: each address that it declares is the one that it speaks to`, async () => {
			const { addresses } = await start(name);
			for (const address of addresses) {
				const { bus, sampler, chip } = await start(name, { address });
				bus.chips.set(address, chip);
				assert.ok(measured(sampler.sample()), `${address}`);
			}
		});

		test(`${name}: the sensor goes and comes back: one failure a sample, then values`, async () => {
			const { bus, sampler, address, chip } = await start(name);
			bus.chips.set(address, chip);
			assert.ok(measured(sampler.sample()));
			bus.chips.delete(address);
			assert.ok(failed(sampler.sample()));
			assert.ok(failed(sampler.sample()));
			bus.chips.set(address, chip);
			assert.ok(measured(sampler.sample()));
		});

		test(`${name}: a supply that fails for a moment: at most one reading fails`, async () => {
			const { bus, clock, sampler, address, chip } = await start(name);
			bus.chips.set(address, chip);
			const before = sampler.sample();
			chip.losePower();
			clock.now += 50;
			const after = sampler.sample();
			assert.ok(failed(after) || after.join() === before.join(), `${after}`);
			assert.deepEqual(sampler.sample(), before);
		});

		test(`${name}: a bus that is held: the reading fails, the next one succeeds`, async () => {
			const { bus, sampler, address, chip } = await start(name);
			bus.chips.set(address, chip);
			sampler.sample();
			bus.isHeld = true;
			assert.ok(failed(sampler.sample()));
			assert.ok(failed(sampler.sample()));
			bus.isHeld = false;
			assert.ok(measured(sampler.sample()));
		});

		test(`${name}: close gives the bus back, and a wake begins anew`, async () => {
			const { bus, sampler, address, chip } = await start(name);
			bus.chips.set(address, chip);
			const first = sampler.sample();
			sampler.close();
			assert.equal(bus.open.size, 0);
			assert.deepEqual(sampler.sample(), first);
		});

		test(`${name}: samples are one object, so that none is made for each`, async () => {
			const { bus, Driver, address, chip } = await start(name);
			bus.chips.set(address, chip);
			const sensor = new Driver({ address });
			sensor.configure(CHIPS[name]!.options ?? {});
			const sample = sensor.sample()!;
			const groups = Object.values(sample);
			assert.equal(sensor.sample(), sample);
			assert.deepEqual(
				Object.values(sample).map((group, i) => group === groups[i]),
				groups.map(() => true),
			);
		});
	}
});
