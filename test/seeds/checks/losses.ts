import { Disturbance } from "../disturbance";
import { type SeedRun, sitesOf } from "../world";
import type { Check } from "./check";
import { bootsOf } from "./queues";
import { receivedMessages } from "./received";

/** `$SYS/broker/…` that counts why a connection has ended, or has not begun. */
export const ENDS = ["ended/shares", "ended/sessions", "ended/quota", "refused/connect"];

/**
 * A broker with too little of everything counts what it cannot do, and refuses a message only for its own
 * sake: a retained one, whose value finds no place.
 */
export const lossesAreCounted: Check = {
	name: "a broker with tiny pools counts what is lost",
	run(run) {
		if (run.plan.isTiny !== true || bootsOf(run.events, "broker") > 1) return [];
		const failures: string[] = [];
		const [site] = sitesOf(run);
		const { subscriber, publisher, pools } = site!;
		const count = (topic: string): number => Number(pools.get(topic) ?? 0);
		const refused = publisher.published.filter(({ reasonCode }) => (reasonCode ?? 0) >= 0x80);
		for (const { topic, payload, reasonCode } of refused)
			if (!publisher.retained.has(`${topic} ${payload}`))
				failures.push(`${topic} ${payload} was refused with 0x${reasonCode!.toString(16)}`);
		if (refused.length > count("refused/quota"))
			failures.push(`${refused.length} messages were refused, and ${count("refused/quota")} counted`);
		const disturbance = new Disturbance(run, ["broker"]);
		const ended = [subscriber, publisher].flatMap(({ connections }) =>
			connections.filter(({ open, time }) => !open && time <= run.recoveredAt && !disturbance.touches(time)),
		);
		const counted = ENDS.reduce((sum, topic) => sum + count(topic), 0);
		if (ended.length > counted)
			failures.push(`${ended.length} connections ended or were refused, and ${counted} counted`);
		const missing = missingMessages(run);
		if (missing > count("dropped/queue"))
			failures.push(`${missing} messages did not arrive, and ${count("dropped/queue")} are counted`);
		return failures.slice(0, 3);
	},
};

/** Acknowledged messages that a subscriber whose session was never lost has not received. */
function missingMessages(run: SeedRun): number {
	const [site] = sitesOf(run);
	const { subscriber, publisher, pools } = site!;
	const [, ...later] = subscriber.connections.filter(({ open }) => open);
	if (later.some(({ sessionPresent }) => sessionPresent !== true) || pools.get("refused/subscribe") !== "0")
		return 0;
	const received = new Set(receivedMessages(site!).map(({ topic, payload }) => `${topic} ${payload}`));
	return publisher.published.filter(
		({ topic, payload, qos, acknowledgedAt, reasonCode = 0 }) =>
			qos > 0 &&
			reasonCode < 0x80 &&
			acknowledgedAt !== undefined &&
			acknowledgedAt > subscriber.subscribedAt &&
			!received.has(`${topic} ${payload}`),
	).length;
}
