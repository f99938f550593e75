import type { Wait } from "./episode";
import { ANSWER_MS, Guest, SETTLING_MS } from "./guest";
import { type Matching, matches } from "./matching";
import type { Delivery, ScriptedClient, Version } from "./scripted-client";

/** Filters that overlap, and begin alike. */
const FILTERS: readonly string[] = [
	"walk/#",
	"walk/+",
	"walk/+/b",
	"walk/a",
	"walk/a/#",
	"walk/a/+",
	"walk/a/b",
	"walk/ab",
	"walk/a/b/c",
	"walk/+/+/c",
	"+/a/b",
];
const TOPICS = ["walk", "walk/a", "walk/ab", "walk/a/b", "walk/a/b/c", "walk/b", "walk/b/c/d"] as const;
/** Subscriptions at one time, which its share of the broker's pools holds. */
const MOST_FILTERS = 4;
const LONGEST_STEPS = 12;

/** A message of a topic that a new subscription gets. */
interface StoredValue {
	readonly payload: string;
	readonly qos: number;
}

/** The model that it compares the broker with: what it has subscribed to, and what it has published. */
export class Wanderer extends Guest {
	readonly #subscriptions = new Map<string, Matching>();
	readonly #stored = new Map<string, StoredValue>();
	#count = 0;

	protected *episode(): Generator<Wait, void, boolean> {
		const { draw } = this;
		const version = draw.pick([4, 5] as const);
		this.#subscriptions.clear();
		this.#stored.clear();
		const client = this.connect(version, "wanderer");
		yield* this.accepted(client);
		for (const topic of TOPICS) yield* this.#publish(client, topic, "", 1, true);
		for (let left = draw.integer(4, LONGEST_STEPS); left > 0; left--) {
			const choice = draw.integer(0, 3);
			if (choice === 0 && this.#subscriptions.size > 0) yield* this.#unsubscribe(client);
			else if (choice <= 1) yield* this.#subscribe(client, version);
			else
				yield* this.#publish(
					client,
					draw.pick(TOPICS),
					draw.chance(0.1) ? "" : `${++this.#count}`,
					draw.pick([0, 1, 2] as const),
					draw.chance(0.3),
				);
		}
		for (const topic of TOPICS) yield* this.#publish(client, topic, "", 1, true);
		client.send({ cmd: "disconnect" });
	}

	*#subscribe(client: ScriptedClient, version: Version): Generator<Wait, void, boolean> {
		const { draw } = this;
		const chosen = new Set(Array.from({ length: draw.integer(1, 3) }, () => draw.pick(FILTERS)));
		const filters = [...chosen].filter(
			(filter, index) => this.#subscriptions.has(filter) || this.#subscriptions.size + index < MOST_FILTERS,
		);
		if (filters.length === 0) return;
		const isNew = new Map(filters.map((filter) => [filter, !this.#subscriptions.has(filter)]));
		const asked = filters.map((topic) => ({
			topic,
			qos: draw.pick([0, 1, 2] as const),
			...(version === 5
				? { nl: draw.chance(0.2), rap: draw.chance(0.5), rh: draw.pick([0, 0, 1, 2] as const) }
				: {}),
		}));
		const id = this.nextId();
		client.send({ cmd: "subscribe", messageId: id, subscriptions: asked });
		const granted = yield* this.answer(client, id);
		this.owe(
			granted.join() === asked.map(({ qos }) => qos).join(),
			`SUBACK ${asked.map(({ qos }) => qos)}, not ${granted}`,
		);
		yield { ms: SETTLING_MS };
		const due = new Map<string, { value: StoredValue; least: number; most: number; highest: number }>();
		for (const { topic: filter, qos, rh = 0 } of asked as (Matching & { topic: string; rh?: number })[]) {
			this.#subscriptions.set(filter, asked.find(({ topic }) => topic === filter)!);
			if (rh === 2 || (rh === 1 && !isNew.get(filter))) continue;
			for (const [topic, value] of this.#stored) {
				if (!matches(filter, topic)) continue;
				const before = due.get(topic) ?? { value, least: 1, most: 0, highest: 0 };
				due.set(topic, { ...before, most: before.most + 1, highest: Math.max(before.highest, qos) });
			}
		}
		this.#compareStored(client.deliveries.splice(0), due);
	}

	/** A value may come once for each filter of the packet, or once for all of them. */
	#compareStored(
		deliveries: readonly Delivery[],
		due: ReadonlyMap<string, { value: StoredValue; least: number; most: number; highest: number }>,
	): void {
		const count = new Map<string, number>();
		for (const delivery of deliveries) {
			const { topic, payload, qos, retain } = delivery;
			const expected = due.get(topic);
			this.owe(
				expected !== undefined && expected.value.payload === payload && retain,
				`nothing like ${JSON.stringify(delivery)} at a new subscription`,
			);
			this.owe(
				qos <= Math.min(expected!.value.qos, expected!.highest),
				`a stored value with less QoS than ${JSON.stringify(delivery)}`,
			);
			count.set(topic, (count.get(topic) ?? 0) + 1);
		}
		for (const [topic, { value, least, most }] of due) {
			const times = count.get(topic) ?? 0;
			this.owe(
				times >= least && times <= most,
				`${topic} ${value.payload} at a new subscription ${least} to ${most} times, not ${times}`,
			);
		}
	}

	*#unsubscribe(client: ScriptedClient): Generator<Wait, void, boolean> {
		const { draw } = this;
		const filters = [draw.pick([...this.#subscriptions.keys()]), ...(draw.chance(0.3) ? ["walk/x"] : [])];
		const id = this.nextId();
		client.send({ cmd: "unsubscribe", messageId: id, unsubscriptions: filters });
		const codes = yield* this.answer(client, id);
		if (client.version === 5)
			this.owe(codes.join() === (filters.length > 1 ? "0,17" : "0"), `UNSUBACK 0, 17, not ${codes}`);
		this.#subscriptions.delete(filters[0]!);
	}

	*#publish(
		client: ScriptedClient,
		topic: string,
		payload: string,
		qos: 0 | 1 | 2,
		retain: boolean,
	): Generator<Wait, void, boolean> {
		const matching = [...this.#subscriptions].filter(([filter, { nl }]) => !nl && matches(filter, topic));
		const id = this.nextId();
		client.publish(topic, payload, qos, id, retain);
		if (qos > 0) {
			const [code] = yield* this.answer(client, id);
			// 16: there is no subscriber
			this.owe(code === 0 || code === 16, `PUBACK or PUBCOMP 0 for ${topic}, not ${code}`);
		}
		if (matching.length > 0) yield { ms: ANSWER_MS, until: () => client.deliveries.length > 0 };
		yield { ms: SETTLING_MS };
		const granted = Math.max(...matching.map(([, subscription]) => subscription.qos));
		// Which of several subscriptions says whether RETAIN stays as published is the broker's choice
		const raps = new Set(matching.map(([, { rap }]) => rap === true));
		const got = client.deliveries.splice(0);
		const text = JSON.stringify({ topic, payload, qos, retain });
		this.owe(
			got.length === Math.min(matching.length, 1),
			`${Math.min(matching.length, 1)} times ${text}, not ${JSON.stringify(got)}`,
		);
		for (const delivery of got) {
			const isRight =
				delivery.topic === topic &&
				delivery.payload === payload &&
				delivery.qos === Math.min(qos, granted) &&
				(raps.size > 1 || delivery.retain === (retain && raps.has(true)));
			this.owe(isRight, `${text}, not ${JSON.stringify(delivery)}`);
		}
		this.#store(topic, { payload, qos }, retain);
	}

	#store(topic: string, value: StoredValue, retain: boolean): void {
		if (retain && value.payload === "") this.#stored.delete(topic);
		else if (retain || this.listen.lastValue === "every") this.#stored.set(topic, value);
	}
}
