import { deepFreeze } from "../deep-freeze";
import { LONGEST_MS } from "../limits";
import { nameProblem } from "../validators";
import type { Fields } from "./field";

export const batteryFields = deepFreeze({
	sensor: {
		kind: "text",
		check: nameProblem,
		required: true,
		pattern: "^[A-Za-z0-9._-]{1,32}$",
		text: "Name of the sensor that measures the battery; low, empty and recovery are in its unit.",
		examples: ["battery"],
	},
	low: {
		kind: "decimal",
		minimum: 0,
		maximum: 1000,
		default: 3.5,
		text: "Below this the battery is low: all sensors are sampled more rarely, by slowdown.",
		detail: ["The default is for a lithium-ion cell, in volts."],
	},
	slowdown: {
		kind: "count",
		minimum: 1,
		maximum: 100,
		default: 4,
		text: 'How many times longer than "every" the time between values is with a low battery.',
	},
	empty: {
		kind: "decimal",
		minimum: 0,
		maximum: 1000,
		default: 3.2,
		text: "Below this the battery is empty: after a last report the node sleeps without Wi-Fi.",
		detail: ["One try is made for the last report. Then only the battery is measured, each checkEvery."],
	},
	recovery: {
		kind: "decimal",
		minimum: 0,
		maximum: 1000,
		default: 0.1,
		text: "How far above low or empty the battery must be to count as charged again.",
	},
	checkEvery: {
		kind: "duration",
		minimum: 60_000,
		maximum: LONGEST_MS,
		default: 21_600_000,
		text: "Time between measurements of an empty battery.",
	},
} as const satisfies Fields);
