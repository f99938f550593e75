import { defaults } from "./defaults";
import { ranges } from "./ranges";
import type { Section } from "./section";
import type { SensorSettings } from "./types";
import { nameProblem, propertyProblem, unitProblem } from "./validators";

/** The sensors of `config.firefly`; a sensor without a valid name or driver is left out. */
export function readSensors(firefly: Section): readonly SensorSettings[] {
	const sensors: SensorSettings[] = [];
	for (const section of firefly.list("sensors", ranges.sensors)) {
		const sensor = readSensor(section);
		if (sensor === undefined) continue;
		if (sensors.some((other) => other.name === sensor.name))
			section.refuse("name", "names another sensor too", undefined);
		else sensors.push(sensor);
	}
	return sensors;
}

function readSensor(section: Section): SensorSettings | undefined {
	if (section.value("name") === undefined) return section.refuse("name", "is missing", undefined);
	if (section.value("driver") === undefined) return section.refuse("driver", "is missing", undefined);
	const name = section.string("name", undefined, nameProblem);
	const driver = section.string("driver", undefined, nameProblem);
	if (name === undefined || driver === undefined) return undefined;
	const options = section.object("options");
	const property = section.string("property", undefined, propertyProblem);
	const unit = section.string("unit", undefined, unitProblem);
	const delta = section.number("delta", undefined, ranges.sensor.delta);
	const heartbeat = section.duration("heartbeat", undefined, ranges.sensor.heartbeat);
	const decimals = section.integer("decimals", undefined, ranges.sensor.decimals);
	return {
		name,
		driver,
		...(options === undefined ? {} : { options }),
		property: property === undefined ? [name] : property.split("."),
		...(unit === undefined ? {} : { unit }),
		every: section.duration("every", defaults.sensor.every, ranges.sensor.every),
		grid: section.choice("grid", defaults.sensor.grid, [true, false]),
		...(delta === undefined ? {} : { delta }),
		...(heartbeat === undefined ? {} : { heartbeat }),
		...(decimals === undefined ? {} : { decimals }),
		qos: section.choice("qos", defaults.sensor.qos, [0, 1]),
		retain: section.choice("retain", defaults.sensor.retain, [true, false]),
	};
}
