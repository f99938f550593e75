import device from "embedded:provider/builtin";
import Timer from "timer";
import type { Sensor, SensorConstructor } from "../../src/device";

export interface BusOptions {
	/** Pins, for a target without a default I²C bus. */
	readonly data?: number;
	readonly clock?: number;
	/** Number of the chip's controller. */
	readonly port?: number;
	readonly address?: number;
	readonly hz?: number;
}

/** Options of the SDK's sensor classes for a sensor on an I²C bus: the target's, or one with other pins. */
export function busSensorOptions(options: BusOptions): { readonly sensor: BusSensorOptions } {
	const board = device.I2C?.default;
	const { port, ...sensor } = { ...board, io: device.io.SMBus, ...options };
	// The target's controller is for its own bus: for other pins the SDK takes one that is free.
	const isOther =
		options.port === undefined && (sensor.data !== board?.data || sensor.clock !== board?.clock);
	return { sensor: isOther || port === undefined ? sensor : { ...sensor, port } };
}

interface BusSensorOptions extends BusOptions {
	readonly io: typeof device.io.SMBus;
}

/**
 * Makes a driver of a sensor class of the SDK: its constructor takes the bus options of the configuration;
 * samples already have the shape that ECMA-419 specifies.
 * @param settlingMs time, in ms, from `configure` to the end of the first measurement, by the datasheet. The
 *   SDK's classes reset the sensor when they are created, which is at each wake; until then it answers with
 *   what its registers hold after a reset, or not at all.
 */
export function busDriver(
	SDKSensor: SensorConstructor,
	settlingMs: (options: object) => number = () => 0,
): SensorConstructor {
	return class extends SDKSensor implements Sensor {
		#settlingMs = 0;

		constructor(options: BusOptions) {
			super(busSensorOptions(options));
		}

		override configure(options: object): void {
			super.configure(options);
			this.#settlingMs = Math.ceil(settlingMs(options));
		}

		override sample(): object | undefined {
			const ms = this.#settlingMs;
			if (ms > 0) {
				this.#settlingMs = 0;
				Timer.delay(ms);
			}
			return super.sample();
		}
	};
}
