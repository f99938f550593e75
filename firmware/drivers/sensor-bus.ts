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

/** Adds to a sensor's options where it is: on the target's bus, or on one with other pins. */
function placeOnBus<Own extends object>(own: Own, options: BusOptions): Own & BusOptions {
	const board = device.I2C?.default;
	const sensor: Own & { -readonly [key in keyof BusOptions]: BusOptions[key] } = Object.assign(
		own,
		board,
		options,
	);
	// The target's controller is for its own bus: for other pins the SDK takes one that is free.
	if (options.port === undefined && (sensor.data !== board?.data || sensor.clock !== board?.clock))
		delete sensor.port;
	return sensor;
}

/** A bus with one device, the SDK's SMBus class. Its methods throw if the device does not acknowledge. */
export interface Bus {
	write(bytes: Uint8Array): void;
	/** Fills `buffer`. */
	read(buffer: Uint8Array): void;
	/** Writes one byte. */
	sendByte(command: number): void;
	readUint8(register: number): number;
	writeUint8(register: number, value: number): void;
	readUint16(register: number, bigEndian: boolean): number;
	writeUint16(register: number, value: number, bigEndian: boolean): void;
	/** Fills `buffer` with the registers from `register` on. */
	readBuffer(register: number, buffer: Uint8Array): void;
	close(): void;
}

/** Clock rate in Hz that every device on an I²C bus can do. */
const STANDARD_HZ = 100_000;

/**
 * A sensor on a bus without a class of the SDK. The constructor only opens the bus, and `configure` is the
 * first to speak to the sensor: the SDK opens an address once, and what a constructor has opened before it
 * throws stays open, so that the sensor could not be tried again.
 */
export abstract class BusSensor implements Sensor {
	protected readonly bus: Bus;

	/** @param address where the options have none */
	constructor(options: BusOptions, address: number) {
		this.bus = new (device.io.SMBus as SMBus)(placeOnBus({ hz: STANDARD_HZ, address }, options));
	}

	abstract configure(options: object): void;
	abstract sample(): object | undefined;

	close(): void {
		this.bus.close();
	}
}

/**
 * Waits for at least so many ms, fractions included. The SDK's delay ends with a tick of FreeRTOS, 1 ms each,
 * of which the first one has begun already.
 */
export function wait(ms: number): void {
	Timer.delay(Math.ceil(ms) + 1);
}

type SMBus = new (options: object) => Bus;

/**
 * The SDK's bus, which its sensor classes open; it is noted in the object that the options name, which they
 * hand on. One class for all: one for each sensor would take memory at each wake.
 */
class NotedBus {
	constructor(options: BusOptions & { readonly noteIn: { bus: Bus | undefined } }) {
		const bus = new (device.io.SMBus as SMBus)(options);
		options.noteIn.bus = bus;
		// biome-ignore lint/correctness/noConstructorReturn: the SDK's class is to hold the SDK's bus itself
		return bus;
	}
}

/**
 * Makes a driver of a sensor class of the SDK: its constructor takes the bus options of the configuration,
 * and the class's `onError`; samples already have the shape that ECMA-419 specifies. The bus is closed also
 * if the SDK's class throws before it does so: in its constructor, which speaks to the sensor, or in `close`,
 * which switches some sensors off first.
 * @param settlingMs time, in ms, from `configure` to the end of the first measurement, by the datasheet. The
 *   SDK's classes reset the sensor when they are created, which is at each wake; until then it answers with
 *   what its registers hold after a reset, or not at all.
 */
export function busDriver(
	SDKSensor: SensorConstructor,
	settlingMs: (options: object) => number = () => 0,
): new (
	options: object,
	onError?: (message: string) => void,
) => Sensor {
	return class implements Sensor {
		readonly #sensor: Sensor;
		bus: Bus | undefined = undefined;
		#settlingMs = 0;

		constructor(options: BusOptions, onError?: (message: string) => void) {
			const sensor = placeOnBus({ io: NotedBus, noteIn: this }, options);
			try {
				this.#sensor = new SDKSensor({ sensor, onError });
			} catch (error) {
				this.bus?.close();
				throw error;
			}
		}

		configure(options: object): void {
			this.#sensor.configure(options);
			this.#settlingMs = settlingMs(options);
		}

		sample(): object | undefined {
			const ms = this.#settlingMs;
			if (ms > 0) {
				this.#settlingMs = 0;
				wait(ms);
			}
			return this.#sensor.sample();
		}

		close(): void {
			try {
				this.#sensor.close();
			} finally {
				this.bus?.close();
			}
		}
	};
}
