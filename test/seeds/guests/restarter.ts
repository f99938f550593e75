import type { Wait } from "./episode";
import { ANSWER_MS, Guest, SETTLING_MS } from "./guest";
import type { Delivery, ScriptedClient, UnreleasedIds, Version } from "./scripted-client";

const TOPIC = "restarts/news";
const CLIENT_ID = "restarter";
/** s */
const SESSION_EXPIRY = 20;
const MESSAGES = 16;
/** Messages on their way at one time: they fit the share of the queues that each session has. */
const MOST_WAITING = 2;
/** Between two connections, ms. */
const SHORTEST_MS = 1;
const LONGEST_MS = 400;

interface Sent {
	readonly payload: string;
	readonly qos: 1 | 2;
	readonly id: number;
}

/**
 * One client identifier, and connections that take it over from each other; what is published meanwhile
 * arrives, once with QoS 2.
 */
export class Restarter extends Guest {
	#count = 0;

	protected *episode(): Generator<Wait, void, boolean> {
		const { draw } = this;
		const author = this.connect(draw.pick([4, 5] as const), "author");
		yield* this.accepted(author);
		const storm = new Storm(draw.pick([4, 5] as const));
		const connect = (): ScriptedClient => storm.add(this.#reconnect(storm));
		connect();
		yield* this.accepted(storm.last);
		const id = this.nextId();
		storm.last.send({ cmd: "subscribe", messageId: id, subscriptions: [{ topic: "restarts/#", qos: 2 }] });
		yield* this.answer(storm.last, id);
		const sent: Sent[] = [];
		while (sent.length < MESSAGES) {
			if (storm.missing(sent) < MOST_WAITING) sent.push(this.#publish(author));
			if (draw.chance(0.6)) connect();
			yield { ms: draw.integer(SHORTEST_MS, LONGEST_MS) };
			this.owe(!author.hasEnded, "a connection of the author that lasts");
		}
		connect();
		yield* this.accepted(storm.last);
		for (const { id } of sent) yield* this.answer(author, id);
		const isComplete = (): boolean => storm.missing(sent) === 0 || storm.last.hasEnded;
		yield { ms: ANSWER_MS, until: isComplete };
		yield { ms: SETTLING_MS };
		this.#judge(storm, sent);
		yield* this.waitFor(() => storm.replaced.every(({ hasEnded }) => hasEnded), "the end of old connections");
		author.send({ cmd: "disconnect" });
		yield* this.#leave(storm);
	}

	#reconnect({ version, count, unreleased }: Storm): ScriptedClient {
		const { draw } = this;
		const isFirst = count === 0;
		const host = draw.pick([0, 1] as const);
		return this.connect(
			version,
			CLIENT_ID,
			// 3.1.1: only what is not clean keeps its session, so the first one begins with what was there
			{ clean: isFirst && version === 5, properties: { sessionExpiryInterval: SESSION_EXPIRY } },
			host,
			unreleased,
		);
	}

	#publish(author: ScriptedClient): Sent {
		const sent = { payload: `${++this.#count}`, qos: this.draw.pick([1, 2] as const), id: this.nextId() };
		author.publish(TOPIC, sent.payload, sent.qos, sent.id);
		return sent;
	}

	#judge(storm: Storm, sent: readonly Sent[]): void {
		const { deliveries } = storm;
		const lists = JSON.stringify({ version: storm.version, connections: storm.count });
		this.owe(!storm.last.hasEnded, `the last connection, ${lists}`);
		this.owe(storm.last.sessionPresent === true, `a session at the last connection, ${lists}`);
		for (const { payload, qos } of sent) {
			const times = deliveries.filter((each) => each.payload === payload);
			this.owe(times.length > 0, `${payload} of QoS ${qos}, ${lists}`);
			// One with RETAIN is the stored value, which a subscriber may get beside what it was sent
			const sentTimes = times.filter(({ retain }) => !retain);
			if (qos === 2)
				this.owe(sentTimes.length <= 1, `${payload} once, not ${sentTimes.length} times, ${lists}`);
			// [MQTT-3.3.1-1]
			for (const again of sentTimes.slice(1))
				this.owe(again.dup, `${payload} with DUP when it comes again, ${lists}`);
		}
		const first = sent.map(({ payload }) => deliveries.findIndex((each) => each.payload === payload));
		const isInOrder = first.every((at, index) => index === 0 || at > first[index - 1]!);
		this.owe(
			isInOrder,
			`the order ${sent.map(({ payload }) => payload)}, not ${deliveries.map(({ payload }) => payload)}`,
		);
	}

	/** Ends the session. */
	*#leave({ last, version }: Storm): Generator<Wait, void, boolean> {
		last.send({ cmd: "disconnect" });
		last.close();
		const end = this.connect(version, CLIENT_ID);
		yield* this.accepted(end);
		end.send({ cmd: "disconnect" });
		yield { ms: SETTLING_MS };
	}
}

/** The connections of one episode. */
class Storm {
	readonly version: Version;
	/** Of the session, which the client keeps as well. */
	readonly unreleased: UnreleasedIds = new Set();
	readonly #clients: ScriptedClient[] = [];

	constructor(version: Version) {
		this.version = version;
	}

	get count(): number {
		return this.#clients.length;
	}

	get last(): ScriptedClient {
		return this.#clients.at(-1)!;
	}

	get replaced(): readonly ScriptedClient[] {
		return this.#clients.slice(0, -1);
	}

	/** In the order in which the client has taken them. */
	get deliveries(): readonly Delivery[] {
		return this.#clients.flatMap(({ deliveries }) => deliveries);
	}

	/** From now on the client knows nothing of its connections before. */
	add(client: ScriptedClient): ScriptedClient {
		for (const before of this.#clients) before.isDeaf = true;
		this.#clients.push(client);
		return client;
	}

	missing(sent: readonly Sent[]): number {
		const received = new Set(this.deliveries.map(({ payload }) => payload));
		return sent.filter(({ payload }) => !received.has(payload)).length;
	}
}
