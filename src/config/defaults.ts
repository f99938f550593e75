import { deepFreeze } from "./deep-freeze";
import { readFields } from "./field-reader";
import { willFields } from "./fields/broker";
import { sensorFields } from "./fields/sensor";
import { Section } from "./section";
import { readTemplate } from "./settings";

const nothing = new Section({}, "", () => {});
const { broker, ...settings } = readTemplate({}, () => {});
const { name: _name, driver: _driver, ...sensor } = readFields(nothing, sensorFields);

/** Values used where the configuration has none, read from the rows of `fields/`. For the desk. */
export const defaults = deepFreeze({
	...settings,
	broker: { ...broker, clientId: "{id}" },
	will: readFields(nothing, willFields),
	sensor,
});
