import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import type { ListenSettings } from "../../src/config/settings";
import { BrokerHarness } from "./support/broker-harness";
import { PowerCutStorage } from "./support/power-cut-storage";

const PERSIST_INTERVAL_MS = 60_000;
const persistent = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 100_000 } };

const defaultSettings: Partial<ListenSettings> = {
	keepAliveLimit: 0,
	retainedTopics: 12,
	sessions: 8,
	subscriptions: 9,
	queuedMessages: 30,
	queuedPerClient: 20,
	lastValue: "every",
	inFlight: 3,
};
/** Settings after a restart; some have no room for everything that is stored. */
const settingVariants: Partial<ListenSettings>[] = [
	defaultSettings,
	{ ...defaultSettings, retainedTopics: 3, subscriptions: 4, queuedMessages: 6 },
	{ ...defaultSettings, sessions: 7, queuedPerClient: 3, retainedBytes: 100, filterLevels: 5 },
	{ ...defaultSettings, queuedBytes: 64 },
];
/** Pools with room for everything that may be stored, including records that should be deleted. */
const largePools = {
	retainedTopics: 30,
	retainedBytes: 5000,
	sessions: 16,
	subscriptions: 30,
	queuedMessages: 80,
	queuedPerClient: 60,
	filterLevels: 60,
};

const digit = fc.integer({ min: 0, max: 2 });
const qos = fc.constantFrom(0, 1, 2);
const filter: fc.Arbitrary<string> = fc.constantFrom(
	"t/0",
	"t/1",
	"t/#",
	"$share/g/t/0",
	"$share/g/t/#",
	"$share/h/t/0",
);
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
		arbitrary: fc.record({
			do: fc.constant("come" as const),
			client: digit,
			clean: fc.constantFrom(false, false, true),
			freeze: fc.boolean(),
		}),
	},
	fc.record({
		do: fc.constant("go" as const),
		client: digit,
		expiry: fc.constantFrom(undefined, 0, 200_000),
	}),
	{ weight: 2, arbitrary: fc.record({ do: fc.constant("vanish" as const), client: digit }) },
	{
		weight: 3,
		arbitrary: fc.record({ do: fc.constant("acknowledge" as const), client: digit, count: digit }),
	},
	fc.record({ do: fc.constant("release" as const), client: digit }),
	{
		weight: 2,
		arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(10, 30_000, 60_000) }),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			do: fc.constant("restart" as const),
			variant: fc.nat({ max: settingVariants.length - 1 }),
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			do: fc.constant("fail" as const),
			calls: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }),
		}),
	},
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Client = ReturnType<BrokerHarness["client"]>;

/** A broker that is restarted, and three clients that connect and disconnect. */
class RestartScenario {
	settings = defaultSettings;
	flash = new PowerCutStorage();
	/** Time at tick 0 of the present broker's host, ms since 1970. */
	startTimeMs = 1_700_000_000_000;
	harness: BrokerHarness;
	#clients: (Client | undefined)[] = [];
	#id = 0;

	constructor() {
		this.harness = new BrokerHarness(defaultSettings, this.flash);
		for (let client = 0; client < 3; client++) {
			this.runStep({ do: "come", client, clean: true, freeze: client === 2 });
			this.runStep({
				do: "subscribe",
				client,
				filter: ["t/#", "t/1", "$share/g/t/1"][client]!,
				qos: 2,
				rh: 0,
				identifier: undefined,
			});
		}
	}

	get now(): number {
		return this.startTimeMs + this.harness.host.now;
	}

	/** Starts another broker on the same storage. */
	restart(settings: Partial<ListenSettings>): BrokerHarness {
		const { now } = this;
		this.flash = new PowerCutStorage(this.flash.values);
		const harness = new BrokerHarness(settings, this.flash);
		this.startTimeMs = now - harness.host.now;
		this.harness = harness;
		this.#clients = [];
		return this.harness;
	}

	/** Lets all clients read, after which the broker may send more, and store that it has. */
	thawAllClients(): void {
		for (const client of this.#clients) if (client?.socket.frozen) client.thaw();
	}

	/** Closes all connections without DISCONNECT. */
	dropAllClients(): void {
		for (const client of this.#clients) client?.drop();
	}

	runStep(step: Step): void {
		const { harness } = this;
		const id = ++this.#id;
		switch (step.do) {
			case "wait":
				harness.host.advance(step.ms);
				return;
			case "fail":
				for (const call of step.calls) this.flash.failingCalls.add(this.flash.calls + call);
				return;
			case "restart":
				harness.host.advance(PERSIST_INTERVAL_MS);
				this.settings = settingVariants[step.variant]!;
				this.restart(this.settings).host.advance(10);
				return;
			case "come": {
				const client = harness.peer();
				client.connect(`client-${step.client}`, { ...persistent, clean: step.clean });
				if (step.freeze) client.freeze();
				this.#clients[step.client] = client;
				return;
			}
			default:
				this.#runClientStep(step, this.#clients[step.client], id);
				if (step.do === "go" || step.do === "vanish") this.#clients[step.client] = undefined;
		}
	}

	#runClientStep(
		step: Exclude<Step, { do: "wait" | "fail" | "restart" | "come" }>,
		connectedClient: Client | undefined,
		id: number,
	): void {
		if (step.do === "publish") {
			const client = connectedClient ?? this.harness.client("sender");
			const properties = step.expiry === 0 ? {} : { messageExpiryInterval: step.expiry };
			client.publish(`t/${step.topic}`, step.payload, {
				retain: step.retain,
				qos: step.qos,
				...(step.qos > 0 && { messageId: id }),
				properties,
			});
			if (connectedClient === undefined) client.send({ cmd: "disconnect" });
			return;
		}
		if (connectedClient === undefined) return;
		if (step.do === "subscribe")
			connectedClient.subscribe(
				step.filter,
				{ qos: step.qos, rh: step.rh },
				step.identifier === undefined ? undefined : { subscriptionIdentifier: step.identifier },
			);
		else if (step.do === "unsubscribe")
			connectedClient.send({ cmd: "unsubscribe", messageId: id, unsubscriptions: [step.filter] });
		else if (step.do === "go")
			connectedClient.send({
				cmd: "disconnect",
				reasonCode: 0,
				...(step.expiry !== undefined && { properties: { sessionExpiryInterval: step.expiry } }),
			});
		else if (step.do === "vanish") connectedClient.drop();
		else if (step.do === "release") {
			const { messageId } = connectedClient.shift("pubrec") ?? {};
			if (messageId !== undefined) connectedClient.send({ cmd: "pubrel", messageId, reasonCode: 0 });
		} else for (let i = 0; i <= step.count; i++) acknowledgeNext(connectedClient);
	}
}

/** Acknowledges the next packet. @returns it as text; undefined if there is none */
function acknowledgeNext(client: Client): string | undefined {
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

/** State of a broker as its clients see it. */
function brokerState(harness: BrokerHarness): unknown {
	const values = [...harness.values()]
		.map(([topic, [text, , retained]]) => `${topic}=${text} ${retained}`)
		.sort();
	const { sessions, subscriptions } = harness.broker.usage;
	const clients = [0, 1, 2].map((i) => {
		const client = harness.peer();
		const { sessionPresent } = client.connect(`client-${i}`, persistent) as { sessionPresent?: boolean };
		const messages: string[] = [];
		for (let text = acknowledgeNext(client); text !== undefined; text = acknowledgeNext(client))
			if (!text.startsWith("pubrel")) messages.push(text);
		return { sessionPresent, messages };
	});
	const { queued, queuedBytes } = harness.broker.usage;
	return { values, sessions, subscriptions, clients, queued, queuedBytes };
}

test("restarts, changed pools and failing writes: the stored state equals the broker's state", () => {
	let scenario: RestartScenario | undefined;
	const clock = mock.method(Date, "now", () => scenario?.now ?? 1_700_000_001_000);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
			scenario = undefined;
			scenario = new RestartScenario();
			for (const each of steps) scenario.runStep(each);
			const { harness, flash } = scenario;
			harness.host.advance(PERSIST_INTERVAL_MS);
			flash.failingCalls.clear();
			scenario.thawAllClients();
			harness.host.advance(2 * PERSIST_INTERVAL_MS);
			scenario.dropAllClients();
			harness.host.advance(20);
			const again = scenario.restart({ ...scenario.settings, ...largePools });
			again.host.advance(20);
			assert.deepEqual(again.host.traces, []);
			assert.deepEqual(brokerState(again), brokerState(harness));
			assert.equal(harness.broker.counters.internalErrors + again.broker.counters.internalErrors, 0);
		}),
		{ numRuns: 200 },
	);
	clock.mock.restore();
});
