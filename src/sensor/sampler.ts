import type { SensorSettings } from "../config/types";
import type { Device, Sensor } from "../device";

/** One driver, which may serve several sensors of the settings. */
class Source {
	readonly name: string;
	readonly options: object;
	sensor: Sensor | undefined = undefined;
	reading: unknown = undefined;
	/** Already asked in this round. */
	asked = false;

	constructor(name: string, options: object) {
		this.name = name;
		this.options = options;
	}
}

/** Takes samples. Sensors with the same driver and options share it and, within a round, its reading. A driver that fails never throws from here, and is started anew for the next round. */
export class Sampler {
	readonly #device: Pick<Device, "driver" | "trace">;
	readonly #sensors: readonly SensorSettings[];
	/** For each sensor. */
	readonly #sources: Source[] = [];

	/** @param sources for each sensor, the index of the first one that shares its driver */
	constructor(device: Pick<Device, "driver" | "trace">, sensors: readonly SensorSettings[], sources: readonly number[]) {
		this.#device = device;
		this.#sensors = sensors;
		for (let i = 0; i < sensors.length; i++) {
			const first = sources[i];
			const { driver, options } = sensors[i];
			this.#sources.push(first < i ? this.#sources[first] : new Source(driver, options ?? {}));
		}
	}

	/** Begins a round: drivers are asked anew. */
	begin(): void {
		const sources = this.#sources;
		for (let i = 0; i < sources.length; i++) sources[i].asked = false;
	}

	/** The value of a sensor, not rounded; NaN when there is none. Allocates nothing but what the driver does. */
	sample(index: number): number {
		const source = this.#sources[index];
		if (!source.asked) {
			source.asked = true;
			source.reading = undefined;
			try {
				const sensor = source.sensor ?? this.start(source);
				source.reading = sensor.sample();
			} catch (error) {
				this.#device.trace(`sensor ${this.#sensors[index].name}: ${error}`);
				// Half set up or in an unknown state it would stay so, and keep its pins from the next one.
				this.shut(source);
			}
		}
		let value = source.reading;
		const path = this.#sensors[index].property;
		for (let i = 0; i < path.length; i++) {
			if (value === undefined || value === null) return NaN;
			value = (value as { [name: string]: unknown })[path[i]];
		}
		if (value === true) return 1;
		if (value === false) return 0;
		return typeof value === "number" && value - value === 0 ? value : NaN;
	}

	/** Before sleep: lets every driver switch its hardware off. */
	close(): void {
		for (let i = 0; i < this.#sources.length; i++) this.shut(this.#sources[i]);
	}

	private shut(source: Source): void {
		const { sensor } = source;
		source.sensor = undefined;
		try {
			sensor?.close();
		} catch (error) {
			this.#device.trace(`driver ${source.name}: ${error}`);
		}
	}

	private start(source: Source): Sensor {
		const Driver = this.#device.driver(source.name);
		if (Driver === undefined) throw new Error(`this build has no driver "${source.name}"`);
		const sensor = new Driver(source.options);
		source.sensor = sensor;
		sensor.configure(source.options);
		return sensor;
	}
}
