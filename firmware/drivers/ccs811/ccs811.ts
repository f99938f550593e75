import SDKSensor from "embedded:sensor/CarbonDioxideGasSensor-VOCSensor/CCS811";
import Time from "time";
import { type BusOptions, busDriver } from "../sensor-bus";

interface Options extends BusOptions {
	/** Time from the start to the first value, in s. */
	readonly warmUp?: number;
}

/** What the SDK's class returns, misspelt as it is; false: nothing new. */
interface SDKSample {
	readonly carbonDioxideGasSensor: { readonly C02: number };
	readonly vocSensor: { readonly tvoc: number };
}

/** Run-in time in s, at each start (datasheet, "Run-In"). */
const RUN_IN_SECONDS = 1200;

/**
 * `airQuality.eCO2` in ppm, `airQuality.TVOC` in ppb. The sensor measures once a second from its start on;
 * readings fail until it has run in.
 */
export default class extends busDriver(SDKSensor) {
	#startedAt = Time.ticks;
	#warmUpMs: number;
	#last: object | undefined;

	constructor({ warmUp = RUN_IN_SECONDS, ...options }: Options) {
		let problem: string | undefined;
		// The SDK's class closes the bus afterwards.
		super(options, (message) => {
			problem = message;
		});
		if (problem !== undefined) throw new Error(`CCS811: ${problem}`);
		this.#warmUpMs = warmUp * 1000;
	}

	override sample(): object | undefined {
		const sample = super.sample() as SDKSample | false | undefined;
		if (sample) {
			const { carbonDioxideGasSensor, vocSensor } = sample;
			this.#last = { airQuality: { eCO2: carbonDioxideGasSensor.C02, TVOC: vocSensor.tvoc } };
		}
		if (this.#warmUpMs > 0 && Time.delta(this.#startedAt) < this.#warmUpMs) return undefined;
		this.#warmUpMs = 0;
		return this.#last;
	}
}
