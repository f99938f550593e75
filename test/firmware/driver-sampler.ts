import type { SensorConstructor } from "../../src/device";
import { Sampler } from "../../src/sensor/measure/sampler";
import { settings } from "../sensor/support/test-board";

/** The node's sampler with one driver: what a reading is, and what a failure does to the driver. */
export class DriverSampler {
	/** What it has traced, since the last sample. */
	traces: string[] = [];
	readonly #sampler: Sampler;
	readonly #count: number;

	/** @param properties paths in the driver's samples */
	constructor(Driver: SensorConstructor, properties: readonly string[], options: object = {}) {
		const { sensors } = settings({
			sensors: properties.map((path) => ({ name: "s", driver: "d", options, property: path.split(".") })),
		});
		const device = { driver: () => Driver, trace: (text: string) => void this.traces.push(text) };
		this.#sampler = new Sampler(
			device,
			sensors,
			properties.map(() => 0),
		);
		this.#count = properties.length;
	}

	/** One sample. @returns the properties; NaN where the reading failed */
	sample(): number[] {
		this.traces = [];
		this.#sampler.beginRound();
		return Array.from({ length: this.#count }, (_, index) => this.#sampler.sample(index));
	}

	close(): void {
		this.#sampler.close();
	}
}
