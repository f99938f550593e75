import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { type CommandPlan, type ResponsePlan, replyTopic } from "./command-plan";
import { Draw } from "./draw";
import type { BoardPlan, SeedPlan } from "./seed-plan";

/** Share of the seeds with commands over MQTT 5.0 whose answers go elsewhere, and of these commands. */
const SHARE = 0.6;
const COMMANDS = 0.6;
/** Longest payload beside which these properties fit any node's buffer, bytes. */
const LONGEST_PAYLOAD = 250;
/** Topics, so that some commands share theirs. */
const TOPICS = 3;

/** Commands with a response topic, and most of them with correlation data. */
export function addResponseTopics(plan: SeedPlan): SeedPlan {
	const { commands } = plan;
	if (commands?.client.version !== 5) return plan;
	const draw = new Draw(plan.seed, "response topics");
	if (!draw.chance(SHARE)) return plan;
	const responses = new Map<number, ResponsePlan | undefined>();
	const withResponse = (command: CommandPlan): CommandPlan => {
		const { id, node, payload } = command;
		if (id === undefined || payload.length > LONGEST_PAYLOAD) return command;
		// One that is published twice asks twice for the same
		if (!responses.has(id))
			responses.set(id, draw.chance(COMMANDS) ? drawResponse(draw, node, id) : undefined);
		const response = responses.get(id);
		return response === undefined ? command : { ...command, response };
	};
	const [broker, ...others] = plan.boards as [BoardPlan, ...BoardPlan[]];
	return {
		...plan,
		boards: [withPlaces(broker), ...others],
		commands: { ...commands, commands: commands.commands.map(withResponse) },
	};
}

function drawResponse(draw: Draw, node: string, id: number): ResponsePlan {
	const topic = replyTopic(node, String(draw.integer(1, TOPICS)));
	return {
		topic,
		...(draw.chance(0.7) ? { correlation: `asked ${id}`.padEnd(draw.integer(1, 40), ".") } : {}),
	};
}

/** For one more filter. */
function withPlaces(broker: BoardPlan): BoardPlan {
	const listen = broker.firefly.listen as JSONObject;
	const grown = {
		...listen,
		subscriptions: Number(listen.subscriptions) + 2,
		filterLevels: Number(listen.filterLevels) + 8,
		filterBytes: Number(listen.filterBytes) + 48,
	};
	return { ...broker, firefly: { ...broker.firefly, listen: grown } };
}
