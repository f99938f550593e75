import { deepFreeze } from "../deep-freeze";
import type { Fields } from "./field";

export const updateFields = deepFreeze({
	awakeLimit: {
		kind: "duration",
		minimum: 10_000,
		maximum: 1_800_000,
		default: 300_000,
		text: "Longest time to fetch an image, in place of sleep.awakeLimit, counted from the start of the fetch.",
		detail: [
			"With the radio on it takes about 0.1 mAh in 4 seconds, 8 mAh in the default. docs/update.md has more.",
		],
	},
	tries: {
		kind: "count",
		unit: "tries",
		minimum: 1,
		maximum: 100,
		default: 3,
		text: "How often an image is fetched from the start, one try after a report each, before the update is given up.",
		detail: ["An image that is wrong, or that the server does not have, is not fetched again."],
	},
	trialWakes: {
		kind: "count",
		unit: "wakes",
		minimum: 1,
		maximum: 100,
		default: 5,
		text: "Wakes in which a new image may try in vain to report, after which the chip returns to the image before.",
		detail: [
			"A crash, a watchdog, a reset or a loss of power before its first report ends the trial at once.",
		],
	},
} as const satisfies Fields);
