import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { IPublishPacket } from "mqtt-packet";
import { BrokerHarness } from "./support/broker-harness";
import { naiveMatch } from "./support/naive-match";
import type { TestClient } from "./support/test-client";

const CLIENTS = 3;
const TOPICS = ["a/0", "a/1", "a/2", "b/0", "b/1", "b/2"];
const FILTERS = ["#", "a/#", "b/+", "+/1", "a/2", "x/1", "x/2", "x/3", "x/4"];

type Step =
	| readonly ["publish", topic: number]
	| readonly ["subscribe", client: number, filters: number[]]
	| readonly ["unsubscribe", client: number, filter: number]
	| readonly ["toggle", client: number]
	| readonly ["wait", ms: number];

const client = fc.nat(CLIENTS - 1);
const filter = fc.nat(FILTERS.length - 1);
const steps = fc.array(
	fc.oneof(
		{ weight: 5, arbitrary: fc.tuple(fc.constant("publish" as const), fc.nat(TOPICS.length - 1)) },
		{
			weight: 3,
			arbitrary: fc.tuple(
				fc.constant("subscribe" as const),
				client,
				fc.uniqueArray(filter, { minLength: 1, maxLength: 6 }),
			),
		},
		{ weight: 1, arbitrary: fc.tuple(fc.constant("unsubscribe" as const), client, filter) },
		{ weight: 1, arbitrary: fc.tuple(fc.constant("toggle" as const), client) },
		{ weight: 4, arbitrary: fc.tuple(fc.constant("wait" as const), fc.integer({ min: 1, max: 5 })) },
	),
	{ minLength: 20, maxLength: 80 },
);

/** A client that comes and goes, and what it has been sent of each topic. */
class Subscriber {
	readonly #harness: BrokerHarness;
	readonly #id: string;
	/** Session and subscriptions of QoS 1 that last; otherwise QoS 0, and none of them lasts. */
	readonly #lasts: boolean;
	readonly filters = new Set<string>();
	/** The last value by topic; values of a topic increase. */
	readonly values = new Map<string, number>();
	#client: TestClient | undefined;

	constructor(harness: BrokerHarness, id: string, lasts: boolean) {
		this.#harness = harness;
		this.#id = id;
		this.#lasts = lasts;
		this.toggle();
	}

	get isConnected(): boolean {
		return this.#client !== undefined;
	}

	toggle(): void {
		if (this.#client === undefined) {
			const lasting = { clean: false, properties: { sessionExpiryInterval: 1000, receiveMaximum: 2 } };
			this.#client = this.#harness.client(this.#id, 5, { keepalive: 0, ...(this.#lasts ? lasting : {}) });
			if (this.#lasts) return;
			this.filters.clear();
			this.values.clear();
		} else {
			this.receive();
			this.#client.drop();
			this.#client = undefined;
		}
	}

	subscribe(filters: readonly string[]): void {
		if (this.#client === undefined) return;
		const qos = this.#lasts ? 1 : 0;
		this.#client.send({
			cmd: "subscribe",
			messageId: 60_000,
			subscriptions: filters.map((topic) => ({ topic, qos, rh: 0 })),
		});
		for (const topic of filters) this.filters.add(topic);
	}

	unsubscribe(topic: string): void {
		this.#client?.send({ cmd: "unsubscribe", messageId: 60_001, unsubscriptions: [topic] });
		if (this.#client !== undefined) this.filters.delete(topic);
	}

	receive(): void {
		for (let packet = this.#shift(); packet !== undefined; packet = this.#shift()) {
			const { topic, payload, qos, messageId } = packet;
			const value = Number(payload);
			const before = this.values.get(topic) ?? 0;
			assert.ok(value >= before, `${this.#id}: ${topic} was ${before}, then ${value}`);
			this.values.set(topic, value);
			if (qos === 1) this.#client!.send({ cmd: "puback", messageId });
		}
	}

	#shift(): IPublishPacket | undefined {
		return this.#client?.shift("publish") as IPublishPacket | undefined;
	}
}

function run(script: readonly Step[], lastValue: "retained" | "every", turnPackets: number): void {
	const queues = { queuedMessages: 400, queuedPerClient: 100, queuedBytes: 20_000 };
	const harness = new BrokerHarness({ lastValue, turnPackets, ...queues, subscriptions: 60 });
	const sender = harness.client("sender", 5, { keepalive: 0 });
	const subscribers = Array.from({ length: CLIENTS }, (_, i) => new Subscriber(harness, `c${i}`, i === 0));
	const latest = new Map<string, number>();
	let value = 0;
	for (const step of script) {
		if (step[0] === "publish") {
			const topic = TOPICS[step[1]]!;
			latest.set(topic, ++value);
			sender.publish(topic, `${value}`, { retain: true, qos: 1, messageId: value });
			sender.packets.length = 0;
		} else if (step[0] === "wait") {
			harness.host.advance(step[1]);
			for (const subscriber of subscribers) subscriber.receive();
		} else if (step[0] === "subscribe") subscribers[step[1]]!.subscribe(step[2].map((i) => FILTERS[i]!));
		else if (step[0] === "unsubscribe") subscribers[step[1]]!.unsubscribe(FILTERS[step[2]]!);
		else subscribers[step[1]]!.toggle();
	}
	for (let i = 0; i < 100; i++) {
		harness.host.advance(10);
		for (const subscriber of subscribers) subscriber.receive();
	}
	for (const [i, { isConnected, filters, values }] of subscribers.entries()) {
		if (!isConnected) continue;
		for (const [topic, expected] of latest)
			if ([...filters].some((filter) => naiveMatch(filter, topic)))
				assert.equal(values.get(topic), expected, `c${i}: ${topic}`);
	}
	assert.equal(harness.broker.counters.droppedQueue, 0);
	assert.equal(harness.broker.counters.internalErrors, 0);
}

for (const lastValue of ["retained", "every"] as const)
	test(`values while subscriptions wait for stored ones, lastValue "${lastValue}": none older comes after a newer one, and the newest comes`, () => {
		fc.assert(
			fc.property(steps, fc.integer({ min: 1, max: 4 }), (script, turnPackets) =>
				run(script, lastValue, turnPackets),
			),
			{ numRuns: 60 },
		);
	});
