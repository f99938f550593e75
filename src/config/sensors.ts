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
		const { property, spacing, ...values } = readFields(section, fields);
		if (values.name === "" || values.driver === "") continue;
		if (sensors.some(({ name }) => name === values.name))
			section.refuse("name", "names another sensor too", undefined);
		else {
			const sensor = {
				...values,
				property: property === undefined ? [values.name] : property.split("."),
				...spacingOf(section, values, spacing),
			};
			const declared = drivers === undefined ? undefined : driverProperty(drivers, sensor);
			sensors.push(declared === undefined ? sensor : { ...sensor, declared });
		}
	}
	return sensors;
}

/** The time between the samples of a value, if it has several. */
function spacingOf(
	section: Section,
	{ samples, every }: Pick<SensorSettings, "samples" | "every">,
	configured: number | undefined,
): Pick<SensorSettings, "spacing"> {
	if (samples === 1) return {};
	const spread = every / samples;
	if (configured === undefined || (samples - 1) * configured < every)
		return { spacing: configured ?? spread };
	return { spacing: section.refuse("spacing", `times ${samples - 1} is not less than every`, spread) };
}
