import { readFields } from "./field-reader";
import type { Fields } from "./fields/field";
import { fireflyFields } from "./fields/firefly";
import { sensorFields } from "./fields/sensor";
import type { Section } from "./section";
import { validHomieId } from "./text";
import type { DiscoverySettings, DriverProperty, SensorSettings, WillSettings } from "./types";

/** Node of the Homie convention that all sensors belong to. */
export const HOMIE_NODE = "sensors";

/** Rows of a property in `config.driverProperties`. */
const declaredFields = Object.freeze({
	unit: sensorFields.unit,
	deviceClass: sensorFields.deviceClass,
	decimals: sensorFields.decimals,
	binary: { kind: "choice", choices: [true, false], text: "Whether it is 1 or 0, for on and off." },
} as const satisfies Fields);

/** Why an id cannot be a level of Home Assistant's discovery topic; undefined: it can. */
export function homeAssistantIdProblem(id: string): string | undefined {
	return id.includes(".")
		? "holds a full stop, which Home Assistant's discovery topics do not allow"
		: undefined;
}

/** Why an id or a sensor's name cannot be a level of Homie's topics; undefined: it can. */
export function homieNameProblem(text: string): string | undefined {
	return validHomieId(text.split("{mac}").join("0").split("{chip}").join("0"))
		? undefined
		: "is not lower-case letters, digits and -, as the Homie convention wants it";
}

/** Topic of reports with Homie. */
export function homieTopic(domain: string): string {
	return `${domain}/5/{id}/${HOMIE_NODE}/{sensor}`;
}

/** The will with Homie ("Last Will" of the convention). */
export function homieWill(domain: string): WillSettings {
	return { topic: `${domain}/5/{id}/$state`, payload: "lost", qos: 1, retain: true, delay: 0 };
}

/**
 * `discovery` with the formats that this node can have; the others are traced. Undefined: there are none.
 * @param discovery as configured
 */
export function checkedDiscovery(
	firefly: Section,
	discovery: DiscoverySettings,
	{ id, payload, sensors }: { id: string; payload: string; sensors: readonly SensorSettings[] },
): DiscoverySettings | undefined {
	const fits = (format: string): boolean => {
		if (format === "none") return true;
		const homie = format === "homie";
		const problem = homie ? homieNameProblem(id) : homeAssistantIdProblem(id);
		if (problem !== undefined) return firefly.refuse("id", problem, false);
		if (!homie) return true;
		if (payload !== fireflyFields.payload.default)
			return firefly.refuse("payload", "is none that the Homie convention has", false);
		const wrong = sensors.find(({ name }) => homieNameProblem(name) !== undefined);
		return (
			wrong === undefined ||
			firefly.refuse("sensors", `has the name ${wrong.name}, which Homie does not allow`, false)
		);
	};
	const formats = discovery.formats.filter(fits);
	return formats.length === 0 ? undefined : { ...discovery, formats };
}

/** What the manifest of a sensor's driver says of the property that it reads; undefined: nothing. */
export function driverProperty(
	top: Section,
	{ driver, property }: Pick<SensorSettings, "driver" | "property">,
): DriverProperty | undefined {
	const drivers = "driverProperties";
	const path = property.join(".");
	if (top.value(drivers) === undefined) return undefined;
	const properties = top.section(drivers);
	if (properties.value(driver) === undefined || properties.section(driver).value(path) === undefined)
		return undefined;
	return readFields(properties.section(driver).section(path), declaredFields);
}
