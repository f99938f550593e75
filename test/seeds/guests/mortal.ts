import type { Wait } from "./episode";
import { ANSWER_MS, Guest, SETTLING_MS } from "./guest";
import type { ScriptedClient } from "./scripted-client";

const TOPIC = "wills/mortal";
const CLIENT_ID = "mortal";
/** s */
const KEEP_ALIVE = 4;
/** The broker counts seconds; and the turns of others, ms. */
const TOLERANCE_MS = 1700;

/** How a connection ends, and the session with it. */
const ENDS = ["disconnect", "with will", "closed", "vanished", "taken over", "resumed"] as const;

/** What it draws for one life. */
interface Life {
	readonly version: 4 | 5;
	readonly end: (typeof ENDS)[number];
	/** Clean Session, Clean Start. */
	readonly clean: boolean;
	/** Whether the connection after it begins a new session. */
	readonly beginsAnew: boolean;
	/** s */
	readonly sessionExpiry: number;
	readonly delay: number;
	readonly qos: 0 | 1 | 2;
	readonly retain: boolean;
}

/**
 * Its will is published once, at its time, or never. "resumed": it closes, and comes back before the will is
 * due.
 */
export class Mortal extends Guest {
	#count = 0;

	protected *episode(): Generator<Wait, void, boolean> {
		const life = this.#drawLife();
		const { qos, retain, version } = life;
		const observer = this.connect(5, "mourner");
		yield* this.accepted(observer);
		yield* this.#subscribe(observer);
		const payload = `will ${++this.#count}`;
		const will = {
			topic: TOPIC,
			payload: Buffer.from(payload),
			qos,
			retain,
			...(version === 5 && life.delay > 0 ? { properties: { willDelayInterval: life.delay } } : {}),
		};
		const properties = life.sessionExpiry > 0 ? { sessionExpiryInterval: life.sessionExpiry } : {};
		const mortal = this.connect(
			version,
			CLIENT_ID,
			{
				clean: life.clean,
				keepalive: KEEP_ALIVE,
				will,
				properties,
			},
			1,
		);
		yield* this.accepted(mortal);
		yield { ms: this.draw.integer(0, 1500) };
		this.owe(observer.deliveries.length === 0, `no will before the end, ${JSON.stringify(life)}`);
		const due = yield* this.#end(mortal, life);
		yield* this.#judge(observer, payload, life, due);
		if (retain && due !== undefined) yield* this.#clear(observer);
		yield* this.#leave(observer);
	}

	#drawLife(): Life {
		const { draw } = this;
		const version = draw.pick([4, 5] as const);
		const clean = draw.chance(0.5);
		return {
			version,
			end: draw.pick(ENDS.filter((end) => version === 5 || end !== "with will")),
			clean,
			beginsAnew: draw.chance(0.4),
			sessionExpiry: version === 5 ? draw.pick([0, 2, 4, 8]) : 0,
			delay: version === 5 ? draw.pick([0, 0, 2, 5]) : 0,
			qos: draw.pick([0, 1, 2] as const),
			retain: draw.chance(0.5),
		};
	}

	*#subscribe(client: ScriptedClient): Generator<Wait, void, boolean> {
		const id = this.nextId();
		client.send({
			cmd: "subscribe",
			messageId: id,
			subscriptions: [{ topic: "wills/#", qos: 2, rap: true, rh: 2 }],
		});
		yield* this.answer(client, id);
	}

	/** Ends the connection. @returns when the will is due, ms since 1970; undefined: never */
	*#end(mortal: ScriptedClient, life: Life): Generator<Wait, number | undefined, boolean> {
		const { end, version, delay, sessionExpiry } = life;
		// The end of the session publishes it, if that comes first (§3.1.3.2.2)
		const wait = Math.min(delay, sessionExpiry) * 1000;
		const from = this.now;
		switch (end) {
			case "disconnect":
				mortal.send({ cmd: "disconnect" });
				mortal.close();
				return undefined;
			case "with will":
				mortal.send({ cmd: "disconnect", reasonCode: 4 });
				mortal.close();
				return from + wait;
			case "closed":
				mortal.close();
				return from + wait;
			case "vanished":
				// Its last packet was CONNECT, within two seconds and a round trip before
				this.hosts[1].reset();
				yield { ms: KEEP_ALIVE * 1500 - 2000 };
				return from + KEEP_ALIVE * 1500 + wait;
			case "taken over":
			case "resumed": {
				if (end === "resumed") mortal.close();
				if (end === "resumed") yield { ms: Math.min(1000, Math.max(0, wait - 1000)) };
				const comesBack = this.now;
				yield* this.#comeBack(life);
				const published = end === "resumed" && comesBack - from > wait ? from + wait : undefined;
				if (published !== undefined) return published;
				// Over 5.0, with a delay, a session that goes on has no will any more
				const goesOn = !life.beginsAnew && sessionExpiry > 0;
				if (version === 5 && delay > 0 && goesOn) return undefined;
				return end === "resumed" && wait === 0 ? from : comesBack;
			}
		}
	}

	/** Connects again, without a will, and leaves. */
	*#comeBack({ version, beginsAnew, sessionExpiry }: Life): Generator<Wait, void, boolean> {
		const again = this.connect(
			version,
			CLIENT_ID,
			{
				clean: beginsAnew,
				properties: sessionExpiry > 0 ? { sessionExpiryInterval: 1 } : {},
			},
			1,
		);
		yield* this.accepted(again);
		again.send({ cmd: "disconnect" });
		again.close();
	}

	*#judge(
		observer: ScriptedClient,
		payload: string,
		{ qos, retain, ...life }: Life,
		due: number | undefined,
	): Generator<Wait, void, boolean> {
		const { deliveries } = observer;
		const text = JSON.stringify({ ...life, qos, retain });
		if (due === undefined) {
			yield { ms: 8000 + TOLERANCE_MS, until: () => deliveries.length > 0 };
			this.owe(deliveries.length === 0, `no will, ${text}`);
			return;
		}
		const isEarly = (): boolean => this.now < due - TOLERANCE_MS && deliveries.length > 0;
		const early = Math.max(0, due - TOLERANCE_MS - this.now);
		this.owe(!(yield { ms: early, until: isEarly }), `a will later than now, ${text}`);
		const rest = Math.max(0, due - this.now) + TOLERANCE_MS + ANSWER_MS;
		this.owe(yield { ms: rest, until: () => deliveries.length > 0 }, `a will, ${text}`);
		yield { ms: SETTLING_MS };
		const [will, ...more] = deliveries;
		const isRight =
			more.length === 0 && will!.payload === payload && will!.qos === qos && will!.retain === retain;
		this.owe(isRight, `one will as it was set, ${text}, not ${JSON.stringify(deliveries)}`);
	}

	*#clear(observer: ScriptedClient): Generator<Wait, void, boolean> {
		const id = this.nextId();
		observer.publish(TOPIC, "", 1, id, true);
		yield* this.answer(observer, id);
	}

	*#leave(observer: ScriptedClient): Generator<Wait, void, boolean> {
		yield { ms: SETTLING_MS };
		observer.send({ cmd: "disconnect" });
	}
}
