import type { Scheduler } from "../../../sim/clock/scheduler";
import type { JSONObject } from "../../../sim/manifest/manifest-reader";
import type { VirtualNetwork } from "../../../sim/network/virtual";
import { Draw } from "../draw";
import type { SeedPlan } from "../seed-plan";
import type { GuestRun } from "../world";
import { createGuest } from "./guest-kinds";

/** Longest episode, and what it may leave behind, ms. */
const LAST_EPISODE_MS = 60_000;
const FIRST_HOST = 80;

/** The guests of a seed's first broker. */
export class GuestParty {
	readonly #scheduler: Scheduler;
	readonly #network: VirtualNetwork;
	readonly #plan: SeedPlan;
	readonly #until: number;

	/** @param end of the run, ms since 1970 */
	constructor(scheduler: Scheduler, network: VirtualNetwork, plan: SeedPlan, end: number) {
		this.#scheduler = scheduler;
		this.#network = network;
		this.#plan = plan;
		this.#until = end - LAST_EPISODE_MS;
	}

	/** @returns what they have seen, which grows during the run */
	start(): readonly GuestRun[] {
		const { seed, boards, guests = [] } = this.#plan;
		const [broker] = boards;
		return guests.map((plan, index) => {
			const { kind } = plan;
			const guest = createGuest({
				scheduler: this.#scheduler,
				network: this.#network,
				plan,
				draw: new Draw(seed, `guest ${index} acts`),
				address: broker!.address,
				listen: broker!.firefly.listen as JSONObject,
				addresses: [this.#address(2 * index), this.#address(2 * index + 1)],
				until: this.#until,
			});
			guest.start();
			return {
				kind,
				problems: guest.problems,
				get passed() {
					return guest.passed;
				},
			};
		});
	}

	#address(index: number): string {
		return `192.168.4.${FIRST_HOST + index}`;
	}
}
