import { deepFreeze } from "../deep-freeze";
import { LONGEST_MS, limits } from "../limits";
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
		text: "Unit, for people and home automation. At most 32 bytes.",
		detail: ['With discovery, the unit that the driver declares when left out; "" for none, as a pH has.'],
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
	table: {
		kind: "points",
		maximum: limits.points,
		text: "Calibration by points: what the driver measures, and what it really is; linear between them. 2 to 16 points, in ascending order of what is measured.",
		detail: [
			"Before the first and after the last point, the nearest two go on as a line.",
			"A value is taken through table, then times scale, then plus offset; delta and decimals apply to the result.",
		],
		examples: [
			[
				[0, 0.4],
				[50, 49.1],
				[100, 98.7],
			],
		],
	},
	scale: {
		kind: "decimal",
		minimum: -1e9,
		maximum: 1e9,
		text: "Factor of the value, for calibration and for another unit: 0.01 makes hPa of Pa.",
		examples: [0.01],
	},
	offset: {
		kind: "decimal",
		minimum: -1e9,
		maximum: 1e9,
		text: "Added to the value, in the sensor's unit.",
		detail: ["Calibrated values may have many digits: decimals rounds them."],
		examples: [-0.4],
	},
	wake: {
		kind: "choice",
		choices: [true, false],
		text: "Whether a change of the sensor's pin wakes the node from deep sleep, and is reported at once.",
		detail: [
			"For a driver with a pin, such as `digital`, whose values are 0 and 1; two pins at most, and not every pin can (docs/drivers.md).",
			"sleep.pinWakeLimit limits how often.",
		],
		examples: [true],
	},
	every: {
		kind: "duration",
		minimum: 100,
		maximum: LONGEST_MS,
		default: 60_000,
		settable: true,
		text: "Time from one value to the next; between samples, if a value is a single sample.",
	},
	samples: {
		kind: "count",
		minimum: 1,
		maximum: 60,
		default: 1,
		text: "Samples that a value stands for.",
		detail: [
			"Failed ones are left out; a value fails when all of them have failed. What has been sampled survives sleep.",
		],
		examples: [5],
	},
	aggregate: {
		kind: "choice",
		choices: ["mean", "median", "min", "max", "last"],
		default: "mean",
		text: "What is made of the samples of a value.",
	},
	spacing: {
		kind: "duration",
		minimum: 5,
		maximum: LONGEST_MS,
		text: 'Time between the samples of a value; when left out they are spread evenly over "every".',
		detail: [
			"Up to 250ms the node stays awake for the next sample, without Wi-Fi, during the first half of awakeLimit; otherwise it sleeps until then.",
			"The samples of a value must be over before the next value begins.",
		],
		examples: ["50ms"],
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
