import type { JSONObject } from "../../../sim/manifest/manifest-reader";
import { brokerIsDurable } from "../disturbance";
import type { SiteRun } from "../site";
import type { SeedRun } from "../world";
import { receivedMessages } from "./received";

/** Whether a broker began anew without what it had: its sessions and what waited in them are gone. */
export function brokerForgot({ plan, events }: SeedRun, board: string): boolean {
	return !brokerIsDurable(plan, board) && bootsOf(events, board) > 1;
}

/** How many times a board has started. */
export function bootsOf(events: SeedRun["events"], board: string): number {
	return events.filter(({ type, node }) => type === "boot" && node === board).length;
}

/** Messages that a broker keeps for each client, whatever others have. */
export function guaranteedShare({ plan }: SeedRun, board: string): number {
	const { listen } = plan.boards.find(({ name }) => name === board)!.firefly as {
		readonly listen: JSONObject;
	};
	return Math.min(
		Math.floor(Number(listen.queuedMessages) / Number(listen.sessions)),
		Number(listen.queuedPerClient),
	);
}

/** Whether more may have waited for a subscriber than its guaranteed share of the queues holds. */
export function subscriberMayLose(run: SeedRun, site: SiteRun): boolean {
	const share = guaranteedShare(run, site.board);
	if (mostCrossing(run, site) > share / 2) return true;
	const arrivals =
		site.board === "broker"
			? run.events.filter(({ type }) => type === "acknowledged").map(({ time }) => time)
			: [];
	for (const { acknowledgedAt } of site.publisher.published)
		if (acknowledgedAt !== undefined) arrivals.push(acknowledgedAt);
	arrivals.sort((a, b) => a - b);
	// Between two messages that the subscriber receives, no more than its share may come for it.
	const received = [...site.subscriber.received.map(({ time }) => time), Infinity];
	let from = 0;
	for (let at = 0, i = 0; i < received.length; i++) {
		while (at < arrivals.length && arrivals[at]! <= received[i]!) at++;
		if (at - from > share / 2) return true;
		from = at;
	}
	return false;
}

/**
 * Messages that were at one time on their way from the other broker's publisher to a site's subscriber, at
 * most: they may have waited at either broker.
 */
export function mostCrossing({ subscriber, publisher, hub }: SeedRun, site: SiteRun): number {
	if (hub === undefined) return 0;
	const from = site.subscriber === subscriber ? hub.publisher : publisher;
	const arrivedAt = new Map<string, number>();
	for (const { time, topic, payload } of receivedMessages(site)) {
		const key = `${topic} ${payload}`;
		if (!arrivedAt.has(key)) arrivedAt.set(key, time);
	}
	const changes = from.published.flatMap(({ topic, payload, publishedAt }): [number, number][] => [
		[publishedAt, 1],
		[arrivedAt.get(`${topic} ${payload}`) ?? Infinity, -1],
	]);
	changes.sort(([a], [b]) => a - b);
	let crossing = 0;
	let most = 0;
	for (const [, change] of changes) {
		crossing += change;
		most = Math.max(most, crossing);
	}
	return most;
}
