import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import type { ListenSettings } from "../../src/config/settings";
import { Flash } from "./support/flash";
import { World } from "./support/world";

const INTERVAL = 60_000;
const lasting = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 100_000 } };

const usual: Partial<ListenSettings> = {
	keepAliveLimit: 0,
	retainedTopics: 12,
	sessions: 8,
	subscriptions: 9,
	queuedMessages: 30,
	queuedPerClient: 20,
	lastValue: "every",
	inFlight: 3,
};
/** Configurations that a restart may bring; some have no room for all that is stored. */
const variants: Partial<ListenSettings>[] = [
	usual,
	{ ...usual, retainedTopics: 3, subscriptions: 4, queuedMessages: 6 },
	{ ...usual, sessions: 7, queuedPerClient: 3, retainedBytes: 100, filterLevels: 5 },
	{ ...usual, queuedBytes: 64 },
];
/** In which there is room for all that may be stored, also for what should not be any more. */
const wide = { retainedTopics: 30, retainedBytes: 5000, sessions: 16, subscriptions: 30, queuedMessages: 80, queuedPerClient: 60, filterLevels: 60 };

const digit = fc.integer({ min: 0, max: 2 });
const qos = fc.constantFrom(0, 1, 2);
const filter: fc.Arbitrary<string> = fc.constantFrom("t/0", "t/1", "t/#", "$share/g/t/0", "$share/g/t/#", "$share/h/t/0");
const publish = fc.record({
	do: fc.constant("publish" as const),
	client: fc.integer({ min: 0, max: 3 }),
	topic: digit,
	payload: fc.string({ maxLength: 12 }),
	retain: fc.boolean(),
	qos,
	expiry: fc.constantFrom(0, 0, 30, 100, 500),
});
const subscribe = fc.record({
	do: fc.constant("subscribe" as const),
	client: digit,
	filter,
	qos,
	rh: digit,
	identifier: fc.constantFrom(undefined, 5, 300),
});
const step = fc.oneof(
	{ weight: 6, arbitrary: publish },
	{ weight: 4, arbitrary: subscribe },
	fc.record({ do: fc.constant("unsubscribe" as const), client: digit, filter }),
	{
		weight: 4,
		arbitrary: fc.record({ do: fc.constant("come" as const), client: digit, clean: fc.constantFrom(false, false, true), freeze: fc.boolean() }),
	},
	fc.record({ do: fc.constant("go" as const), client: digit, expiry: fc.constantFrom(undefined, 0, 200_000) }),
	{ weight: 2, arbitrary: fc.record({ do: fc.constant("vanish" as const), client: digit }) },
	{ weight: 3, arbitrary: fc.record({ do: fc.constant("acknowledge" as const), client: digit, count: digit }) },
	fc.record({ do: fc.constant("release" as const), client: digit }),
	{ weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(10, 30_000, 60_000) }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant("restart" as const), variant: fc.nat({ max: variants.length - 1 }) }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant("fail" as const), calls: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Client = ReturnType<World["client"]>;

/** A broker through restarts, and three clients that come and go. */
class Story {
	settings = usual;
	flash = new Flash();
	/** Time of the brokers before this one, ms. */
	past = 1_700_000_000_000;
	world: World;
	#clients: (Client | undefined)[] = [];
	#id = 0;

	constructor() {
		this.world = new World(usual, this.flash);
		for (let client = 0; client < 3; client++) {
			this.take({ do: "come", client, clean: true, freeze: client === 2 });
			this.take({ do: "subscribe", client, filter: ["t/#", "t/1", "$share/g/t/1"][client]!, qos: 2, rh: 0, identifier: undefined });
		}
	}

	get now(): number {
		return this.past + this.world.host.now;
	}

	/** Another broker on the same storage. */
	next(settings: Partial<ListenSettings>): World {
		const { now } = this;
		this.flash = new Flash(this.flash.values);
		const world = new World(settings, this.flash);
		this.past = now - world.host.now;
		this.world = world;
		this.#clients = [];
		return this.world;
	}

	/** All clients vanish. */
	disperse(): void {
		for (const client of this.#clients) {
			if (client?.socket.frozen) client.thaw();
			client?.drop();
		}
	}

	take(step: Step): void {
		const { world } = this;
		const id = ++this.#id;
		switch (step.do) {
			case "wait":
				world.host.advance(step.ms);
				return;
			case "fail":
				for (const call of step.calls) this.flash.failures.add(this.flash.calls + call);
				return;
			case "restart":
				world.host.advance(INTERVAL);
				this.settings = variants[step.variant]!;
				this.next(this.settings).host.advance(10);
				return;
			case "come": {
				const client = world.peer();
				client.open(`client-${step.client}`, { ...lasting, clean: step.clean });
				if (step.freeze) client.freeze();
				this.#clients[step.client] = client;
				return;
			}
			default:
				this.#act(step, this.#clients[step.client], id);
				if (step.do === "go" || step.do === "vanish") this.#clients[step.client] = undefined;
		}
	}

	#act(step: Exclude<Step, { do: "wait" | "fail" | "restart" | "come" }>, known: Client | undefined, id: number): void {
		if (step.do === "publish") {
			const client = known ?? this.world.client("sender");
			const properties = step.expiry === 0 ? {} : { messageExpiryInterval: step.expiry };
			client.publish(`t/${step.topic}`, step.payload, { retain: step.retain, qos: step.qos, ...(step.qos > 0 && { messageId: id }), properties });
			if (known === undefined) client.send({ cmd: "disconnect" });
			return;
		}
		if (known === undefined) return;
		if (step.do === "subscribe")
			known.subscribe(
				step.filter,
				{ qos: step.qos, rh: step.rh },
				step.identifier === undefined ? undefined : { subscriptionIdentifier: step.identifier },
			);
		else if (step.do === "unsubscribe") known.send({ cmd: "unsubscribe", messageId: id, unsubscriptions: [step.filter] });
		else if (step.do === "go")
			known.send({ cmd: "disconnect", reasonCode: 0, ...(step.expiry !== undefined && { properties: { sessionExpiryInterval: step.expiry } }) });
		else if (step.do === "vanish") known.drop();
		else if (step.do === "release") {
			const { messageId } = known.shift("pubrec") ?? {};
			if (messageId !== undefined) known.send({ cmd: "pubrel", messageId, reasonCode: 0 });
		} else for (let i = 0; i <= step.count; i++) answer(known);
	}
}

/** Answers what came first. @returns it as text; undefined if nothing did */
function answer(client: Client): string | undefined {
	const packet = client.shift("publish") ?? client.shift("pubrel");
	if (packet === undefined) return undefined;
	const { messageId } = packet;
	if (packet.cmd !== "publish") {
		client.send({ cmd: "pubcomp", messageId, reasonCode: 0 });
		return `pubrel ${messageId}`;
	}
	const { topic, payload, qos, dup, retain, properties } = packet;
	if (qos > 0) client.send({ cmd: qos === 1 ? "puback" : "pubrec", messageId, reasonCode: 0 });
	const { messageExpiryInterval: expiry, subscriptionIdentifier: identifier } = properties ?? {};
	return JSON.stringify([topic, String(payload), qos, retain, dup && messageId, expiry, identifier]);
}

/** All that a broker knows, as its clients see it. */
function knowledge(world: World): unknown {
	const values = [...world.values()].map(([topic, [text, , retained]]) => `${topic}=${text} ${retained}`).sort();
	const { sessions, subscriptions } = world.broker.usage;
	const clients = [0, 1, 2].map((i) => {
		const client = world.peer();
		const { sessionPresent } = client.open(`client-${i}`, lasting) as { sessionPresent?: boolean };
		const messages: string[] = [];
		for (let text = answer(client); text !== undefined; text = answer(client)) if (!text.startsWith("pubrel")) messages.push(text);
		return { sessionPresent, messages };
	});
	const { queued, queuedBytes } = world.broker.usage;
	return { values, sessions, subscriptions, clients, queued, queuedBytes };
}

test("through restarts, changed pools and writes that fail: what is stored in the end is what the broker knows, nothing less and nothing more", () => {
	let story: Story | undefined;
	const clock = mock.method(Date, "now", () => story?.now ?? 1_700_000_001_000);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
			story = undefined;
			story = new Story();
			for (const each of steps) story.take(each);
			const { world, flash } = story;
			world.host.advance(INTERVAL);
			flash.failures.clear();
			world.host.advance(2 * INTERVAL);
			story.disperse();
			world.host.advance(20);
			const again = story.next({ ...story.settings, ...wide });
			again.host.advance(20);
			assert.deepEqual(again.host.traces, []);
			assert.deepEqual(knowledge(again), knowledge(world));
			assert.equal(world.broker.counters.internal + again.broker.counters.internal, 0);
		}),
		{ numRuns: 200 },
	);
	clock.mock.restore();
});
