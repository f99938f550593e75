import type { TimedEvent } from "../../../sim/report/events";
import { variantsOf } from "../command-plan";
import { readingsAreAlike } from "../disturbance";
import { HUB, HUB_TOPICS, PIN_SENSOR, PUBLISHER_TOPICS, sensorsOf } from "../seed-plan";
import type { SiteRun } from "../site";
import type { ReceivedMessage } from "../well-behaved-client";
import { type SeedRun, sitesOf } from "../world";
import type { Check } from "./check";
import { bootsOf, brokerForgot, subscriberMayLose } from "./queues";
import { receivedMessages, withoutCircumstances } from "./received";
import { clock, losesReports, sensorBoards } from "./reports";

/**
 * QoS 2 exactly once, QoS 0 at most once; but a node repeats a QoS 0 report whose connection has not ended
 * well.
 */
export const neverTwice: Check = {
	name: "QoS 2 exactly once, QoS 0 at most once",
	run(run) {
		const failures: string[] = [];
		const areAlike = readingsAreAlike(run.plan);
		for (const site of sitesOf(run)) {
			const seen = new Set<string>();
			for (const { time, topic, payload, qos, retain } of receivedMessages(site)) {
				// A bridge may lower the QoS of what its publisher has sent twice
				if (retain || qos === 1 || topic.startsWith("status/") || isPublishedWithQoS1(topic)) continue;
				if (topic.startsWith("home/") && (qos === 0 || areAlike)) continue;
				if (isTakenOver(run, topic)) continue;
				if (brokerForgot(run, site.board) || brokerForgot(run, originOf(topic))) continue;
				if (mayBeStoredAgain(run, site.board, topic)) continue;
				const key = `${topic} ${withoutCircumstances(payload)}`;
				if (seen.has(key)) failures.push(`${key} a second time at ${clock(time)} at ${site.board}`);
				seen.add(key);
			}
		}
		return failures.slice(0, 3);
	},
};

/**
 * Over MQTT 3.1.1 a bridge does not know after a restart, or a CONNECT without an answer, whether its
 * subscriptions are still there: the stored values of a broker that knows bridges come again
 * (docs/bridge.md).
 */
function mayBeStoredAgain(run: SeedRun, board: string, topic: string): boolean {
	const { bridge } = run.plan.boards.find(({ name }) => name === board)!.firefly as {
		readonly bridge?: { readonly version?: number };
	};
	if (bridge?.version !== 4 || originOf(topic) === board) return false;
	const hasNoAnswer = (event: TimedEvent): boolean =>
		event.node === board && event.type === "exchange" && event.sent > 0 && event.received === 0;
	return bootsOf(run.events, board) > 1 || run.events.some(hasNoAnswer);
}

/** The messages of a topic arrive in their order, those sent again aside. */
export const inOrder: Check = {
	name: "order of each topic",
	run(run) {
		const failures: string[] = [];
		for (const site of sitesOf(run)) {
			const highest = new Map<string, number>();
			const seen = new Set<string>();
			for (const { time, topic, payload, retain } of receivedMessages(site)) {
				const number = numberOf(payload);
				if (retain || number === undefined || isReordered(run, topic) || isTakenOver(run, topic)) continue;
				if (mayBeRepetition(run, site, topic, payload, time)) continue;
				const key = `${topic} ${withoutCircumstances(payload)}`;
				if (!seen.has(key) && number < (highest.get(topic) ?? 0))
					failures.push(`${topic}: ${number} after ${highest.get(topic)} at ${clock(time)} at ${site.board}`);
				seen.add(key);
				highest.set(topic, Math.max(number, highest.get(topic) ?? 0));
			}
		}
		return failures.slice(0, 3);
	},
};

/**
 * A node that cannot read flash when it starts sends what it finds there later, as new reports behind those
 * that it has sampled meanwhile.
 */
function isTakenOver({ plan }: SeedRun, topic: string): boolean {
	return plan.faults.some(
		({ name, board }) =>
			name === "storage-read" && (topic === `home/${board}` || topic.startsWith(`home/${board}/`)),
	);
}

/** From the start of a new session until its subscriptions are made, ms: a lost SUBSCRIBE is sent again. */
const SUBSCRIBING_MS = 10_000;

/**
 * A broker that has forgotten the subscriber's session takes messages before it subscribes anew: of these it
 * sees only what the publisher repeats for want of an acknowledgement, behind newer ones.
 */
function mayBeRepetition(run: SeedRun, site: SiteRun, topic: string, payload: string, time: number): boolean {
	if (!brokerForgot(run, site.board)) return false;
	const [, ...later] = site.subscriber.connections.filter(({ open }) => open);
	const begun = later.findLast((change) => change.sessionPresent === false && change.time <= time);
	const { published } = site.publisher;
	const message = published.find((each) => each.topic === topic && each.payload === payload);
	return begun !== undefined && message !== undefined && message.publishedAt < begun.time + SUBSCRIBING_MS;
}

/** Topics that several sensors share have several numbers in one payload; those of a pin have none. */
function isReordered(run: SeedRun, topic: string): boolean {
	return (
		topic.startsWith("status/") ||
		topic.endsWith(`/${PIN_SENSOR}`) ||
		sensorBoards(run).some(
			({ name, firefly }) => firefly.id === topic.slice(5) || isGarbled(run, name, topic),
		)
	);
}

/** Reports of a node whose readings were nonsense for a while do not begin with rising numbers. */
function isGarbled({ plan }: SeedRun, node: string, topic: string): boolean {
	return (
		topic.startsWith(`home/${node}/`) &&
		plan.faults.some((fault) => fault.name === "garbled" && fault.board === node)
	);
}

function isPublishedWithQoS1(topic: string): boolean {
	return topic === PUBLISHER_TOPICS[1] || topic === HUB_TOPICS[1];
}

/** Name of the broker to which the messages of a topic were published. */
function originOf(topic: string): string {
	return topic.startsWith("up/") ? HUB : "broker";
}

/** The number that a message of the publisher or a report begins with. */
function numberOf(payload: string): number | undefined {
	const match = /^(\d+)/.exec(payload) ?? /"s\d":(\d+)/.exec(payload);
	return match === null ? undefined : Number(match[1]);
}

/** From an acknowledgement until the subscriber has the message, ms, once all faults are over. */
const DELIVERY_MS = 2000;

/** What a broker has acknowledged, its subscriber receives. */
export const acknowledgedArrives: Check = {
	name: "what was acknowledged arrives",
	run(run) {
		const failures: string[] = [];
		for (const site of sitesOf(run)) {
			if (brokerForgot(run, site.board) || subscriberMayLose(run, site)) continue;
			const { subscriber, publisher, board } = site;
			const messages = receivedMessages(site);
			const received = new Set(messages.map(({ topic, payload }) => `${topic} ${payload}`));
			for (const { topic, payload, qos, acknowledgedAt, reasonCode } of publisher.published)
				if (
					qos > 0 &&
					acknowledgedAt !== undefined &&
					acknowledgedAt > subscriber.subscribedAt &&
					(reasonCode ?? 0) < 0x80 &&
					!received.has(`${topic} ${payload}`)
				)
					failures.push(`${topic} ${payload} was acknowledged at ${clock(acknowledgedAt)} by ${board}`);
			if (site.board === "broker") failures.push(...missingReports(run, messages));
		}
		return failures.slice(0, 3);
	},
};

/** Reports that the broker has acknowledged, and that are not among the messages that arrived. */
function missingReports(run: SeedRun, received: readonly ReceivedMessage[]): string[] {
	const failures: string[] = [];
	for (const board of sensorBoards(run)) {
		// Repeated readings of a stuck sensor cannot be told apart, nor can nonsense.
		if (readingsAreAlike(run.plan, board.name)) continue;
		if (variantsOf(run.plan, board).some((variant) => sensorsOf(variant).some(({ qos }) => qos === 0)))
			continue;
		// Nor can those of a pin, which have no sequence number there.
		if (board.firefly.payload === "value" && sensorsOf(board).some(({ name }) => name === PIN_SENSOR))
			continue;
		const prefix = `home/${board.name}`;
		const messages = received.filter(({ topic }) => topic.startsWith(prefix));
		const acknowledged = new Set<string>();
		let powers = 0;
		for (const event of run.events) {
			if (event.node !== board.name) continue;
			if (losesReports(board, event)) powers++;
			const { subscribedAt } = run.subscriber;
			// What is acknowledged at the very end may still be on its way
			const isOver = event.time > run.recoveredAt - DELIVERY_MS;
			if (event.type === "acknowledged" && event.time > subscribedAt && !isOver)
				acknowledged.add(`${powers} ${event.sequence}`);
		}
		const count = countReports(messages, powers);
		if (count < acknowledged.size)
			failures.push(`${board.name}: ${acknowledged.size} reports were acknowledged, ${count} arrived`);
	}
	return failures;
}

/** A report of a pin alone, by a node without the time: it has a number and the value, and no more. */
const PIN_WITHOUT_TIME = /^(?!.*"s\d").*"time":null/;

/**
 * How many reports the messages of one node may be: each text is one, however often it comes. But a node that
 * loses its memory numbers its reports anew, and without a time one of a pin is then what another one was.
 * @param lives how many times the node has begun without memory
 */
function countReports(messages: readonly ReceivedMessage[], lives: number): number {
	const receipts = new Map<string, number>();
	for (const { topic, payload, retain } of messages) {
		const key = `${topic} ${payload}`;
		const before = receipts.get(key) ?? 0;
		const isAnother = PIN_WITHOUT_TIME.test(payload) && !retain && before < lives;
		receipts.set(key, isAnother ? before + 1 : Math.max(before, 1));
	}
	return [...receipts.values()].reduce((sum, each) => sum + each, 0);
}

/** At the end the publisher's queue is empty, both are connected, and the subscriber receives what comes. */
export const clientsAreServed: Check = {
	name: "clients are served once the faults are over",
	run(run) {
		const { events, recoveredAt } = run;
		return sitesOf(run).flatMap(({ board, publisher, subscriber }) => {
			const failures: string[] = [];
			const last =
				board === "broker"
					? events.findLast(({ type, time }) => type === "acknowledged" && time < recoveredAt - DELIVERY_MS)
					: undefined;
			const newest = subscriber.received.findLast(({ time }) => time <= recoveredAt);
			if (last && (newest?.time ?? 0) < last.time - DELIVERY_MS)
				failures.push(`the subscriber receives nothing since ${clock(newest?.time ?? 0)}`);
			if (publisher.waiting > 0) failures.push(`${publisher.waiting} messages still wait for ${board}`);
			for (const [name, client] of Object.entries({ publisher, subscriber })) {
				const state = client.connections.findLast(({ time }) => time <= recoveredAt);
				if (state?.open !== true) failures.push(`the ${name} of ${board} is not connected at the end`);
			}
			const refused = publisher.published.find(({ reasonCode }) => (reasonCode ?? 0) >= 0x80);
			if (refused) failures.push(`${refused.topic} was refused: 0x${refused.reasonCode!.toString(16)}`);
			if (publisher.published.length === 0) failures.push(`nothing was published to ${board}`);
			return failures;
		});
	},
};
