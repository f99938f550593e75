import device from "embedded:provider/builtin";
import type { SensorConstructor } from "../../src/device";

interface BusOptions {
	/** Pins, for a target without a default I²C bus. */
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
 * Makes a driver of a sensor class of the SDK: its constructor takes the bus options of the configuration;
 * samples already have the shape that ECMA-419 specifies.
 */
export function busDriver(Sensor: SensorConstructor): SensorConstructor {
	return class extends Sensor {
		constructor(options: BusOptions) {
			super(busSensorOptions(options));
		}
	};
}
