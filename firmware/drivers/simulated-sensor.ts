import { announceSimulation, panelReading } from "firmware/platform/readings";
import type { SensorConstructor } from "../../src/device";
import VirtualSensor from "./virtual/virtual";

/** What the virtual driver measures: the part of a property before its dot. */
export type Quantity = "thermometer" | "hygrometer" | "barometer" | "battery";

type Group = { [property: string]: number };
type Sample = { [quantity in Quantity]: Group };

/** Means of the properties that the virtual driver does not have. */
type Means = { readonly [quantity: string]: { readonly [property: string]: number } };

/** How far readings without a curve of their own follow that of the temperature: so much of the mean a °C. */
const SHARE_PER_DEGREE = 0.02;
/** °C at which these readings have their mean. */
const MEAN_TEMPERATURE = 20;

/**
 * Makes the stand-in of a driver where there is no bus: readings come from the panel's sliders, and until
 * these are moved from the curve of the virtual driver.
 * @param driver its name, for the console
 * @param quantities those of the virtual driver that the sensor itself measures
 * @param others what it measures besides
 */
export function simulatedSensor(
	driver: string,
	quantities: readonly Quantity[],
	others: Means = {},
): SensorConstructor {
	return class extends VirtualSensor {
		constructor(options: object) {
			super(options);
			announceSimulation(driver);
		}

		override sample(): object {
			const curve = super.sample() as Sample;
			const sample: { [quantity: string]: Group } = {};
			for (const quantity of quantities) sample[quantity] = held(quantity, curve[quantity]);
			const { temperature } = curve.thermometer;
			const factor = 1 + (temperature - MEAN_TEMPERATURE) * SHARE_PER_DEGREE;
			for (const quantity of Object.keys(others)) {
				const group: Group = {};
				for (const property of Object.keys(others[quantity]))
					group[property] = others[quantity][property] * factor;
				sample[quantity] = held(quantity, group);
			}
			return sample;
		}
	};
}

/** Puts in the readings that sliders hold. */
function held(quantity: string, group: Group): Group {
	for (const property of Object.keys(group)) {
		const reading = panelReading(`${quantity}.${property}`);
		if (reading !== undefined) group[property] = reading;
	}
	return group;
}
