import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Sensor, SensorConstructor } from "../../src/device";
import { driverSource, loadDriver } from "./driver-loader";
import { DriverSampler } from "./driver-sampler";
import { root } from "./import-graph";

/**
 * Time, in ms, that a sensor needs from its reset to its first measurement, by its datasheet. 0: the SDK's
 * class waits itself, or each sample begins a measurement and waits for it.
 */
const SETTLING_MS: Readonly<Record<string, number>> = {
	aht10: 0,
	bme68x: 0,
	bmp280: 1.25 + 2.3 * 2 + 2.3 * 16 + 0.575,
	// Readings fail until it has run in.
	ccs811: 0,
	lm75: 100,
	sht3x: 0,
	shtc3: 0,
	si7020: 15,
	tmp102: 35,
	tmp117: 8 * 17.5,
};

const folder = join(root, "firmware/drivers");
/** Those that wrap a class of the SDK. */
const busDrivers = readdirSync(folder, { withFileTypes: true })
	.filter((entry) => entry.isDirectory())
	.map(({ name }) => name)
	.filter(
		(name) =>
			/from "embedded:sensor/.test(driverSource(name)) && driverSource(name).includes("../sensor-bus"),
	);

type BusConstructor = new (options: object) => { close(): void };

/** Opens a bus as the SDK's classes do. */
function openBus(options: object): { close(): void } {
	const { sensor } = options as { readonly sensor: { readonly io: BusConstructor } };
	return new sensor.io({ hz: 400_000, address: 0x40, ...sensor });
}

/** The SDK's SMBus class as a stand-in: where it was opened, and what is open. */
function busRecorder() {
	const opened: object[] = [];
	const open = new Set<number>();
	class SMBus {
		readonly #address: number;
		constructor({
			io,
			noteIn,
			...options
		}: { readonly io: unknown; readonly noteIn: unknown; readonly address: number }) {
			if (open.has(options.address)) throw new RangeError("duplicate address");
			opened.push(options);
			open.add(options.address);
			this.#address = options.address;
		}
		close(): void {
			open.delete(this.#address);
		}
	}
	return { opened, open, SMBus };
}

/** The SDK's class as a stand-in that notes when it is asked. */
function recorder(clock: () => number) {
	const calls: { readonly what: string; readonly at: number; readonly options?: object }[] = [];
	const Recorder: SensorConstructor = class implements Sensor {
		constructor(options: object) {
			calls.push({ what: "new", at: clock() });
			openBus(options);
		}
		configure(options: object): void {
			calls.push({ what: "configure", at: clock(), options });
		}
		sample(): object {
			calls.push({ what: "sample", at: clock() });
			return { hygrometer: { humidity: 0.5 } };
		}
		close(): void {}
	};
	return { calls, Recorder };
}

describe("drivers on a bus", () => {
	test("each of them is in the list of what datasheets say", () => {
		assert.deepEqual(busDrivers, Object.keys(SETTLING_MS));
	});

	for (const name of busDrivers.filter((driver) => driver !== "ccs811"))
		test(`${name}: the first sample comes after the first measurement, later ones at once`, async () => {
			let now = (): number => 0;
			const { calls, Recorder } = recorder(() => now());
			const { opened, SMBus } = busRecorder();
			const { Driver, clock } = await loadDriver(name, SMBus, { SDKSensor: Recorder });
			now = () => clock.now;
			const options = { address: 0x41, hz: 1000 };
			const sensor = new Driver(options);
			sensor.configure(options);
			sensor.sample();
			sensor.sample();
			assert.deepEqual(opened, [{ data: 4, clock: 5, ...options }]);
			const [first, second] = calls.filter(({ what }) => what === "sample").map(({ at }) => at);
			assert.ok(
				first !== undefined && first >= SETTLING_MS[name]! && first < SETTLING_MS[name]! + 2,
				`${first}`,
			);
			assert.equal(second, first);
		});

	for (const [name, options, expected] of [
		["no pins: the board's bus", {}, { data: 4, clock: 5, port: 0 }],
		["the board's pins: the same bus", { data: 4, clock: 5 }, { data: 4, clock: 5, port: 0 }],
		["other pins: a controller that is free", { data: 8, clock: 9 }, { data: 8, clock: 9 }],
		["one other pin: likewise", { data: 8 }, { data: 8, clock: 5 }],
		["a port: that one", { data: 8, clock: 9, port: 1 }, { data: 8, clock: 9, port: 1 }],
	] as const)
		test(name, async () => {
			const { Recorder } = recorder(() => 0);
			const { opened, SMBus } = busRecorder();
			const { Driver } = await loadDriver("sht3x", SMBus, {
				SDKSensor: Recorder,
				board: { data: 4, clock: 5, port: 0 },
			});
			new Driver({ address: 0x44, ...options });
			assert.deepEqual(opened, [{ hz: 400_000, address: 0x44, ...expected }]);
		});

	for (const name of busDrivers)
		for (const failing of ["new", "close"] as const)
			test(`${name}: the SDK's class fails in ${failing}: its address is free for the next try`, async () => {
				let fails = true;
				class SDKSensor implements Sensor {
					readonly #bus: { close(): void };
					constructor(options: object) {
						this.#bus = openBus(options);
						if (fails && failing === "new") throw new Error("write failed");
					}
					configure(): void {}
					sample(): object {
						throw new Error("read failed");
					}
					close(): void {
						// Switches the sensor off, first.
						if (fails) throw new Error("write failed");
						this.#bus.close();
					}
				}
				const { open, SMBus } = busRecorder();
				const { Driver } = await loadDriver(name, SMBus, { SDKSensor });
				const sampler = new DriverSampler(Driver, ["thermometer.temperature"], { address: 0x40 });
				for (let i = 0; i < 2; i++) {
					assert.deepEqual(sampler.sample(), [Number.NaN]);
					assert.match(sampler.traces[0]!, failing === "new" ? /: write failed$/ : /: read failed$/);
					assert.equal(open.size, 0);
				}
				fails = false;
				const sensor = new Driver({ address: 0x40 });
				assert.deepEqual([...open], [0x40]);
				sensor.close();
				assert.equal(open.size, 0);
			});

	test("bmp280: less oversampling, a shorter wait; in mode 1 each sample begins a measurement", async () => {
		let now = (): number => 0;
		const { calls, Recorder } = recorder(() => now());
		const { Driver, clock } = await loadDriver("bmp280", busRecorder().SMBus, { SDKSensor: Recorder });
		now = () => clock.now;
		const options = { mode: 1, temperatureSampling: 1, pressureSampling: 0 };
		const sensor = new Driver({});
		sensor.configure(options);
		for (let i = 0; i < 3; i++) sensor.sample();
		assert.deepEqual(
			calls.slice(1).map(({ what, at }) => [what, at]),
			[
				["configure", 0],
				["sample", 6],
				["configure", 6],
				["sample", 12],
				["configure", 12],
				["sample", 18],
			],
		);
	});

	test("tmp117 in shutdown mode: the SDK's class waits for each conversion, the driver for the reset only", async () => {
		const { Recorder } = recorder(() => 0);
		const { Driver, clock } = await loadDriver("tmp117", busRecorder().SMBus, { SDKSensor: Recorder });
		const sensor = new Driver({});
		sensor.configure({ shutdownMode: true });
		sensor.sample();
		assert.equal(clock.now, 3);
	});
});

describe("ccs811", () => {
	const readings: (object | false)[] = [];
	let closes = 0;
	class SDKSensor implements Sensor {
		static problem: string | undefined;
		constructor(options: object) {
			const { onError } = options as { onError(message: string): void };
			if (SDKSensor.problem !== undefined) onError(SDKSensor.problem);
		}
		configure(): void {}
		sample(): object | undefined {
			return readings.shift() as object;
		}
		close(): void {
			closes++;
		}
	}
	const reading = (C02: number, tvoc: number): object => ({
		carbonDioxideGasSensor: { C02 },
		vocSensor: { tvoc },
	});

	test("before it has run in: no value; later: the last one where there is no new one", async () => {
		const { Driver, clock } = await loadDriver("ccs811", class {}, { SDKSensor });
		const sensor = new Driver({ address: 91 });
		sensor.configure({});
		readings.push(reading(400, 0), reading(612, 31), false, reading(700, 40));
		assert.equal(sensor.sample(), undefined);
		clock.now = 1_200_000;
		assert.deepEqual(sensor.sample(), { airQuality: { eCO2: 612, TVOC: 31 } });
		assert.deepEqual(sensor.sample(), { airQuality: { eCO2: 612, TVOC: 31 } });
		// As ticks that wrap around have it
		clock.now = -5;
		assert.deepEqual(sensor.sample(), { airQuality: { eCO2: 700, TVOC: 40 } });
		sensor.close();
		assert.equal(closes, 1);
	});

	test("warmUp of 0: the first reading is a value", async () => {
		const { Driver } = await loadDriver("ccs811", class {}, { SDKSensor });
		const sensor = new Driver({ warmUp: 0 });
		readings.push(reading(450, 7));
		assert.deepEqual(sensor.sample(), { airQuality: { eCO2: 450, TVOC: 7 } });
	});

	test("another chip at the address: the driver fails, with the reason", async () => {
		const { Driver } = await loadDriver("ccs811", class {}, { SDKSensor });
		SDKSensor.problem = "unexpected sensor";
		assert.throws(() => new Driver({}), /CCS811: unexpected sensor/);
		SDKSensor.problem = undefined;
	});
});
