import { deepFreeze } from "../deep-freeze";
import { LONGEST_MS } from "../limits";
import { iconProblem, nameProblem, propertyProblem, unitProblem } from "../validators";
import type { Fields } from "./field";

const NAME = "^[A-Za-z0-9._-]{1,32}$";

export const sensorFields = deepFreeze({
	name: {
		kind: "text",
		check: nameProblem,
		required: true,
		pattern: NAME,
		text: "Name, used for {sensor} and in JSON reports: 1 to 32 letters, digits, - _ .",
		detail: ["Each sensor has a name of its own."],
		examples: ["temperature"],
	},
	driver: {
		kind: "text",
		check: nameProblem,
		required: true,
		pattern: NAME,
		text: 'Driver: one that is included; in the simulator also "replay". docs/drivers.md has those of Firefly.',
		examples: ["sht3x"],
	},
	options: {
		kind: "object",
		text: "Handed to the driver, which declares what there is: docs/drivers.md.",
		detail: ["Its constructor and its configure() get them."],
		examples: [{}],
	},
	property: {
		kind: "text",
		check: propertyProblem,
		text: "Where the value is in the driver's sample, names joined by dots; the sensor's name when left out. docs/drivers.md has those of each driver.",
		examples: ["thermometer.temperature"],
	},
	unit: {
		kind: "text",
		check: unitProblem,
		text: "Unit, for people and home automation. 1 to 32 bytes.",
		detail: ["With discovery, the unit that the driver declares when left out."],
		examples: ["°C"],
	},
	deviceClass: {
		kind: "text",
		check: nameProblem,
		text: "Home Assistant's device class, with discovery; the one that the driver declares when left out.",
		examples: ["temperature"],
	},
	stateClass: {
		kind: "choice",
		choices: ["measurement", "measurement_angle", "total", "total_increasing", "none"],
		text: "Home Assistant's state class, with discovery; when left out, the one that suits the device class.",
		detail: ['"none": Home Assistant keeps no statistics.'],
	},
	icon: {
		kind: "text",
		check: iconProblem,
		pattern: "^[a-z0-9-]+:[a-z0-9-]+$",
		text: "Icon in Home Assistant, with discovery; that of the device class when left out.",
		examples: ["mdi:sprout"],
	},
	every: {
		kind: "duration",
		minimum: 100,
		maximum: LONGEST_MS,
		default: 60_000,
		settable: true,
		text: "Time between samples.",
	},
	grid: {
		kind: "choice",
		choices: [true, false],
		default: false,
		settable: true,
		text: 'Whether samples are taken at whole multiples of "every" in wall time.',
	},
	delta: {
		kind: "decimal",
		minimum: 0,
		maximum: 1e9,
		settable: true,
		text: "Deadband in the sensor's unit: a value closer than this to the last one reported is not reported.",
		examples: [0.2],
	},
	heartbeat: {
		kind: "duration",
		minimum: 100,
		maximum: LONGEST_MS,
		settable: true,
		text: 'A value is reported after this time though it stayed within "delta".',
		examples: ["15m"],
	},
	decimals: {
		kind: "count",
		unit: "digits",
		minimum: 0,
		maximum: 6,
		settable: true,
		text: "Digits after the decimal point; as many as the value needs when left out.",
		detail: ["They are published also where they are zeros."],
		examples: [1],
	},
	qos: {
		kind: "choice",
		choices: [0, 1, 2],
		default: 1,
		settable: true,
		text: "Quality of service: 0 at most once, 1 at least once, 2 exactly once, which needs a session that the broker keeps, and twice as many round trips.",
	},
	retain: {
		kind: "choice",
		choices: [true, false],
		default: true,
		settable: true,
		text: "Whether the broker keeps the value for later subscribers.",
	},
} as const satisfies Fields);
