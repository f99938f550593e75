import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IPubackPacket } from "mqtt-packet";
import { RECEIVE_WINDOW, SEND_ROOM } from "../../sim/network/socket";
import { BrokerHarness } from "./support/broker-harness";
import type { TestClient } from "./support/test-client";

const persistent = { clean: false, properties: { sessionExpiryInterval: 1000 } };

/** Publishes with QoS 1 and returns the reason code of PUBACK. */
function publish(
	sender: TestClient,
	topic: string,
	payload: string,
	fields: Record<string, unknown> = {},
): number {
	sender.publish(topic, payload, { qos: 1, messageId: 7, ...fields });
	return (sender.shift("puback") as IPubackPacket).reasonCode!;
}

const withExpiry = (seconds: number) => ({ properties: { messageExpiryInterval: seconds } });

/** Reconnects, then receives and acknowledges all messages. */
function reconnectAndReceive(harness: BrokerHarness, id: string): string[] {
	const peer = harness.client(id, 5, persistent);
	const got: string[] = [];
	for (let batch = peer.publishes(); batch.length > 0; batch = peer.publishes()) {
		for (const { payload, messageId } of batch) {
			got.push(String(payload));
			peer.send({ cmd: "puback", messageId });
		}
	}
	return got;
}

function subscribeAndDrop(harness: BrokerHarness, id: string, topic: string): void {
	const peer = harness.client(id, 5, persistent);
	peer.subscribe(topic, { qos: 1 });
	peer.drop();
}

describe('lastValue "every"', () => {
	test("a value without RETAIN has expired: a new subscriber gets the retained one, whichever was stored first", () => {
		for (const isFirst of [true, false]) {
			const harness = new BrokerHarness({ lastValue: "every" });
			const sender = harness.client("sender");
			// Takes the first record, and leaves it to what comes last
			if (isFirst) publish(sender, "other", "x", { retain: true });
			publish(sender, "t", "retained", { retain: true });
			if (isFirst) publish(sender, "other", "", { retain: true });
			publish(sender, "t", "passing", withExpiry(2));
			const values = (id: string) => {
				const reader = harness.client(id);
				reader.subscribe("t");
				return reader.messages();
			};
			assert.deepEqual(values("early"), ["t=passing"]);
			harness.host.advance(4000);
			assert.deepEqual(values("late"), ["t=retained"], `${isFirst}`);
		}
	});
});

describe("expired messages make room before others are dropped [MQTT-3.3.2-5]", () => {
	for (const [name, settings] of [
		["queuedPerClient", { queuedPerClient: 3 }],
		["queuedMessages", { queuedMessages: 4 }],
		["queuedBytes", { queuedBytes: 40 }],
	] as const) {
		test(`${name} reached: expired messages are removed, the others are delivered`, () => {
			const harness = new BrokerHarness(settings);
			subscribeAndDrop(harness, "away", "t");
			const sender = harness.client("sender", 5, { keepalive: 0 });
			assert.equal(publish(sender, "t", "stays", {}), 0);
			assert.equal(publish(sender, "t", "old", withExpiry(5)), 0);
			assert.equal(publish(sender, "t", "older", withExpiry(2)), 0);
			if (name === "queuedMessages") assert.equal(publish(sender, "t", "fourth", withExpiry(100)), 0);
			// full: nothing has expired yet
			assert.equal(publish(sender, "t", "no"), 0);
			const { counters } = harness.broker;
			assert.deepEqual([counters.droppedQueue, counters.droppedExpired], [1, 0]);
			harness.host.advance(2000);
			assert.equal(publish(sender, "t", "second-to-last!"), 0);
			assert.equal(counters.droppedExpired, 1);
			harness.host.advance(3000);
			assert.equal(publish(sender, "t", "third"), 0);
			assert.equal(counters.droppedExpired, 2);
			const expected = [
				"stays",
				...(name === "queuedMessages" ? ["fourth"] : []),
				"second-to-last!",
				"third",
			];
			assert.deepEqual(reconnectAndReceive(harness, "away"), expected);
			assert.deepEqual([harness.broker.usage.queued, harness.broker.usage.queuedBytes], [0, 0]);
		});
	}

	test("a shared subscription, QoS 0 to a slow client, incoming QoS 2: expired messages make room", () => {
		const harness = new BrokerHarness({ queuedPerClient: 1 });
		subscribeAndDrop(harness, "away", "$share/g/t");
		const sender = harness.client("sender", 5, { keepalive: 0 });
		assert.equal(publish(sender, "t", "old", withExpiry(1)), 0);
		harness.host.advance(1000);
		assert.equal(publish(sender, "t", "new"), 0);
		assert.deepEqual(reconnectAndReceive(harness, "away"), ["new"]);
		assert.equal(harness.broker.counters.droppedShared, 0);

		const small = new BrokerHarness({ queuedMessages: 2, queuedBytes: 512 });
		const slow = small.client("slow", 5, { keepalive: 0 });
		slow.subscribe("t");
		slow.freeze();
		const writer = small.client("writer", 5, { keepalive: 0 });
		const absorbed = Math.ceil((SEND_ROOM + RECEIVE_WINDOW) / 400);
		for (let i = 0; i < absorbed + 2; i++) writer.publish("t", "x".repeat(400));
		const before = small.broker.counters.droppedQueue;
		assert.ok(before > 0);
		slow.thaw();
		slow.publishes();
		slow.freeze();
		while (small.broker.usage.queued < 1) writer.publish("t", "x".repeat(100), withExpiry(1));
		writer.publish("t", "y", withExpiry(1));
		assert.equal(small.broker.usage.queued, 2);
		small.host.advance(1000);
		writer.publish("t", "late");
		writer.send({ cmd: "publish", topic: "u", payload: "", qos: 2, messageId: 9, retain: false, dup: false });
		assert.ok(((writer.shift("pubrec") as IPubackPacket).reasonCode ?? 0) < 0x80);
		slow.thaw();
		assert.equal(slow.messages().at(-1), "t=late");
		assert.equal(small.broker.usage.queued, 1, "the packet identifier");
	});

	test("a message in flight: does not expire", () => {
		const harness = new BrokerHarness({ queuedPerClient: 1 });
		const peer = harness.client("a", 5, persistent);
		peer.subscribe("t", { qos: 1 });
		const sender = harness.client("sender", 5, { keepalive: 0 });
		publish(sender, "t", "begun", withExpiry(1));
		assert.deepEqual(peer.messages(), ["t=begun"]);
		peer.drop();
		harness.host.advance(5000);
		publish(sender, "t", "no room");
		assert.deepEqual(reconnectAndReceive(harness, "a"), ["begun"]);
		assert.equal(harness.broker.counters.droppedExpired, 0);
	});

	test("retainedTopics or retainedBytes reached: an expired retained message makes room", () => {
		for (const settings of [{ retainedTopics: 2 }, { retainedBytes: 16 }]) {
			const harness = new BrokerHarness(settings);
			const sender = harness.client("sender", 5, { keepalive: 0 });
			const retain = (topic: string, fields: Record<string, unknown> = {}) =>
				publish(sender, topic, "1", { retain: true, ...fields });
			assert.deepEqual([retain("a"), retain("b", withExpiry(3)), retain("c")], [0x10, 0x10, 0x97]);
			harness.host.advance(3000);
			assert.equal(retain("c"), 0x10);
			assert.deepEqual([...harness.values().keys()].sort(), ["a", "c"]);
		}
	});
});

test("a retained message above queuedBytes: sent to a persistent session, but not kept for it", () => {
	const harness = new BrokerHarness({ queuedBytes: 64 });
	const sender = harness.client("sender");
	sender.publish("a", "x".repeat(100), { retain: true });
	publish(sender, "b", "y".repeat(100), { retain: true });
	publish(sender, "c", "small", { retain: true });
	const peer = harness.client("peer", 5, persistent);
	peer.subscribe("+", { qos: 1 });
	peer.subscribe("$SYS/broker/clients/total", { qos: 1 });
	assert.deepEqual(
		peer.publishes().map(({ topic }) => topic),
		["a", "b", "c", "$SYS/broker/clients/total"],
	);
	assert.equal(harness.broker.counters.droppedQueue, 0);
	peer.drop();
	assert.equal(harness.broker.counters.droppedQueue, 1, "not acknowledged, and cannot be sent again");
	const again = harness.client("peer", 5, persistent);
	assert.deepEqual(
		again.publishes().map(({ topic, dup }) => [topic, dup]),
		[["c", true]],
	);
	const clean = harness.client("clean");
	clean.subscribe("+", { qos: 1 });
	assert.deepEqual(
		clean.publishes().map(({ topic }) => topic),
		["a", "b", "c"],
	);
});

test("a message that added properties make larger than the socket's room: dropped, others are sent", () => {
	const harness = new BrokerHarness({ packetSize: SEND_ROOM, retainedBytes: 16_384, queuedBytes: 16_384 });
	const sender = harness.client("sender", 5, { keepalive: 0 });
	// SEND_ROOM bytes as received
	sender.publish("a", "x".repeat(SEND_ROOM - 7), { retain: true });
	sender.publish("b", "y", { retain: true });
	assert.deepEqual([...harness.values().keys()], ["a", "b"]);
	const peer = harness.client("peer", 5, persistent);
	peer.subscribe("+", { qos: 0 }, { subscriptionIdentifier: 200 });
	assert.deepEqual(peer.messages(), ["b=y"]);
	peer.freeze();
	for (const payload of ["1".repeat(5000), "2".repeat(SEND_ROOM - 7), "3"]) sender.publish("c", payload);
	peer.thaw();
	assert.deepEqual(
		peer.publishes().map(({ payload }) => payload.length),
		[5000, 1],
	);
	assert.equal(harness.broker.counters.droppedSize, 2);
	assert.equal(harness.broker.usage.queued, 0);
});
