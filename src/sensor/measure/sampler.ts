import type { SensorSettings } from "../../config/types";
import type { Device, Sensor } from "../../device";

const NO_OPTIONS: object = Object.freeze({});

/** One driver, possibly shared by several sensors of the settings. */
class SharedDriver {
	readonly name: string;
	readonly options: object;
	sensor: Sensor | undefined = undefined;
	reading: unknown = undefined;
	/** Whether it was sampled in this round. */
	sampledThisRound = false;

	constructor(name: string, options: object) {
		this.name = name;
		this.options = options;
	}
}

/**
 * Takes samples. Sensors with the same driver and options share the driver and, within a round, its reading.
 * Exceptions of a driver are traced and not passed on; the driver is created anew for the next round.
 */
export class Sampler {
	private readonly device: Pick<Device, "driver" | "trace">;
	private readonly sensors: readonly SensorSettings[];
	/** Driver of each sensor. */
	private readonly drivers: SharedDriver[] = [];

	/** @param firstWithSameDriver for each sensor, the index of the first one that shares its driver */
	constructor(
		device: Pick<Device, "driver" | "trace">,
		sensors: readonly SensorSettings[],
		firstWithSameDriver: readonly number[],
	) {
		this.device = device;
		this.sensors = sensors;
		for (let i = 0; i < sensors.length; i++) {
			const first = firstWithSameDriver[i];
			const sensor = sensors[i];
			this.drivers.push(
				first < i ? this.drivers[first] : new SharedDriver(sensor.driver, sensor.options ?? NO_OPTIONS),
			);
		}
	}

	/** Begins a round, in which each driver is sampled at most once. */
	beginRound(): void {
		const drivers = this.drivers;
		for (let i = 0; i < drivers.length; i++) drivers[i].sampledThisRound = false;
	}

	/** The value of a sensor, not rounded; NaN if the reading failed. Allocates nothing itself; drivers may. */
	sample(index: number): number {
		const driver = this.drivers[index];
		let value: unknown;
		try {
			if (!driver.sampledThisRound) {
				driver.sampledThisRound = true;
				driver.reading = undefined;
				const sensor = driver.sensor ?? this.startDriver(driver);
				driver.reading = sensor.sample();
			}
			value = driver.reading;
			const path = this.sensors[index].property;
			for (let i = 0; i < path.length; i++) {
				if (value === undefined || value === null) return NaN;
				// A getter of the reading may ask the hardware.
				value = (value as { [name: string]: unknown })[path[i]];
			}
		} catch (error) {
			this.device.trace(`sensor ${this.sensors[index].name}: ${textOf(error)}`);
			// A partly initialised driver would not recover, and would keep its pins from the next instance.
			this.closeDriver(driver);
			return NaN;
		}
		if (typeof value === "number") return value - value === 0 ? value : NaN;
		if (value === true) return 1;
		return value === false ? 0 : NaN;
	}

	/** Whether the driver works, and had no reading when it was sampled last. */
	hasNone(index: number): boolean {
		const { sensor, reading } = this.drivers[index];
		return sensor !== undefined && (reading === undefined || reading === null);
	}

	/** Whether two sensors share a driver. */
	shareDriver(one: number, other: number): boolean {
		return this.drivers[one] === this.drivers[other];
	}

	/**
	 * Each driver switches its hardware off, and nothing is left of its reading, which may hold many values;
	 * the next sample creates the driver anew.
	 */
	close(): void {
		const drivers = this.drivers;
		for (let i = 0; i < drivers.length; i++) {
			const driver = drivers[i];
			if (driver.sensor === undefined && driver.reading === undefined) continue;
			driver.reading = undefined;
			this.closeDriver(driver);
		}
	}

	private closeDriver(driver: SharedDriver): void {
		const sensor = driver.sensor;
		driver.sensor = undefined;
		try {
			sensor?.close();
		} catch (error) {
			this.device.trace(`driver ${driver.name}: ${textOf(error)}`);
		}
	}

	private startDriver(driver: SharedDriver): Sensor {
		const Driver = this.device.driver(driver.name);
		if (Driver === undefined) throw new Error(`this build has no driver "${driver.name}"`);
		const sensor = new Driver(driver.options);
		driver.sensor = sensor;
		sensor.configure(driver.options);
		return sensor;
	}
}

/** Of what a driver has thrown, which may be anything. */
function textOf(error: unknown): string {
	try {
		return `${error}`;
	} catch {
		return "an error without a text";
	}
}
