import type { SensorSettings } from "./types";

/**
 * Whether home automation shows the values of a sensor as on or off: its driver declares them as 1 or 0, and
 * nothing that is configured makes other numbers of them.
 */
export function isBinary(sensor: SensorSettings): boolean {
	const { declared, unit, stateClass, table, scale, offset, samples, aggregate, decimals = 0 } = sensor;
	if (declared?.binary !== true || unit !== undefined || stateClass !== undefined) return false;
	if (table !== undefined || scale !== undefined || offset !== undefined || decimals > 0) return false;
	return samples === 1 || (aggregate !== "mean" && aggregate !== "median");
}

/** Unit of a sensor's values, its own or the one that its driver declares; undefined: they have none. */
export function unitOf({ unit, declared }: SensorSettings): string | undefined {
	const known = unit ?? declared?.unit;
	return known === "" ? undefined : known;
}

/** Home Assistant's device class of a sensor; what a driver declares for on and off suits no number. */
export function deviceClassOf(sensor: SensorSettings): string | undefined {
	const { deviceClass, declared } = sensor;
	if (deviceClass !== undefined) return deviceClass;
	return declared?.binary === true && !isBinary(sensor) ? undefined : declared?.deviceClass;
}
