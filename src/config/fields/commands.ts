import { deepFreeze } from "../deep-freeze";
import { deviceTopicProblem } from "../validators";
import type { Fields } from "./field";

export const commandFields = deepFreeze({
	topic: {
		kind: "text",
		check: deviceTopicProblem,
		default: "firefly/{id}/command",
		text: "Topic that the node subscribes to. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.",
		detail: ["Several nodes may share one: each takes its commands in a session of its own."],
	},
	answer: {
		kind: "text",
		check: deviceTopicProblem,
		default: "firefly/{id}/answer",
		text: "Topic of answers to commands that name no response topic. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.",
	},
	trialWakes: {
		kind: "count",
		unit: "wakes",
		minimum: 1,
		maximum: 100,
		default: 5,
		text: "Wakes in a row that tried to report in vain, after which settings of the command set are given up for those before.",
		detail: ["The next report carries an answer that says so."],
	},
} as const satisfies Fields);
