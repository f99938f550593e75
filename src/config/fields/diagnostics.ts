import { deepFreeze } from "../deep-freeze";
import { LONGEST_MS } from "../limits";
import { deviceTopicProblem } from "../validators";
import type { Fields } from "./field";

export const diagnosticsFields = deepFreeze({
	every: {
		kind: "duration",
		minimum: 60_000,
		maximum: LONGEST_MS,
		default: 3_600_000,
		text: "Time from one message to the next.",
		detail: [
			"It goes along with reports up to a quarter of this time early, and raises Wi-Fi itself only when it is due.",
		],
	},
	topic: {
		kind: "text",
		check: deviceTopicProblem,
		default: "firefly/{id}/diagnostics",
		pattern: "^[^$#+][^#+]*$",
		text: "Topic of the message, which the broker retains. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.",
	},
} as const satisfies Fields);
