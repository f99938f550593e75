import { Disturbance } from "../disturbance";
import { HUB, type SeedPlan } from "../seed-plan";
import type { SiteRun } from "../site";
import { type SeedRun, sitesOf } from "../world";
import type { Check } from "./check";
import { brokerForgot, guaranteedShare, mostCrossing } from "./queues";
import { receivedMessages } from "./received";
import { clock } from "./reports";

/** From the acknowledgement by one broker until the message is at the subscriber of the other one, ms. */
const CROSSING_MS = 3000;
/** At the end of a run, time in which what is published crosses whatever was before, ms. */
const RECOVERED_MS = 40_000;

/** Both ways across a bridge. */
function waysOf(run: SeedRun): readonly { readonly from: SiteRun; readonly to: SiteRun }[] {
	const [broker, hub] = sitesOf(run);
	if (hub === undefined) return [];
	return [
		{ from: broker!, to: hub },
		{ from: hub, to: broker! },
	];
}

/** What one broker has acknowledged crosses the bridge, however often the connection is cut. */
export const bridgeForwards: Check = {
	name: "what was acknowledged crosses the bridge",
	run(run) {
		const failures: string[] = [];
		for (const { from, to } of waysOf(run)) {
			const received = new Set(receivedMessages(to).map(({ topic, payload }) => `${topic} ${payload}`));
			const mayLose =
				brokerForgot(run, from.board) ||
				brokerForgot(run, to.board) ||
				mostCrossing(run, to) > Math.min(...[from, to].map(({ board }) => guaranteedShare(run, board))) / 2;
			// Without a loss from the first subscription on, otherwise once everything has recovered
			const since = mayLose
				? run.recoveredAt - RECOVERED_MS
				: Math.max(bridgedAt(run) ?? Infinity, to.subscriber.subscribedAt);
			for (const { topic, payload, qos, acknowledgedAt = Infinity, reasonCode = 0 } of from.publisher
				.published)
				if (
					Math.min(qos, run.plan.hub!.qos) > 0 &&
					reasonCode < 0x80 &&
					acknowledgedAt > since &&
					acknowledgedAt < run.recoveredAt - CROSSING_MS &&
					!received.has(`${topic} ${payload}`)
				)
					failures.push(
						`${topic} ${payload} of ${clock(acknowledgedAt)} did not cross from ${from.board} to ${to.board}`,
					);
		}
		if (run.hub !== undefined && bridgedAt(run) === undefined) failures.push("the bridge never connected");
		return failures.slice(0, 3);
	},
};

/** When all bridges were connected and had subscribed for the first time, ms since 1970; undefined: never. */
function bridgedAt({ plan, events }: SeedRun): number | undefined {
	let latest = 0;
	for (const board of bridgedBoards(plan)) {
		const connected = events.find(
			({ node, ...event }) =>
				node === board && event.type === "trace" && /bridge: .*: connected/.test(event.message),
		);
		if (connected === undefined) return undefined;
		latest = Math.max(latest, connected.time);
	}
	return latest + CROSSING_MS;
}

function bridgedBoards({ boards }: SeedPlan): string[] {
	return boards.filter(({ firefly }) => firefly.bridge !== undefined).map(({ name }) => name);
}

/**
 * A message comes once to each subscriber, unless a connection has ended between: neither from two sides nor
 * in a circle. QoS 1 is the one that may be repeated.
 */
export const nothingCircles: Check = {
	name: "nothing circles between bridged brokers",
	run(run) {
		const failures: string[] = [];
		if (run.hub === undefined) return failures;
		const disturbance = new Disturbance(run, ["broker", HUB]);
		for (const site of sitesOf(run)) {
			const seen = new Map<string, number>();
			for (const { time, topic, payload, qos, retain } of receivedMessages(site)) {
				if (retain || qos !== 1 || !/^(?:pub|up)\//.test(topic)) continue;
				const key = `${topic} ${payload}`;
				const first = seen.get(key);
				if (first !== undefined && !disturbance.touches(first, time))
					failures.push(`${key} a second time at ${clock(time)} at ${site.board}`);
				seen.set(key, first ?? time);
			}
		}
		return failures.slice(0, 3);
	},
};
