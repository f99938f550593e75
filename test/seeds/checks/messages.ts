import type { JSONObject } from "../../../sim/manifest/manifest-reader";
import { brokerIsDurable } from "../disturbance";
import { sensorsOf } from "../seed-plan";
import type { SeedRun } from "../world";
import type { Check } from "./check";
import { receivedMessages, withoutCircumstances } from "./received";
import { clock, losesReports, sensorBoards } from "./reports";

/** Whether the broker began anew without what it had: its sessions and what waited in them are gone. */
export function brokerForgot({ plan, events }: SeedRun): boolean {
	return !brokerIsDurable(plan) && brokerStarts(events) > 1;
}

function brokerStarts(events: SeedRun["events"]): number {
	return events.filter(({ type, node }) => type === "boot" && node === "broker").length;
}

/** Whether more may have waited for the subscriber than its guaranteed share of the queues holds. */
export function subscriberMayLose(run: SeedRun): boolean {
	const listen = run.plan.boards[0]!.firefly.listen as JSONObject;
	const share = Math.min(
		Math.floor(Number(listen.queuedMessages) / Number(listen.sessions)),
		Number(listen.queuedPerClient),
	);
	const arrivals = run.events.filter(({ type }) => type === "acknowledged").map(({ time }) => time);
	for (const { acknowledgedAt } of run.publisher.published)
		if (acknowledgedAt !== undefined) arrivals.push(acknowledgedAt);
	arrivals.sort((a, b) => a - b);
	// Between two messages that the subscriber receives, no more than its share may come for it.
	const received = [...run.subscriber.received.map(({ time }) => time), Infinity];
	let from = 0;
	for (let at = 0, i = 0; i < received.length; i++) {
		while (at < arrivals.length && arrivals[at]! <= received[i]!) at++;
		if (at - from > share / 2) return true;
		from = at;
	}
	return false;
}

/**
 * QoS 2 exactly once, QoS 0 at most once; but a node repeats a QoS 0 report whose connection has not ended
 * well.
 */
export const neverTwice: Check = {
	name: "QoS 2 exactly once, QoS 0 at most once",
	run(run) {
		if (brokerForgot(run)) return [];
		const failures: string[] = [];
		const seen = new Set<string>();
		const isStuck = run.plan.faults.some(({ name }) => name === "stuck");
		for (const { time, topic, payload, qos, retain } of receivedMessages(run)) {
			if (retain || qos === 1 || topic.startsWith("status/")) continue;
			if (topic.startsWith("home/") && (qos === 0 || isStuck)) continue;
			const key = `${topic} ${withoutCircumstances(payload)}`;
			if (seen.has(key)) failures.push(`${key} a second time at ${clock(time)}`);
			seen.add(key);
		}
		return failures.slice(0, 3);
	},
};

/** The messages of a topic arrive in their order, those sent again aside. */
export const inOrder: Check = {
	name: "order of each topic",
	run(run) {
		const failures: string[] = [];
		const highest = new Map<string, number>();
		const seen = new Set<string>();
		for (const { time, topic, payload, retain } of receivedMessages(run)) {
			const number = numberOf(payload);
			if (retain || number === undefined || isReordered(run, topic)) continue;
			const key = `${topic} ${withoutCircumstances(payload)}`;
			if (!seen.has(key) && number < (highest.get(topic) ?? 0))
				failures.push(`${topic}: ${number} after ${highest.get(topic)} at ${clock(time)}`);
			seen.add(key);
			highest.set(topic, Math.max(number, highest.get(topic) ?? 0));
		}
		return failures.slice(0, 3);
	},
};

/** Topics that reports of several sensors share have several numbers in one payload. */
function isReordered(run: SeedRun, topic: string): boolean {
	return (
		topic.startsWith("status/") || sensorBoards(run).some(({ firefly }) => firefly.id === topic.slice(5))
	);
}

/** The number that a message of the publisher or a report begins with. */
function numberOf(payload: string): number | undefined {
	const match = /^(\d+)/.exec(payload) ?? /"s\d":(\d+)/.exec(payload);
	return match === null ? undefined : Number(match[1]);
}

/** What the broker has acknowledged, the subscriber receives. */
export const acknowledgedArrives: Check = {
	name: "what was acknowledged arrives",
	run(run) {
		if (brokerForgot(run) || subscriberMayLose(run)) return [];
		const failures: string[] = [];
		const received = new Set(receivedMessages(run).map(({ topic, payload }) => `${topic} ${payload}`));
		for (const { topic, payload, qos, acknowledgedAt, reasonCode } of run.publisher.published)
			if (
				qos > 0 &&
				acknowledgedAt !== undefined &&
				acknowledgedAt > run.subscriber.subscribedAt &&
				(reasonCode ?? 0) < 0x80 &&
				!received.has(`${topic} ${payload}`)
			)
				failures.push(`${topic} ${payload} was acknowledged at ${clock(acknowledgedAt)}`);
		// Repeated readings of a stuck sensor cannot be told apart.
		const isStuck = run.plan.faults.some(({ name }) => name === "stuck");
		for (const board of isStuck ? [] : sensorBoards(run)) {
			if (sensorsOf(board).some(({ qos }) => qos === 0)) continue;
			const prefix = `home/${board.name}`;
			const count = [...received].filter((key) => key.startsWith(prefix)).length;
			const acknowledged = new Set<string>();
			let powers = 0;
			for (const event of run.events) {
				if (event.node !== board.name) continue;
				if (losesReports(board, event)) powers++;
				if (event.type === "acknowledged" && event.time > run.subscriber.subscribedAt)
					acknowledged.add(`${powers} ${event.sequence}`);
			}
			if (count < acknowledged.size)
				failures.push(`${board.name}: ${acknowledged.size} reports were acknowledged, ${count} arrived`);
		}
		return failures.slice(0, 3);
	},
};

/** Time from an acknowledgement until the subscriber has the message, ms, once all faults are over. */
const DELIVERY_MS = 2000;

/** At the end the publisher's queue is empty, both are connected, and the subscriber receives what comes. */
export const clientsAreServed: Check = {
	name: "clients are served once the faults are over",
	run({ events, publisher, subscriber, recoveredAt }) {
		const failures: string[] = [];
		const last = events.findLast(
			({ type, time }) => type === "acknowledged" && time < recoveredAt - DELIVERY_MS,
		);
		const newest = subscriber.received.findLast(({ time }) => time <= recoveredAt);
		if (last && (newest?.time ?? 0) < last.time - DELIVERY_MS)
			failures.push(`the subscriber receives nothing since ${clock(newest?.time ?? 0)}`);
		if (publisher.waiting > 0) failures.push(`${publisher.waiting} messages still wait`);
		for (const [name, client] of Object.entries({ publisher, subscriber })) {
			const state = client.connections.findLast(({ time }) => time <= recoveredAt);
			if (state?.open !== true) failures.push(`the ${name} is not connected at the end`);
		}
		const refused = publisher.published.find(({ reasonCode }) => (reasonCode ?? 0) >= 0x80);
		if (refused) failures.push(`${refused.topic} was refused: 0x${refused.reasonCode!.toString(16)}`);
		if (publisher.published.length === 0) failures.push("nothing was published");
		return failures;
	},
};
