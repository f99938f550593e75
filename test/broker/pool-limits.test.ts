import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnackPacket, IDisconnectPacket, IPubackPacket, ISubackPacket } from "mqtt-packet";
import { BrokerHarness } from "./support/broker-harness";

describe("pool limits", () => {
	test("all connections in use: CONNACK 0x97 or 3; a freed connection can be used again", () => {
		const harness = new BrokerHarness({ connections: 2, handshakes: 1 });
		const first = harness.client("1");
		harness.client("2");
		assert.equal((harness.peer(5).connect("3") as IConnackPacket).reasonCode, 0x97);
		assert.equal((harness.peer(4).connect("3") as IConnackPacket).returnCode, 3);
		assert.equal(harness.broker.counters.connectsRefused, 2);
		first.send({ cmd: "disconnect" });
		harness.client("3");
		assert.equal(harness.broker.usage.sockets, 2);
	});

	test("all handshakes in use: further connections wait to be accepted until one is free", () => {
		const harness = new BrokerHarness({ connections: 1, handshakes: 2, connectTimeout: 1000 });
		for (let i = 0; i < 3; i++) harness.peer();
		const waitingPeer = harness.peer(5);
		assert.equal(waitingPeer.connect("a"), undefined);
		assert.ok(!waitingPeer.closed);
		harness.host.advance(1001);
		assert.equal((waitingPeer.shift("connack") as IConnackPacket).reasonCode, 0);
	});

	test("all sessions in use: CONNACK 0x97", () => {
		const harness = new BrokerHarness({ sessions: 1 });
		harness.client("1");
		assert.equal((harness.peer(5).connect("2") as IConnackPacket).reasonCode, 0x97);
		assert.equal(harness.broker.usage.sessions, 1);
	});

	test("sessionBytes exceeded by a client identifier or a will: CONNACK 0x97", () => {
		const harness = new BrokerHarness({ sessionBytes: 40 });
		assert.equal((harness.peer(5).connect("x".repeat(41)) as IConnackPacket).reasonCode, 0x97);
		const will = { topic: "w", payload: Buffer.alloc(40), qos: 0, retain: false };
		assert.equal((harness.peer(5).connect("x", { will }) as IConnackPacket).reasonCode, 0x97);
		assert.equal(harness.broker.usage.sessionBytes, 0);
		harness.client("x".repeat(40));
	});

	test("subscriptions, filterLevels or filterBytes in use: SUBACK 0x97 or 0x80 until some are freed", () => {
		for (const settings of [{ subscriptions: 2 }, { filterLevels: 2 }, { filterBytes: 2 }]) {
			const harness = new BrokerHarness(settings);
			const other = harness.client("other");
			other.subscribe("a");
			const v5Client = harness.client("five");
			v5Client.subscribe("b");
			assert.deepEqual([...(v5Client.subscribe("c") as ISubackPacket).granted], [0x97]);
			v5Client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["b"] });
			const v4Client = harness.client("four", 4);
			v4Client.subscribe("b");
			assert.deepEqual([...(v4Client.subscribe("c") as ISubackPacket).granted], [0x80]);
			assert.equal(harness.broker.counters.subscriptionsOverQuota, 2);
			v5Client.publish("a", "1");
			assert.deepEqual(other.messages(), ["a=1"]);
			other.drop();
			v4Client.drop();
			assert.deepEqual([...(v5Client.subscribe("c") as ISubackPacket).granted], [0]);
		}
	});

	test("[MQTT-3.1.1:4.8.0-2] retainedTopics or retainedBytes in use: PUBACK 0x97, or closed in MQTT 3.1.1", () => {
		for (const settings of [{ retainedTopics: 1 }, { retainedBytes: 8 }]) {
			const harness = new BrokerHarness(settings);
			const watcher = harness.client("watcher");
			watcher.subscribe("#");
			const v5Client = harness.client("five");
			v5Client.publish("a", "1", { retain: true, qos: 1, messageId: 1 });
			assert.equal((v5Client.shift("puback") as IPubackPacket).reasonCode, 0);
			v5Client.publish("b", "2", { retain: true, qos: 1, messageId: 2 });
			assert.equal((v5Client.shift("puback") as IPubackPacket).reasonCode, 0x97);
			assert.deepEqual(watcher.messages(), ["a=1"]);
			v5Client.publish("b", "3", { retain: true });
			assert.deepEqual(watcher.messages(), ["b=3"]);
			const v4Client = harness.client("four", 4).publish("b", "2", { retain: true, qos: 1, messageId: 2 });
			assert.ok(v4Client.closed);
			assert.equal(v4Client.shift("puback"), undefined);
			assert.equal(harness.broker.counters.publishesOverQuota, 3);
			v5Client.publish("a", "", { retain: true });
			v5Client.publish("b", "4", { retain: true, qos: 1, messageId: 3 });
			assert.equal((v5Client.shift("puback") as IPubackPacket).reasonCode, 0);
		}
	});

	test("inFlight or the client's receive maximum reached: messages wait for PUBACK, in order", () => {
		for (const [receiveMaximum, expected] of [
			[undefined, 4],
			[2, 2],
		] as const) {
			const harness = new BrokerHarness({ inFlight: 4 });
			const peer = harness.client(
				"a",
				5,
				receiveMaximum === undefined ? {} : { properties: { receiveMaximum } },
			);
			peer.subscribe("t", { qos: 1 });
			const sender = harness.client("sender");
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
			assert.equal(harness.broker.usage.queued, 0);
			assert.equal(harness.broker.usage.queuedBytes, 0);
		}
	});

	test("queuedPerClient reached: only that client loses messages, QoS 0 first", () => {
		const harness = new BrokerHarness({ queuedPerClient: 4, inFlight: 1 });
		const slow = harness.client("slow");
		slow.subscribe("t", { qos: 1 });
		const quick = harness.client("quick");
		quick.subscribe("t");
		const sender = harness.client("sender");
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
		assert.equal(harness.broker.counters.droppedQueue, 4);
	});

	test("packetSize exceeded: DISCONNECT 0x95; by a CONNECT: the connection closes", () => {
		const harness = new BrokerHarness({ packetSize: 128 });
		const peer = harness.client("a").publish("t", "x".repeat(130));
		assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x95);
		const long = harness.peer();
		assert.equal(long.connect("x".repeat(130)), undefined);
		assert.ok(long.closed);
	});
});
