import Thermistor from "embedded:sensor/Temperature/NTC_Thermistor";
import type { Sensor } from "../../../src/device";
import type { AnalogPin } from "../analog-pin";
import { openPin } from "../analog-pin";

interface ThermistorOptions {
	readonly pin: number;
}

/**
 * `thermometer.temperature` in °C, from a thermistor in a divider; `configure` takes the SDK's options
 * (`beta`, `series_resistance` …).
 */
export default class implements Sensor {
	#analog: AnalogPin;
	#thermistor: Sensor;

	constructor({ pin }: ThermistorOptions) {
		const analog = openPin(pin);
		// The SDK's driver creates its input and never closes it: it is given one that this class closes.
		class Input {
			constructor() {
				// biome-ignore lint/correctness/noConstructorReturn: the driver is to hold this very input
				return analog;
			}
		}
		this.#analog = analog;
		this.#thermistor = new Thermistor({ sensor: { io: Input } });
	}

	configure(options: object): void {
		this.#thermistor.configure(options);
	}

	sample(): object | undefined {
		const thermometer = this.#thermistor.sample();
		return thermometer && { thermometer };
	}

	close(): void {
		this.#analog.close();
	}
}
