import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type {
	IConnackPacket,
	IPubackPacket,
	IPublishPacket,
	IPubrecPacket,
	IPubrelPacket,
} from "mqtt-packet";
import { defaults } from "../../src/config/defaults";
import { BrokerHarness } from "./support/broker-harness";
import type { TestClient } from "./support/test-client";

const persistent = { clean: false, properties: { sessionExpiryInterval: 3600 } };
const shareOfEntries = defaults.listen.queuedMessages / defaults.listen.sessions;

/** Subscribes with a session that lasts, and leaves. */
function leave(harness: BrokerHarness, id: string, topic: string, qos = 1): void {
	const peer = harness.client(id, 5, persistent);
	peer.subscribe(topic, { qos });
	peer.drop();
}

/** Publishes with QoS 1 or 2 and returns the reason code of PUBACK or PUBREC, after the whole exchange. */
function publish(
	sender: TestClient,
	topic: string,
	payload: string,
	fields: Record<string, unknown> = {},
): number | undefined {
	const { qos = 1 } = fields;
	sender.publish(topic, payload, { messageId: 1, qos, ...fields });
	if (qos === 1) return (sender.shift("puback") as IPubackPacket | undefined)?.reasonCode;
	const code = (sender.shift("pubrec") as IPubrecPacket | undefined)?.reasonCode;
	sender.send({ cmd: "pubrel", messageId: 1 });
	assert.ok(sender.shift("pubcomp"));
	return code;
}

/** Receives and acknowledges everything, with PUBACK or the exchange of QoS 2. */
function receive(peer: TestClient): string[] {
	const got: string[] = [];
	for (let batch = peer.publishes(); batch.length > 0; batch = peer.publishes()) {
		for (const { payload, messageId, qos } of batch) {
			got.push(String(payload));
			if (qos === 1) peer.send({ cmd: "puback", messageId });
			if (qos !== 2) continue;
			peer.send({ cmd: "pubrec", messageId });
			assert.equal((peer.shift("pubrel") as IPubrelPacket).messageId, messageId);
			peer.send({ cmd: "pubcomp", messageId });
		}
	}
	return got;
}

/** Messages that wait for a client, which reconnects and reads them all. */
function receiveAsBefore(harness: BrokerHarness, id: string): string[] {
	return receive(harness.client(id, 5, persistent));
}

describe("a recipient without room loses its messages, and nobody else notices", () => {
	test("a session that is away, and five of them: every PUBLISH is acknowledged, stored and delivered", () => {
		for (const [away, size] of [
			[1, 200],
			[5, 20],
			[13, 200],
		]) {
			const harness = new BrokerHarness();
			for (let i = 0; i < away; i++) leave(harness, `away${i}`, "home/#");
			const sender = harness.client("sender");
			const live = harness.client("live", 5, persistent);
			live.subscribe("home/#", { qos: 1 });
			const v4Sender = harness.client("four", 4);
			const sent: string[] = [];
			for (let i = 0; i < 60; i++) {
				const payload = `${i}`.padEnd(size, ".");
				sent.push(payload);
				if (i % 2 === 0) assert.equal(publish(sender, "home/a", payload, { retain: true }), 0);
				else {
					v4Sender.publish("home/a", payload, { qos: 1, messageId: 9, retain: true });
					assert.ok(v4Sender.shift("puback"));
				}
				assert.deepEqual(receive(live), [payload]);
				assert.deepEqual(harness.values().get("home/a")?.[0], payload);
			}
			assert.ok(!v4Sender.closed);
			assert.equal(harness.broker.counters.publishesOverQuota, 0);
			const waiting = receiveAsBefore(harness, "away0");
			assert.ok(waiting.length >= shareOfEntries);
			assert.deepEqual(
				waiting,
				sent.filter((payload) => waiting.includes(payload)),
				"in order",
			);
		}
	});

	test("all entries are borrowed: one is given back for a message in flight to a session that does not last", () => {
		const queuedMessages = 32;
		const harness = new BrokerHarness({ queuedMessages, queuedPerClient: queuedMessages, sessions: 8 });
		leave(harness, "away", "a");
		const sender = harness.client("sender");
		for (let i = 0; i < queuedMessages; i++) assert.equal(publish(sender, "a", `${i}`), 0);
		const { usage, counters } = harness.broker;
		assert.deepEqual([usage.queued, counters.droppedQueue], [queuedMessages, 0]);
		const live = harness.client("live");
		live.subscribe("b", { qos: 1 });
		assert.equal(publish(sender, "b", "x"), 0);
		assert.deepEqual([harness.broker.usage.queued, counters.droppedQueue], [queuedMessages, 1]);
		assert.deepEqual(receive(live), ["x"]);
		assert.equal(harness.broker.usage.queued, queuedMessages - 1);
	});

	test("a connected subscriber that does not read: the same", () => {
		for (const fields of [{}, persistent]) {
			const harness = new BrokerHarness();
			const frozen = harness.client("frozen", 5, fields);
			frozen.subscribe("#", { qos: 1 });
			frozen.freeze();
			const sender = harness.client("sender");
			const live = harness.client("live");
			live.subscribe("#", { qos: 2 });
			for (let i = 0; i < 100; i++) {
				const qos = 1 + (i % 2);
				assert.equal(publish(sender, "t", `${i}`.padEnd(400, "."), { qos }), 0);
				assert.equal(receive(live).length, 1);
			}
			assert.ok(harness.broker.counters.droppedQueue > 80);
		}
	});

	test("unreleased QoS 2 identifiers take nothing from others", () => {
		const harness = new BrokerHarness();
		for (let i = 0; i < 6; i++) {
			const peer = harness.client(`holds${i}`, 5, persistent);
			for (let id = 1; id <= defaults.listen.receiveMaximum; id++) {
				peer.publish("x", "", { qos: 2, messageId: id });
				assert.equal((peer.shift("pubrec") as IPubrecPacket).reasonCode, 0x10);
			}
		}
		const live = harness.client("live");
		live.subscribe("t", { qos: 2 });
		const sender = harness.client("sender");
		for (let i = 0; i < 16; i++) assert.equal(publish(sender, "t", `${i}`, { qos: 2 }), 0);
		assert.equal(receive(live).length, 16);
	});

	test("a will whose recipients have no room is stored and delivered to the others", () => {
		const harness = new BrokerHarness({ queuedMessages: 16 });
		leave(harness, "away", "#");
		const will = { topic: "w", payload: Buffer.from("gone"), qos: 1, retain: true };
		const mortal = harness.client("mortal", 5, { will });
		const sender = harness.client("sender");
		for (let i = 0; i < 20; i++) publish(sender, "t", "x");
		const live = harness.client("live");
		live.subscribe("w", { qos: 1 });
		mortal.drop();
		assert.deepEqual(receive(live), ["gone"]);
		assert.equal(harness.values().get("w")?.[0], "gone");
	});
});

describe("a retained value that finds no place", () => {
	test("with QoS 0: delivered, counted, and traced once in a minute", () => {
		const harness = new BrokerHarness({ retainedTopics: 2 });
		const live = harness.client("live", 5, { keepalive: 0 });
		live.subscribe("#");
		const sender = harness.client("sender", 5, { keepalive: 0 });
		const configure = (count: number) => {
			for (let i = 0; i < count; i++) sender.publish(`config/${i}`, `${i}`, { retain: true });
			assert.equal(live.publishes().length, count);
		};
		configure(40);
		const trace = (i: number) => `broker: no place for the retained value of config/${i}`;
		assert.deepEqual(harness.host.traces, [trace(2)]);
		assert.equal(harness.broker.counters.publishesOverQuota, 38);
		harness.host.advance(59_000);
		configure(3);
		assert.equal(harness.host.traces.length, 1);
		harness.host.advance(1000);
		configure(4);
		assert.deepEqual(harness.host.traces, [trace(2), trace(2)]);
	});

	test("of a will: delivered with its QoS, and the value before it is no longer handed out", () => {
		for (const qos of [0, 1, 2]) {
			const harness = new BrokerHarness({ retainedBytes: 32 });
			const watcher = harness.client("watcher", 5, persistent);
			watcher.subscribe("status", { qos: 2 });
			watcher.drop();
			const live = harness.client("live");
			live.subscribe("status", { qos: 2 });
			harness.client("sender").publish("other", "taken", { retain: true });
			const will = { topic: "status", payload: Buffer.from("lost".padEnd(20)), qos, retain: true };
			const mortal = harness.client("mortal", 5, { will });
			mortal.publish("status", "online", { retain: true });
			assert.equal(harness.values().get("status")?.[0], "online");
			assert.deepEqual(receive(live), ["online"]);
			mortal.drop();
			assert.deepEqual(
				live.publishes().map((packet) => [String(packet.payload).trim(), packet.qos]),
				[["lost", qos]],
			);
			assert.equal(harness.values().get("status"), undefined);
			assert.equal(receiveAsBefore(harness, "watcher").length, qos === 0 ? 0 : 1);
			assert.equal(harness.broker.counters.publishesOverQuota, 1);
		}
	});
});

describe("shares of the queues", () => {
	test("entries: a session within its share gets them back from the largest borrower that is away", () => {
		const harness = new BrokerHarness({ queuedPerClient: 64 });
		leave(harness, "large", "large");
		leave(harness, "small", "small");
		leave(harness, "owner", "own");
		const sender = harness.client("sender");
		const slow = harness.client("slow", 5, { properties: { receiveMaximum: 1 } });
		slow.subscribe("slow", { qos: 1 });
		for (let i = 0; i < 30; i++) publish(sender, "slow", `${i}`);
		for (let i = 0; i < 12; i++) publish(sender, "small", `${i}`);
		for (let i = 0; i < 22; i++) publish(sender, "large", `${i}`);
		assert.equal(harness.broker.usage.queued, 64);
		assert.equal(harness.broker.counters.droppedQueue, 0);
		for (let i = 0; i < shareOfEntries; i++) publish(sender, "own", `${i}`);
		assert.equal(harness.broker.counters.droppedQueue, shareOfEntries);
		assert.deepEqual(receiveAsBefore(harness, "owner"), ["0", "1", "2", "3"]);
		assert.deepEqual(
			receiveAsBefore(harness, "large"),
			Array.from({ length: 18 }, (_, i) => `${i + 4}`),
			"its oldest were taken",
		);
		assert.equal(receiveAsBefore(harness, "small").length, 12);
		assert.equal(receive(slow).length, 30);
		assert.equal(harness.broker.usage.queued, 0);
	});

	test("a session that is away keeps its share though a connected one that does not read holds the rest", () => {
		const harness = new BrokerHarness({ queuedPerClient: 64 });
		leave(harness, "modest", "modest");
		leave(harness, "owner", "own");
		const sender = harness.client("sender");
		const slow = harness.client("slow", 5, { properties: { receiveMaximum: 1 } });
		slow.subscribe("slow", { qos: 1 });
		for (let i = 0; i < shareOfEntries; i++) publish(sender, "modest", `${i}`);
		for (let i = 0; i < 70; i++) publish(sender, "slow", `${i}`);
		for (let i = 0; i < shareOfEntries; i++) publish(sender, "own", `${i}`);
		assert.deepEqual(receiveAsBefore(harness, "modest"), ["0", "1", "2", "3"]);
		assert.deepEqual(receiveAsBefore(harness, "owner"), ["0", "1", "2", "3"]);
		const got = receive(slow);
		assert.equal(got.length, 64 - 2 * shareOfEntries);
		assert.equal(got[0], "0", "what is in flight to it is not taken");
	});

	test("bytes: the same; a content that several hold is freed when all have given it back", () => {
		const harness = new BrokerHarness({ queuedBytes: 1600, sessions: 16 });
		for (const id of ["a", "b", "c"]) leave(harness, id, "all");
		leave(harness, "owner", "own");
		const sender = harness.client("sender");
		for (let i = 0; i < 16; i++) publish(sender, "all", `${i}`.padEnd(97, "."));
		for (let i = 0; i < 3; i++) publish(sender, "own", `${i}`.padEnd(29, "."));
		assert.deepEqual(
			receiveAsBefore(harness, "owner").map((text) => text.slice(0, 1)),
			["0", "1", "2"],
		);
		for (const id of ["a", "b", "c"]) assert.equal(receiveAsBefore(harness, id).length, 14, id);
		assert.deepEqual([harness.broker.usage.queued, harness.broker.usage.queuedBytes], [0, 0]);
	});

	test("two that borrow end with as much as each other, whoever came first", () => {
		const harness = new BrokerHarness({ queuedPerClient: 64, queuedMessages: 32 });
		leave(harness, "first", "first");
		leave(harness, "second", "second");
		const sender = harness.client("sender");
		for (let i = 0; i < 40; i++) publish(sender, "first", `${i}`);
		for (let i = 0; i < 40; i++) publish(sender, "second", `${i}`);
		assert.deepEqual(
			[receiveAsBefore(harness, "first").length, receiveAsBefore(harness, "second").length],
			[16, 16],
		);
	});

	test("a message larger than all bytes for messages evicts nothing", () => {
		const harness = new BrokerHarness({ queuedBytes: 128 });
		leave(harness, "away", "t");
		const sender = harness.client("sender");
		publish(sender, "t", "small");
		publish(sender, "t", "x".repeat(300));
		assert.deepEqual(receiveAsBefore(harness, "away"), ["small"]);
		assert.equal(harness.broker.counters.droppedQueue, 1);
	});
});

describe("messages in flight that have no entry", () => {
	/** All entries are in flight to other clients, which do not acknowledge. */
	function withoutEntries(qos: number): { harness: BrokerHarness; sender: TestClient; live: TestClient } {
		const harness = new BrokerHarness({ queuedMessages: 4, sessions: 4, inFlight: 4 });
		const sender = harness.client("sender");
		const live = harness.client("live", 5, { ...persistent, keepalive: 0 });
		for (const id of ["a", "b"]) {
			const silent = harness.client(id);
			silent.subscribe("x", { qos: 1 });
			publish(sender, "x", "1");
			if (id === "b") publish(sender, "x", "2");
		}
		live.subscribe("t", { qos });
		return { harness, sender, live };
	}

	test("a client that reads and acknowledges receives everything, within its Receive Maximum", () => {
		for (const qos of [1, 2]) {
			const { harness, sender, live } = withoutEntries(qos);
			for (let i = 0; i < 4; i++) publish(sender, "t", `${i}`, { qos });
			assert.deepEqual(receive(live), ["0", "1", "2", "3"]);
			for (let i = 0; i < 50; i++) {
				publish(sender, "t", `${i}`, { qos });
				assert.deepEqual(receive(live), [`${i}`]);
			}
			live.drop();
			assert.equal(harness.broker.counters.droppedQueue, 0);
		}
	});

	test("when the connection is lost before their acknowledgement, they are counted as lost", () => {
		const harness = new BrokerHarness({ queuedMessages: 2, sessions: 4, inFlight: 8 });
		const sender = harness.client("sender");
		const live = harness.client("live", 5, persistent);
		live.subscribe("t", { qos: 1 });
		for (let i = 0; i < 6; i++) publish(sender, "t", `${i}`);
		assert.equal(live.publishes().length, 6);
		live.drop();
		assert.equal(harness.broker.counters.droppedQueue, 4);
		const again = harness.peer();
		const { properties } = again.connect("live", persistent) as IConnackPacket;
		assert.equal(properties?.userProperties?.["firefly-lost"], "4");
		assert.deepEqual(receive(again), ["0", "1"]);
	});

	test("QoS 2 and received: it keeps its send quota until PUBCOMP, and is not lost with the connection", () => {
		const { harness, sender, live } = withoutEntries(2);
		for (let i = 0; i < 5; i++) publish(sender, "t", `${i}`, { qos: 2 });
		const messages = live.publishes();
		assert.equal(messages.length, 4);
		const { droppedQueue } = harness.broker.counters;
		for (const { messageId } of messages) {
			live.send({ cmd: "pubrec", messageId });
			assert.ok(live.shift("pubrel"));
			assert.equal(live.publishes().length, 0);
		}
		live.drop();
		assert.equal(harness.broker.counters.droppedQueue, droppedQueue);
	});

	test("[MQTT-4.3.3-4] QoS 2 without room to keep it: after a reconnect PUBREL frees its identifier", () => {
		const harness = new BrokerHarness({ queuedBytes: 128 });
		const sender = harness.client("sender");
		const live = harness.client("live", 5, persistent);
		live.subscribe("t", { qos: 2 });
		publish(sender, "t", "x".repeat(200), { qos: 2 });
		const [{ messageId }] = live.publishes();
		live.drop();
		const again = harness.client("live", 5, persistent);
		assert.equal((again.shift("pubrel") as IPubrelPacket).messageId, messageId);
		assert.equal(again.publishes().length, 0);
		again.send({ cmd: "pubcomp", messageId });
		assert.equal(harness.broker.usage.queued, 0);
	});
});

test("a client that finds its session again is told how many messages it has lost", () => {
	const harness = new BrokerHarness({ queuedPerClient: 2 });
	leave(harness, "away", "t");
	const sender = harness.client("sender");
	for (let i = 0; i < 5; i++) publish(sender, "t", `${i}`);
	for (let round = 0; round < 2; round++) {
		const peer = harness.peer();
		const connack = peer.connect("away", persistent) as IConnackPacket;
		assert.deepEqual(
			{ ...connack.properties?.userProperties },
			{ "firefly-queued": round === 0 ? "2" : "0", "firefly-lost": "3" },
		);
		assert.equal(receive(peer).length, round === 0 ? 2 : 0);
		peer.drop();
	}
	leave(harness, "away", "t");
	harness.client("away").drop();
	harness.client("away", 5, persistent).drop();
	const { properties } = harness.peer().connect("away", persistent) as IConnackPacket;
	assert.deepEqual({ ...properties?.userProperties }, { "firefly-queued": "0" }, "of this session");
});

test("stored values with QoS 1 for a new subscriber arrive though others hold all entries or bytes", () => {
	for (const settings of [{ queuedMessages: 8 }, { queuedBytes: 256 }]) {
		for (const fields of [{}, persistent]) {
			const harness = new BrokerHarness({ ...settings, sessions: 8 });
			const sender = harness.client("sender");
			for (let i = 0; i < 20; i++) publish(sender, `v/${i}`, `${i}`.padEnd(30, "."), { retain: true });
			leave(harness, "away", "t");
			const silent = harness.client("silent");
			silent.subscribe("t", { qos: 1 });
			for (let i = 0; i < 20; i++) publish(sender, "t", "x".repeat(30));
			const live = harness.client("live", 5, fields);
			live.subscribe("v/#", { qos: 1 });
			assert.deepEqual(
				receive(live)
					.map((text) => Number.parseInt(text, 10))
					.sort((a, b) => a - b),
				Array.from({ length: 20 }, (_, i) => i),
			);
		}
	}
});

test("stored values for a persistent session: no more are under way than there is room to keep", () => {
	const harness = new BrokerHarness({ queuedBytes: 128 });
	const sender = harness.client("sender");
	for (let i = 0; i < 10; i++) publish(sender, `v/${i}`, `${i}`.padEnd(30, "."), { retain: true });
	const peer = harness.client("peer", 5, persistent);
	peer.subscribe("v/#", { qos: 1 });
	assert.equal(peer.publishes().length, 3);
	peer.drop();
	assert.equal(harness.broker.counters.droppedQueue, 0);
	const again = receiveAsBefore(harness, "peer").map((text) => text.slice(0, 1));
	assert.deepEqual([...new Set(again)].sort(), [..."0123456789"]);
});

test("[MQTT-3.10.4-2] UNSUBSCRIBE while stored values are sent: the rest of that filter's are not", () => {
	const harness = new BrokerHarness({ inFlight: 2 });
	const other = harness.client("other");
	for (const topic of ["a/#", "b/#"]) other.subscribe(topic);
	const sender = harness.client("sender");
	for (let i = 0; i < 6; i++) {
		publish(sender, `a/${i}`, "1", { retain: true });
		publish(sender, `b/${i}`, "1", { retain: true });
	}
	const peer = harness.client("peer");
	peer.send({
		cmd: "subscribe",
		messageId: 1,
		subscriptions: ["a/#", "b/#"].map((topic) => ({ topic, qos: 1 })),
	});
	const first = peer.publishes();
	assert.equal(first.length, 2);
	const prefix = first[0].topic.slice(0, 2);
	peer.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: [`${prefix}#`] });
	const rest: IPublishPacket[] = [];
	for (let batch = first; batch.length > 0; batch = peer.publishes()) {
		if (batch !== first) rest.push(...batch);
		for (const { messageId } of batch) peer.send({ cmd: "puback", messageId });
	}
	assert.deepEqual(
		rest.map(({ topic }) => topic).sort(),
		Array.from({ length: 6 }, (_, i) => `${prefix === "a/" ? "b/" : "a/"}${i}`),
	);
});
