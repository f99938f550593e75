import { MISSING_MESSAGES } from "../place-probe";
import { STRAY_MESSAGES } from "../pool-probe";
import type { Check } from "./check";

/** `$SYS/broker/…` that must be this once everybody has gone: what one client, the probe, needs. */
const BASELINE: Readonly<Record<string, string>> = {
	"clients/connected": "1",
	"clients/total": "1",
	"subscriptions/count": "2",
	"entries/used": "0",
	"memory/queue": "0",
	"retained/count": "0",
	"aliases/used": "0",
	"memory/aliases": "0",
	errors: "0",
	[STRAY_MESSAGES]: "0",
	[MISSING_MESSAGES]: "0",
};
/** Text of an exception that nobody expected. */
const EXCEPTION = /\b(?:TypeError|RangeError|ReferenceError|is not a function|of undefined)\b/;

export const poolsAreEmpty: Check = {
	name: "every pool of the broker is back at its baseline",
	run({ plan, pools }) {
		if (!pools.has("errors")) return ["the broker does not answer at the end"];
		const failures: string[] = [];
		const { role } = plan.boards[0]!.firefly;
		for (const [topic, expected] of Object.entries(BASELINE)) {
			// A node on the same board stays connected, and publishes.
			if (role === "both" && topic !== "errors") continue;
			if (pools.get(topic) !== expected)
				failures.push(
					`${topic.startsWith("(") ? "" : "$SYS/broker/"}${topic} is ${pools.get(topic)}, and not ${expected}`,
				);
		}
		return failures;
	},
};

export const noCrash: Check = {
	name: "nothing crashes",
	run({ events }) {
		const failures: string[] = [];
		for (const event of events) {
			if (event.type === "crash")
				failures.push(`${event.node} crashed: ${event.message} ${event.stack ?? ""}`);
			if (event.type === "failed" && event.fault === "program") failures.push(`${event.node}: program fault`);
			if (event.type === "trace" && EXCEPTION.test(event.message))
				failures.push(`${event.node}: ${event.message}`);
		}
		return failures.slice(0, 3);
	},
};
