import type { SensorSettings } from "../config/types";
import type { Device, Sensor } from "../device";

/** One driver, which may serve several sensors of the settings. */
class Source {
	readonly name: string;
	readonly options: object;
	/** What tells it from others. */
	readonly key: string;
	sensor: Sensor | undefined = undefined;
	reading: unknown = undefined;
	/** Already asked in this round. */
	asked = false;

	constructor(name: string, options: object, key: string) {
		this.name = name;
		this.options = options;
		this.key = key;
	}
}

/** Takes samples. Sensors with the same driver and options share it and, within a round, its reading. A driver that fails never throws from here. */
export class Sampler {
	readonly #device: Pick<Device, "driver" | "trace">;
	readonly #sensors: readonly SensorSettings[];
	/** For each sensor. */
	readonly #sources: Source[] = [];

	constructor(device: Pick<Device, "driver" | "trace">, sensors: readonly SensorSettings[]) {
		this.#device = device;
		this.#sensors = sensors;
		for (const { driver, options = {} } of sensors) {
			const key = `${driver} ${JSON.stringify(options)}`;
			this.#sources.push(this.#sources.find((source) => source.key === key) ?? new Source(driver, options, key));
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
				source.sensor ??= this.#start(source);
				source.reading = source.sensor.sample();
			} catch (error) {
				this.#device.trace(`sensor ${this.#sensors[index].name}: ${error}`);
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
		for (const source of this.#sources) {
			const { sensor } = source;
			source.sensor = undefined;
			try {
				sensor?.close();
			} catch (error) {
				this.#device.trace(`driver ${source.name}: ${error}`);
			}
		}
	}

	#start(source: Source): Sensor {
		const Driver = this.#device.driver(source.name);
		if (Driver === undefined) throw new Error(`this build has no driver "${source.name}"`);
		const sensor = new Driver(source.options);
		sensor.configure(source.options);
		return sensor;
	}
}
