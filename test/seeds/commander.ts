import type { Scheduler } from "../../sim/clock/scheduler";
import type { VirtualNetwork } from "../../sim/network/virtual";
import { type CommandPlans, IMAGE_ADDRESS, replyTopic } from "./command-plan";
import { ImageServer } from "./image-server";
import { BROKER_ADDRESS } from "./seed-plan";
import { WellBehavedClient } from "./well-behaved-client";

const ADDRESS = "192.168.4.54";
const START_MS = 700;

/** Topics of a node. */
export const commandTopic = (node: string): string => `firefly/${node}/command`;
export const answerTopic = (node: string): string => `firefly/${node}/answer`;

/** A client that tells nodes what to do and collects their answers, and the server of the images. */
export class Commander {
	readonly client: WellBehavedClient;
	readonly #scheduler: Scheduler;
	readonly #plans: CommandPlans;

	constructor(scheduler: Scheduler, network: VirtualNetwork, plans: CommandPlans) {
		this.#scheduler = scheduler;
		this.#plans = plans;
		const hasResponses = plans.commands.some(({ response }) => response !== undefined);
		this.client = new WellBehavedClient(
			scheduler,
			network.host(ADDRESS),
			"commander",
			BROKER_ADDRESS,
			plans.client,
			hasResponses ? [answerTopic("+"), replyTopic("+", "+")] : [answerTopic("+")],
		);
		new ImageServer(network.host(IMAGE_ADDRESS), plans.images);
	}

	start(): void {
		this.#scheduler.after(START_MS, () => this.client.start());
		for (const { at, node, payload, qos, retain, response } of this.#plans.commands)
			this.#scheduler.after(at, () =>
				this.client.publish(commandTopic(node), payload, qos, retain, response),
			);
	}
}
