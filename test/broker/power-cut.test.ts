import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import { BrokerHarness } from "./support/broker-harness";
import { PowerCutStorage, type TornWrite } from "./support/power-cut-storage";

const PERSIST_INTERVAL_MS = 60_000;
const persistent = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 100_000 } };
const settings = {
	keepAliveLimit: 0,
	retainedTopics: 4,
	sessions: 8,
	subscriptions: 6,
	queuedMessages: 12,
	queuedPerClient: 6,
	lastValue: "every",
} as const;

const digit = fc.integer({ min: 0, max: 2 });
const payload = fc.string({ minLength: 0, maxLength: 12 });
const step = fc.oneof(
	fc.record({
		do: fc.constant("publish" as const),
		topic: digit,
		payload,
		retain: fc.boolean(),
		qos: fc.constantFrom(0, 1, 2),
	}),
	fc.record({
		do: fc.constant("subscribe" as const),
		client: digit,
		topic: digit,
		qos: fc.constantFrom(0, 1, 2),
	}),
	fc.record({ do: fc.constant("unsubscribe" as const), client: digit, topic: digit }),
	fc.record({ do: fc.constant("come" as const), client: digit, clean: fc.boolean(), will: fc.boolean() }),
	fc.record({ do: fc.constant("go" as const), client: digit }),
	fc.record({ do: fc.constant("vanish" as const), client: digit }),
	fc.record({ do: fc.constant("acknowledge" as const), client: digit }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Three clients that connect and disconnect, and a fourth that publishes. */
class ScriptedClients {
	readonly #harness: BrokerHarness;
	readonly #clients: (ReturnType<BrokerHarness["client"]> | undefined)[] = [];
	#id = 0;

	constructor(harness: BrokerHarness) {
		this.#harness = harness;
	}

	runStep(step: Step): void {
		const id = ++this.#id;
		if (step.do === "publish") {
			const sender = this.#harness.client("sender");
			sender.publish(`t/${step.topic}`, step.payload, {
				retain: step.retain,
				qos: step.qos,
				...(step.qos > 0 && { messageId: id }),
			});
			sender.send({ cmd: "disconnect" });
			return;
		}
		if (step.do === "come") {
			const will = step.will
				? { will: { topic: `will/${step.client}`, payload: "gone", qos: 1, retain: true } }
				: {};
			this.#clients[step.client] = this.#harness.client(
				`client-${step.client}`,
				5,
				step.clean ? will : { ...persistent, ...will },
			);
			return;
		}
		const client = this.#clients[step.client];
		if (client === undefined || client.closed) return;
		if (step.do === "subscribe")
			client.subscribe(`t/${step.topic === 2 ? "#" : step.topic}`, { qos: step.qos });
		else if (step.do === "unsubscribe")
			client.send({
				cmd: "unsubscribe",
				messageId: id,
				unsubscriptions: [`t/${step.topic === 2 ? "#" : step.topic}`],
			});
		else if (step.do === "go" || step.do === "vanish") {
			if (step.do === "go") client.send({ cmd: "disconnect" });
			else client.drop();
			this.#clients[step.client] = undefined;
		} else
			for (const { qos, messageId } of client.publishes())
				if (qos > 0)
					client.send({
						cmd: qos === 1 ? "puback" : "pubrec",
						messageId,
						...(qos === 2 && { reasonCode: 0 }),
					});
	}
}

/** State of a broker on this storage, as its clients see it. */
function brokerState(flash: PowerCutStorage): string {
	const harness = new BrokerHarness(settings, new PowerCutStorage(flash.values));
	assert.deepEqual(harness.host.traces, []);
	harness.host.advance(20);
	const values = [...harness.values()]
		.map(([topic, [text, , retained]]) => `${topic}=${text} ${retained}`)
		.sort();
	const { sessions, subscriptions, queued, queuedBytes } = harness.broker.usage;
	const clients = [0, 1, 2].map((i) => {
		const client = harness.peer();
		const { sessionPresent } = client.connect(`client-${i}`, persistent) as { sessionPresent?: boolean };
		return { sessionPresent, packets: client.packets.map((packet) => JSON.stringify(packet)) };
	});
	return JSON.stringify({ values, sessions, subscriptions, queued, queuedBytes, clients });
}

test("power cut at any byte while state is stored: the new or the previous state is restored", () => {
	mock.method(Date, "now", () => 1_700_000_000_000); // so that the same steps write the same bytes
	let cuts = 0;
	fc.assert(
		fc.property(
			fc.array(step, { maxLength: 12 }),
			fc.array(step, { maxLength: 12 }),
			fc.integer(),
			(before, after, seed) => {
				const flash = new PowerCutStorage();
				const harness = new BrokerHarness(settings, flash);
				const clients = new ScriptedClients(harness);
				for (const each of before) clients.runStep(each);
				harness.host.advance(PERSIST_INTERVAL_MS);
				const valuesBefore = new Map(flash.values);
				const bytesBefore = flash.writtenBytes;
				for (const each of after) clients.runStep(each);
				harness.host.advance(PERSIST_INTERVAL_MS);
				assert.equal(harness.broker.counters.internalErrors + harness.broker.counters.storageFailures, 0);
				const stateBefore = brokerState(new PowerCutStorage(valuesBefore));
				const stateAfter = brokerState(flash);
				const bytes = flash.writtenBytes - bytesBefore;
				for (let i = 0; i < 6 && bytes > 0; i++) {
					const cutStorage = new PowerCutStorage();
					cutStorage.cutAtByte = bytesBefore + (((seed ^ (i * 0x9e3779b1)) >>> 0) % bytes);
					cutStorage.unsynced = i < 3 ? "kept" : i === 3 ? "lost" : seed;
					cutStorage.tornWrite = (["old", "part", "none"] as TornWrite[])[i % 3]!;
					replay(cutStorage, before, after, valuesBefore);
					const stateAfterCut = brokerState(cutStorage);
					assert.ok(
						stateAfterCut === stateBefore || stateAfterCut === stateAfter,
						`${stateAfterCut}\n${stateBefore}\n${stateAfter}`,
					);
					cuts++;
				}
			},
		),
		{ numRuns: 60 },
	);
	assert.ok(cuts > 100);
});

/** Repeats the steps on storage whose power is cut. */
function replay(
	cutStorage: PowerCutStorage,
	before: readonly Step[],
	after: readonly Step[],
	valuesBefore: ReadonlyMap<string, Uint8Array>,
): void {
	const harness = new BrokerHarness(settings, cutStorage);
	const clients = new ScriptedClients(harness);
	for (const each of before) clients.runStep(each);
	harness.host.advance(PERSIST_INTERVAL_MS);
	assert.deepEqual(cutStorage.values, valuesBefore);
	for (const each of after) clients.runStep(each);
	harness.host.advance(PERSIST_INTERVAL_MS);
}
