import type { JSONObject } from "../../../sim/manifest/manifest-reader";
import { answersOf, commandedBoards } from "../command-answers";
import { commandsTo, variantsOf } from "../command-plan";
import { answerTopic } from "../commander";
import type { Check } from "./check";
import { clock } from "./reports";

/** An answer goes to the response topic of its command, with its correlation data; else to that for all. */
export const answersGoWhereAsked: Check = {
	name: "answers go to the response topics of their commands",
	run(run) {
		const failures: string[] = [];
		for (const board of commandedBoards(run)) {
			const { name } = board;
			// MQTT 3.1.1 brings a node neither
			const mayNotKnow = variantsOf(run.plan, board).some(
				({ firefly }) => (firefly.broker as JSONObject).version === 4,
			);
			const byId = new Map(commandsTo(run.plan, name).map((command) => [command.id, command]));
			for (const { id, topic, correlation, time, state } of answersOf(run, name)) {
				const response = id === undefined ? undefined : byId.get(id)?.response;
				const isUsual = topic === answerTopic(name) && correlation === undefined;
				const isAsked =
					response !== undefined && topic === response.topic && correlation === response.correlation;
				// What becomes of an image is told later, to all (docs/update.md)
				const isOutcome = state === "running" || state === "failed";
				if (isAsked || (isUsual && (response === undefined || mayNotKnow || isOutcome))) continue;
				failures.push(
					`${name} answers ${id} at ${clock(time)} to ${topic} ${correlation}, not to ${JSON.stringify(response)}`,
				);
			}
		}
		return failures.slice(0, 3);
	},
};
