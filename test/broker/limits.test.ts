import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnackPacket, IDisconnectPacket, IPubackPacket, ISubackPacket } from "mqtt-packet";
import { World } from "./support/world";

describe("limits, each by hitting it", () => {
	test("connections: CONNACK 0x97, or 3; a place that is left can be taken", () => {
		const world = new World({ connections: 2, handshakes: 1 });
		const first = world.client("1");
		world.client("2");
		assert.equal((world.peer(5).open("3") as IConnackPacket).reasonCode, 0x97);
		assert.equal((world.peer(4).open("3") as IConnackPacket).returnCode, 3);
		assert.equal(world.broker.counters.refused, 2);
		first.send({ cmd: "disconnect" });
		world.client("3");
		assert.equal(world.broker.usage.sockets, 2);
	});

	test("handshakes: further connections wait to be accepted until a place is free", () => {
		const world = new World({ connections: 1, handshakes: 2, connectTimeout: 1000 });
		for (let i = 0; i < 3; i++) world.peer();
		const waits = world.peer(5);
		assert.equal(waits.open("a"), undefined);
		assert.ok(!waits.closed);
		world.host.advance(1001);
		assert.equal((waits.shift("connack") as IConnackPacket).reasonCode, 0);
	});

	test("sessions: CONNACK 0x97", () => {
		const world = new World({ sessions: 1 });
		world.client("1");
		assert.equal((world.peer(5).open("2") as IConnackPacket).reasonCode, 0x97);
		assert.equal(world.broker.usage.sessions, 1);
	});

	test("sessionBytes: CONNACK 0x97, for an identifier as for a will", () => {
		const world = new World({ sessionBytes: 40 });
		assert.equal((world.peer(5).open("x".repeat(41)) as IConnackPacket).reasonCode, 0x97);
		const will = { topic: "w", payload: Buffer.alloc(40), qos: 0, retain: false };
		assert.equal((world.peer(5).open("x", { will }) as IConnackPacket).reasonCode, 0x97);
		assert.equal(world.broker.usage.sessionBytes, 0);
		world.client("x".repeat(40));
	});

	test("subscriptions, filterLevels, filterBytes: SUBACK 0x97, or 0x80; what ends makes room", () => {
		for (const settings of [{ subscriptions: 2 }, { filterLevels: 2 }, { filterBytes: 2 }]) {
			const world = new World(settings);
			const other = world.client("other");
			other.subscribe("a");
			const five = world.client("five");
			five.subscribe("b");
			assert.deepEqual([...(five.subscribe("c") as ISubackPacket).granted], [0x97]);
			const four = world.client("four", 4);
			assert.deepEqual([...(four.subscribe("c") as ISubackPacket).granted], [0x80]);
			assert.equal(world.broker.counters.subscriptionQuota, 2);
			five.publish("a", "1");
			assert.deepEqual(other.messages(), ["a=1"]);
			other.drop();
			assert.deepEqual([...(five.subscribe("c") as ISubackPacket).granted], [0]);
		}
	});

	test("[MQTT-3.1.1:4.8.0-2] retainedTopics, retainedBytes: PUBACK 0x97, or the connection closes; a live QoS 0 message still arrives", () => {
		for (const settings of [{ retainedTopics: 1 }, { retainedBytes: 8 }]) {
			const world = new World(settings);
			const watcher = world.client("watcher");
			watcher.subscribe("#");
			const five = world.client("five");
			five.publish("a", "1", { retain: true, qos: 1, messageId: 1 });
			assert.equal((five.shift("puback") as IPubackPacket).reasonCode, 0);
			five.publish("b", "2", { retain: true, qos: 1, messageId: 2 });
			assert.equal((five.shift("puback") as IPubackPacket).reasonCode, 0x97);
			assert.deepEqual(watcher.messages(), ["a=1"]);
			five.publish("b", "3", { retain: true });
			assert.deepEqual(watcher.messages(), ["b=3"]);
			const four = world.client("four", 4).publish("b", "2", { retain: true, qos: 1, messageId: 2 });
			assert.ok(four.closed);
			assert.equal(four.shift("puback"), undefined);
			assert.equal(world.broker.counters.quota, 3);
			five.publish("a", "", { retain: true });
			five.publish("b", "4", { retain: true, qos: 1, messageId: 3 });
			assert.equal((five.shift("puback") as IPubackPacket).reasonCode, 0);
		}
	});

	test("inFlight and the client's receive maximum: the rest waits for PUBACK, in order", () => {
		for (const [receiveMaximum, expected] of [
			[undefined, 4],
			[2, 2],
		] as const) {
			const world = new World({ inFlight: 4 });
			const peer = world.client("a", 5, receiveMaximum === undefined ? {} : { properties: { receiveMaximum } });
			peer.subscribe("t", { qos: 1 });
			const sender = world.client("sender");
			for (let i = 0; i < 9; i++) sender.publish("t", `${i}`, { qos: i % 4 === 3 ? 0 : 1, messageId: i + 1 });
			const got: string[] = [];
			let waiting = peer.publishes();
			assert.equal(waiting.filter(({ qos }) => qos === 1).length, expected);
			while (waiting.length > 0) {
				for (const { payload, qos, messageId } of waiting) {
					got.push(String(payload));
					if (qos === 1) peer.send({ cmd: "puback", messageId });
				}
				waiting = peer.publishes();
			}
			assert.deepEqual(got, ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
			assert.equal(world.broker.usage.queued, 0);
			assert.equal(world.broker.usage.queuedBytes, 0);
		}
	});

	test("queuedPerClient: that client loses messages, QoS 0 first; nobody else does", () => {
		const world = new World({ queuedPerClient: 4, inFlight: 1 });
		const slow = world.client("slow");
		slow.subscribe("t", { qos: 1 });
		const quick = world.client("quick");
		quick.subscribe("t");
		const sender = world.client("sender");
		for (const [i, qos] of [1, 0, 1, 0, 0, 1, 1, 1, 1].entries()) {
			sender.publish("t", `${i}`, { qos, messageId: i + 1 });
			if (qos === 1) assert.ok((sender.shift("puback") as IPubackPacket).reasonCode! < 0x80);
		}
		assert.equal(quick.messages().length, 9);
		const got: string[] = [];
		for (let batch = slow.publishes(); batch.length > 0; batch = slow.publishes()) {
			for (const { payload, qos, messageId } of batch) {
				got.push(String(payload));
				if (qos === 1) slow.send({ cmd: "puback", messageId });
			}
		}
		assert.deepEqual(got, ["0", "1", "2", "5", "6"]);
		assert.equal(world.broker.counters.droppedQueue, 4);
	});

	test("queuedMessages, queuedBytes: a QoS 1 message is refused to its publisher, QoS 0 is lost only to those who must wait", () => {
		for (const settings of [
			{ queuedMessages: 4, inFlight: 2 },
			{ queuedBytes: 16, inFlight: 2 },
		]) {
			const world = new World(settings);
			const slow = world.client("slow");
			slow.subscribe("t", { qos: 1 });
			const quick = world.client("quick");
			quick.subscribe("#");
			const sender = world.client("sender");
			for (let i = 0; i < 4; i++) {
				sender.publish("t", "x", { qos: 1, messageId: i + 1 });
				assert.equal((sender.shift("puback") as IPubackPacket).reasonCode, 0);
			}
			sender.publish("t", "more", { qos: 1, messageId: 5 });
			assert.equal((sender.shift("puback") as IPubackPacket).reasonCode, 0x97);
			sender.publish("t", "more");
			sender.publish("elsewhere", "1", { qos: 1, messageId: 6 });
			assert.equal((sender.shift("puback") as IPubackPacket).reasonCode, 0);
			assert.equal(quick.messages().length, 6);
			const four = world.client("four", 4).publish("t", "more", { qos: 1, messageId: 1 });
			assert.ok(four.closed);
			slow.drop();
			assert.equal(world.broker.usage.queued, 0);
			sender.publish("t", "more", { qos: 1, messageId: 7 });
			assert.equal((sender.shift("puback") as IPubackPacket).reasonCode, 0);
		}
	});

	test("packetSize: DISCONNECT 0x95, and a CONNECT that is too long is closed", () => {
		const world = new World({ packetSize: 128 });
		const peer = world.client("a").publish("t", "x".repeat(130));
		assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x95);
		const long = world.peer();
		assert.equal(long.open("x".repeat(130)), undefined);
		assert.ok(long.closed);
	});
});
