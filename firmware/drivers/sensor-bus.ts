import device from "embedded:provider/builtin";
import type { SensorConstructor } from "../../src/device";

interface BusOptions {
	/** Pins, for a target that names no I²C bus of its own. */
	readonly data?: number;
	readonly clock?: number;
	readonly address?: number;
	readonly hz?: number;
}

/** Options of the SDK's sensor classes for a sensor on the target's I²C bus. */
export function busSensorOptions(options: BusOptions): object {
	return { sensor: { ...device.I2C?.default, io: device.io.SMBus, ...options } };
}

/**
 * The sensor class of the SDK as a driver: it is made from the bus options of the configuration, and answers
 * in the shape of ECMA-419 as it is.
 */
export function busDriver(Sensor: SensorConstructor): SensorConstructor {
	return class extends Sensor {
		constructor(options: BusOptions) {
			super(busSensorOptions(options));
		}
	};
}
