import { deepFreeze } from "../deep-freeze";
import { deviceTextProblem, homieIdProblem, prefixProblem } from "../validators";
import type { Fields } from "./field";

/** How the node announces itself and its sensors to home automation. */
export const discoveryFields = deepFreeze({
	formats: {
		kind: "choices",
		choices: ["homeassistant", "homie", "none"],
		text: '"homeassistant", "homie" (the Homie convention, version 5), or both in a list; "none" takes back what the node has announced.',
		examples: ["homeassistant", "homie"],
	},
	prefix: {
		kind: "text",
		check: prefixProblem,
		default: "homeassistant",
		text: "Discovery prefix, as it is set in Home Assistant. At most 64 bytes.",
	},
	domain: {
		kind: "text",
		check: homieIdProblem,
		default: "homie",
		text: "Homie domain, the first level of its topics: lower-case letters, digits and -.",
	},
	name: {
		kind: "text",
		check: deviceTextProblem,
		default: "{id}",
		text: "Name of the device for people. Placeholders: {mac}, {chip}, {id}. At most 64 bytes.",
		examples: ["Greenhouse"],
	},
	manufacturer: {
		kind: "text",
		check: deviceTextProblem,
		default: "Firefly",
		text: "Manufacturer of the device. At most 64 bytes.",
	},
	model: {
		kind: "text",
		check: deviceTextProblem,
		default: "{chip}",
		text: "Model of the device. Placeholders: {mac}, {chip}, {id}. At most 64 bytes.",
	},
	area: {
		kind: "text",
		check: deviceTextProblem,
		text: "Area that Home Assistant suggests for the device. At most 64 bytes.",
		examples: ["Garden"],
	},
} as const satisfies Fields);
