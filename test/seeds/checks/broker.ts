import { MISSING_MESSAGES } from "../place-probe";
import { STRAY_MESSAGES } from "../pool-probe";
import type { SeedPlan } from "../seed-plan";
import { sitesOf } from "../world";
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
/** What the fault image-crash does. */
const IMAGE_CRASH = "the new image does not start";
/** Text of an exception that nobody expected. */
const EXCEPTION = /\b(?:TypeError|RangeError|ReferenceError|is not a function|of undefined)\b/;

export const poolsAreEmpty: Check = {
	name: "every pool of the broker is back at its baseline",
	run(run) {
		return sitesOf(run).flatMap(({ board, pools }) => {
			if (!pools.has("errors")) return [`${board} does not answer at the end`];
			const failures: string[] = [];
			const { role } = run.plan.boards.find(({ name }) => name === board)!.firefly;
			const baseline = { ...BASELINE, ...bridgeBaseline(run.plan, board) };
			for (const [topic, expected] of Object.entries(baseline)) {
				// A node on the same board stays connected, and publishes.
				if (role === "both" && topic !== "errors") continue;
				// A new session there has less room than it asks for, too
				if (run.plan.isTiny === true && topic === MISSING_MESSAGES) continue;
				if (pools.get(topic) !== expected)
					failures.push(
						`${topic.startsWith("(") ? "" : "$SYS/broker/"}${topic} of ${board} is ${pools.get(topic)}, and not ${expected}`,
					);
			}
			return failures;
		});
	},
};

/** Bridges stay: the one here, with what it has subscribed to, and that of the other broker. */
function bridgeBaseline({ boards, hub }: SeedPlan, board: string): Readonly<Record<string, string>> {
	if (hub === undefined) return {};
	let clients = 1;
	let filters = 2;
	for (const { name, firefly } of boards) {
		if (firefly.bridge === undefined) continue;
		clients++;
		const { topics } = firefly.bridge as unknown as { readonly topics: readonly { direction?: string }[] };
		// Out: a subscription here. In: one at the other broker.
		for (const { direction = "out" } of topics)
			if (direction === "both" || (direction === "out") === (name === board)) filters++;
	}
	return {
		"clients/connected": String(clients),
		"clients/total": String(clients),
		"subscriptions/count": String(filters),
	};
}

export const noCrash: Check = {
	name: "nothing crashes",
	run({ plan, events }) {
		const failures: string[] = [];
		const imageCrashes = plan.faults.some(({ name }) => name === "image-crash");
		for (const event of events) {
			if (event.type === "crash" && !(imageCrashes && event.message === IMAGE_CRASH))
				failures.push(`${event.node} crashed: ${event.message} ${event.stack ?? ""}`);
			if (event.type === "failed" && event.fault === "program") failures.push(`${event.node}: program fault`);
			if (event.type === "trace" && EXCEPTION.test(event.message))
				failures.push(`${event.node}: ${event.message}`);
		}
		return failures.slice(0, 3);
	},
};
