import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IPubackPacket } from "mqtt-packet";
import type { Peer } from "./support/peer";
import { World } from "./support/world";

const lasting = { clean: false, properties: { sessionExpiryInterval: 1000 } };

/** Publishes with QoS 1 and returns the code of PUBACK. */
function publish(sender: Peer, topic: string, payload: string, fields: Record<string, unknown> = {}): number {
	sender.publish(topic, payload, { qos: 1, messageId: 7, ...fields });
	return (sender.shift("puback") as IPubackPacket).reasonCode!;
}

const expiring = (seconds: number) => ({ properties: { messageExpiryInterval: seconds } });

/** Comes back and takes everything. */
function collect(world: World, id: string): string[] {
	const peer = world.client(id, 5, lasting);
	const got: string[] = [];
	for (let batch = peer.publishes(); batch.length > 0; batch = peer.publishes()) {
		for (const { payload, messageId } of batch) {
			got.push(String(payload));
			peer.send({ cmd: "puback", messageId });
		}
	}
	return got;
}

function away(world: World, id: string, topic: string): void {
	const peer = world.client(id, 5, lasting);
	peer.subscribe(topic, { qos: 1 });
	peer.drop();
}

describe("messages that expired make room before others are refused [MQTT-3.3.2-5]", () => {
	for (const [name, settings] of [
		["queuedPerClient", { queuedPerClient: 3 }],
		["queuedMessages", { queuedMessages: 4 }],
		["queuedBytes", { queuedBytes: 40 }],
	] as const) {
		test(name, () => {
			const world = new World(settings);
			away(world, "away", "t");
			const sender = world.client("sender", 5, { keepalive: 0 });
			assert.equal(publish(sender, "t", "stays", {}), 0);
			assert.equal(publish(sender, "t", "old", expiring(5)), 0);
			assert.equal(publish(sender, "t", "older", expiring(2)), 0);
			if (name === "queuedMessages") assert.equal(publish(sender, "t", "fourth", expiring(100)), 0);
			// full: nothing has expired yet
			const refused = publish(sender, "t", "no");
			assert.equal(refused, name === "queuedPerClient" ? 0 : 0x97);
			const { counters } = world.broker;
			assert.deepEqual([counters.droppedQueue, counters.droppedExpired], [name === "queuedPerClient" ? 1 : 0, 0]);
			world.host.advance(2000);
			assert.equal(publish(sender, "t", "second-to-last!"), 0);
			assert.equal(counters.droppedExpired, 1);
			world.host.advance(3000);
			assert.equal(publish(sender, "t", "third"), 0);
			assert.equal(counters.droppedExpired, 2);
			const expected = ["stays", ...(name === "queuedMessages" ? ["fourth"] : []), "second-to-last!", "third"];
			assert.deepEqual(collect(world, "away"), expected);
			assert.deepEqual([world.broker.usage.queued, world.broker.usage.queuedBytes], [0, 0]);
		});
	}

	test("also for a shared subscription, for QoS 0 behind a slow client, and for the packet identifiers of QoS 2", () => {
		const world = new World({ queuedPerClient: 1 });
		away(world, "away", "$share/g/t");
		const sender = world.client("sender", 5, { keepalive: 0 });
		assert.equal(publish(sender, "t", "old", expiring(1)), 0);
		world.host.advance(1000);
		assert.equal(publish(sender, "t", "new"), 0);
		assert.deepEqual(collect(world, "away"), ["new"]);
		assert.equal(world.broker.counters.droppedShare, 0);

		const small = new World({ queuedMessages: 2, queuedBytes: 512 });
		const slow = small.client("slow", 5, { keepalive: 0 });
		slow.subscribe("t");
		slow.freeze();
		const writer = small.client("writer", 5, { keepalive: 0 });
		for (let i = 0; i < 16; i++) writer.publish("t", "x".repeat(400));
		const before = small.broker.counters.droppedQueue;
		assert.ok(before > 0);
		slow.thaw();
		slow.publishes();
		slow.freeze();
		while (small.broker.usage.queued < 1) writer.publish("t", "x".repeat(100), expiring(1));
		writer.publish("t", "y", expiring(1));
		assert.equal(small.broker.usage.queued, 2);
		small.host.advance(1000);
		writer.publish("t", "late");
		writer.send({ cmd: "publish", topic: "u", payload: "", qos: 2, messageId: 9, retain: false, dup: false });
		assert.ok(((writer.shift("pubrec") as IPubackPacket).reasonCode ?? 0) < 0x80);
		slow.thaw();
		assert.equal(slow.messages().at(-1), "t=late");
		assert.equal(small.broker.usage.queued, 1, "the packet identifier");
	});

	test("what was sent once stays under way, however long", () => {
		const world = new World({ queuedPerClient: 1 });
		const peer = world.client("a", 5, lasting);
		peer.subscribe("t", { qos: 1 });
		const sender = world.client("sender", 5, { keepalive: 0 });
		publish(sender, "t", "begun", expiring(1));
		assert.deepEqual(peer.messages(), ["t=begun"]);
		peer.drop();
		world.host.advance(5000);
		publish(sender, "t", "no room");
		assert.deepEqual(collect(world, "a"), ["begun"]);
		assert.equal(world.broker.counters.droppedExpired, 0);
	});

	test("retained values", () => {
		for (const settings of [{ retainedTopics: 2 }, { retainedBytes: 16 }]) {
			const world = new World(settings);
			const sender = world.client("sender", 5, { keepalive: 0 });
			const retain = (topic: string, fields: Record<string, unknown> = {}) => publish(sender, topic, "1", { retain: true, ...fields });
			assert.deepEqual([retain("a"), retain("b", expiring(3)), retain("c")], [0x10, 0x10, 0x97]);
			world.host.advance(3000);
			assert.equal(retain("c"), 0x10);
			assert.deepEqual([...world.values().keys()].sort(), ["a", "c"]);
		}
	});
});

test("a stored value that is larger than all of queuedBytes is dropped for a lasting session, and those after it are sent", () => {
	const world = new World({ queuedBytes: 64 });
	const sender = world.client("sender");
	sender.publish("a", "x".repeat(100), { retain: true });
	publish(sender, "b", "y".repeat(100), { retain: true });
	publish(sender, "c", "small", { retain: true });
	const peer = world.client("peer", 5, lasting);
	peer.subscribe("+", { qos: 1 });
	peer.subscribe("$SYS/broker/clients/total", { qos: 1 });
	assert.deepEqual(
		peer.publishes().map(({ topic }) => topic),
		["a", "c", "$SYS/broker/clients/total"],
	);
	assert.equal(world.broker.counters.droppedSize, 1);
	const clean = world.client("clean");
	clean.subscribe("+", { qos: 1 });
	assert.deepEqual(
		clean.publishes().map(({ topic }) => topic),
		["a", "b", "c"],
	);
});

test("a message that with what is added to it is larger than the socket's room is dropped, and those after it are sent", () => {
	const world = new World({ packetSize: 5744, retainedBytes: 16_384, queuedBytes: 16_384 });
	const sender = world.client("sender", 5, { keepalive: 0 });
	// 5744 bytes as it comes in
	sender.publish("a", "x".repeat(5744 - 7), { retain: true });
	sender.publish("b", "y", { retain: true });
	assert.deepEqual([...world.values().keys()], ["a", "b"]);
	const peer = world.client("peer", 5, lasting);
	peer.subscribe("+", { qos: 0 }, { subscriptionIdentifier: 200 });
	assert.deepEqual(peer.messages(), ["b=y"]);
	peer.freeze();
	for (const payload of ["1".repeat(5000), "2".repeat(5744 - 7), "3"]) sender.publish("c", payload);
	peer.thaw();
	assert.deepEqual(
		peer.publishes().map(({ payload }) => payload.length),
		[5000, 1],
	);
	assert.equal(world.broker.counters.droppedSize, 2);
	assert.equal(world.broker.usage.queued, 0);
});
