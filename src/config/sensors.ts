import { driverProperty } from "./discovery";
import { readFields } from "./field-reader";
import { fireflyFields } from "./fields/firefly";
import type { Section } from "./section";
import type { SensorSettings } from "./types";

/**
 * The sensors of `config.firefly`; a sensor without a valid name or driver is left out.
 * @param drivers `mc/config`, if what drivers declare is wanted
 */
export function readSensors(firefly: Section, drivers: Section | undefined): readonly SensorSettings[] {
	const { fields, maximum } = fireflyFields.sensors;
	const sensors: SensorSettings[] = [];
	for (const section of firefly.list("sensors", maximum)) {
		const { property, ...values } = readFields(section, fields);
		if (values.name === "" || values.driver === "") continue;
		if (sensors.some(({ name }) => name === values.name))
			section.refuse("name", "names another sensor too", undefined);
		else {
			const sensor = { ...values, property: property === undefined ? [values.name] : property.split(".") };
			const declared = drivers === undefined ? undefined : driverProperty(drivers, sensor);
			sensors.push(declared === undefined ? sensor : { ...sensor, declared });
		}
	}
	return sensors;
}
