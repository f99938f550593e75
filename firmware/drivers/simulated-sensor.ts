import { announceSimulation, panelReading } from "firmware/platform/readings";
import type { SensorConstructor } from "../../src/device";
import VirtualSensor from "./virtual/virtual";

/** What a sensor measures: the part of a property before its dot. */
export type Quantity = "thermometer" | "hygrometer" | "barometer" | "battery";

type Sample = { [quantity in Quantity]: { [property: string]: number } };

/**
 * Makes the stand-in of a driver where there is no bus: readings come from the panel's sliders, and until
 * these are moved from the curve of the virtual driver.
 * @param driver its name, for the console
 * @param quantities those that the sensor itself measures
 */
export function simulatedSensor(driver: string, quantities: readonly Quantity[]): SensorConstructor {
	return class extends VirtualSensor {
		constructor(options: object) {
			super(options);
			announceSimulation(driver);
		}

		override sample(): object {
			const curve = super.sample() as Sample;
			const sample: Partial<Sample> = {};
			for (const quantity of quantities) {
				const group = curve[quantity];
				for (const property of Object.keys(group)) {
					const reading = panelReading(`${quantity}.${property}`);
					if (reading !== undefined) group[property] = reading;
				}
				sample[quantity] = group;
			}
			return sample;
		}
	};
}
