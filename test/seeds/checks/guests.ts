import { Disturbance } from "../disturbance";
import type { Check } from "./check";
import { clock } from "./reports";

/** A guest whom no fault disturbs gets what MQTT and this broker's documentation promise. */
export const guestsAreServed: Check = {
	name: "guests get what they are owed",
	run(run) {
		const disturbance = new Disturbance(run, ["broker"]);
		return run.guests
			.flatMap(({ kind, problems }) =>
				problems
					.filter(({ from, to }) => !disturbance.touches(from, to))
					.map(({ from, to, text }) => `the ${kind} of ${clock(from)} was owed at ${clock(to)}: ${text}`),
			)
			.slice(0, 3);
	},
};
