import type { Wait } from "./episode";
import { Guest, SETTLING_MS } from "./guest";
import type { Delivery, ScriptedClient } from "./scripted-client";

const TOPICS = ["values/a", "values/b", "values/b/c"] as const;
/** The broker counts seconds, ms. */
const TOLERANCE_MS = 1100;
const LONGEST_WAIT_MS = 8000;

/** What a topic has. */
interface Value {
	readonly payload: string;
	readonly qos: 0 | 1 | 2;
	/** When it was acknowledged at the latest, ms since 1970. */
	readonly at: number;
	/** s; undefined: it does not expire */
	readonly expiry: number | undefined;
	readonly retain: boolean;
}

/** A new subscriber gets what is current of each topic, without what has expired; see `listen.lastValue`. */
export class Archivist extends Guest {
	/** By topic, the one that counts first: with `lastValue: "every"` one that came after the retained one. */
	readonly #values = new Map<string, readonly Value[]>();
	#count = 0;

	protected *episode(): Generator<Wait, void, boolean> {
		const { draw } = this;
		this.#values.clear();
		const author = this.connect(draw.pick([4, 5, 5] as const), "archivist");
		yield* this.accepted(author);
		yield* this.#clear(author);
		for (let round = draw.integer(1, 3); round > 0; round--) {
			for (let left = draw.integer(1, 4); left > 0; left--) yield* this.#publish(author);
			yield { ms: draw.integer(0, LONGEST_WAIT_MS) };
			yield* this.#ask();
		}
		yield* this.#clear(author);
		author.send({ cmd: "disconnect" });
		yield { ms: SETTLING_MS };
	}

	*#clear(author: ScriptedClient): Generator<Wait, void, boolean> {
		for (const topic of TOPICS) {
			const id = this.nextId();
			author.publish(topic, "", 1, id, true);
			yield* this.answer(author, id);
		}
	}

	*#publish(author: ScriptedClient): Generator<Wait, void, boolean> {
		const { draw } = this;
		const topic = draw.pick(TOPICS);
		const payload = draw.chance(0.15) ? "" : `${++this.#count}`;
		const qos = draw.pick([0, 1, 2] as const);
		const retain = draw.chance(0.6);
		const expiry = author.version === 5 ? draw.pick([undefined, 1, 2, 4, 30]) : undefined;
		const id = this.nextId();
		author.publish(topic, payload, qos, id, retain, expiry);
		if (qos > 0) yield* this.answer(author, id);
		else yield { ms: SETTLING_MS };
		const value = { payload, qos, at: this.now, expiry, retain };
		if (retain) this.#values.set(topic, payload === "" ? [] : [value]);
		else if (this.listen.lastValue === "every")
			this.#values.set(topic, [value, ...(this.#values.get(topic) ?? []).filter((each) => each.retain)]);
	}

	/** Subscribes anew, and compares what comes. */
	*#ask(): Generator<Wait, void, boolean> {
		const { draw } = this;
		const reader = this.connect(draw.pick([4, 5] as const), "reader", {}, 1);
		yield* this.accepted(reader);
		const id = this.nextId();
		const qos = draw.pick([0, 1, 2] as const);
		reader.send({ cmd: "subscribe", messageId: id, subscriptions: [{ topic: "values/#", qos }] });
		const from = this.now;
		yield* this.answer(reader, id);
		yield { ms: SETTLING_MS };
		const left = new Map(reader.deliveries.map((delivery) => [delivery.topic, delivery]));
		const all = JSON.stringify(reader.deliveries);
		this.owe(left.size === reader.deliveries.length, `one value of each topic, not ${all}`);
		for (const [topic, values] of this.#values) {
			this.#compare(left.get(topic), values, from, qos, reader.version);
			left.delete(topic);
		}
		this.owe(left.size === 0, `nothing of ${[...left.keys()]}, not ${all}`);
		reader.send({ cmd: "disconnect" });
		reader.close();
	}

	/** @param values of a topic @param from when the reader has asked @param qos that it has asked for */
	#compare(
		delivery: Delivery | undefined,
		values: readonly Value[],
		from: number,
		qos: number,
		version: 4 | 5,
	): void {
		const got = JSON.stringify(delivery) ?? "nothing";
		for (const value of values) {
			const rest = (value.expiry ?? Infinity) * 1000 - (from - value.at);
			if (rest < -TOLERANCE_MS) continue;
			if (rest < TOLERANCE_MS && delivery?.payload !== value.payload) continue;
			const text = `${JSON.stringify(value)} after ${from - value.at} ms, not ${got}`;
			this.owe(delivery?.payload === value.payload && delivery.retain, text);
			const { expiry } = delivery!;
			this.owe(delivery!.qos === Math.min(qos, value.qos), text);
			const hasExpiry = version === 5 && value.expiry !== undefined;
			this.owe((expiry !== undefined) === hasExpiry, `an expiry as it was set, ${text}`);
			// [MQTT-3.3.2-6]
			if (expiry !== undefined)
				this.owe(Math.abs(expiry * 1000 - rest) <= TOLERANCE_MS, `an expiry of ${rest} ms, ${text}`);
			return;
		}
		this.owe(delivery === undefined, `no value, not ${got}`);
	}
}
