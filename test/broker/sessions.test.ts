import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnackPacket, IDisconnectPacket, IPubackPacket } from "mqtt-packet";
import { BrokerHarness } from "./support/broker-harness";

const persistent = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 100 } };

describe("persistent sessions", () => {
	test("an offline client: subscriptions and QoS 1 messages are kept, CONNACK contains their number", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const first = harness.peer(version);
			assert.equal((first.connect("node", persistent) as IConnackPacket).sessionPresent, false);
			first.subscribe("command/#", { qos: 1 });
			first.send({ cmd: "disconnect" });
			const sender = harness.client("sender");
			sender
				.publish("command/1", "x", { qos: 1, messageId: 1 })
				.publish("command/2", "y", { qos: 1, messageId: 2 })
				.publish("command/3", "z");
			assert.equal((sender.shift("puback") as IPubackPacket).reasonCode, 0);
			const again = harness.peer(version);
			const connack = again.connect("node", persistent) as IConnackPacket;
			assert.equal(connack.sessionPresent, true);
			if (version === 5)
				assert.deepEqual({ ...connack.properties?.userProperties }, { "firefly-queued": "2" });
			const got = again.publishes();
			assert.deepEqual(
				got.map(({ topic, payload, dup }) => [topic, String(payload), dup]),
				[
					["command/1", "x", false],
					["command/2", "y", false],
				],
			);
			for (const { messageId } of got) again.send({ cmd: "puback", messageId });
			assert.equal(harness.broker.usage.queued, 0);
			assert.equal(harness.broker.usage.queuedBytes, 0);
			again.send({ cmd: "disconnect" });
			const clean = harness.peer(version);
			assert.equal((clean.connect("node", { clean: true }) as IConnackPacket).sessionPresent, false);
			clean.send({ cmd: "disconnect" });
			assert.equal(
				(harness.peer(version).connect("node", persistent) as IConnackPacket).sessionPresent,
				false,
			);
			assert.equal(harness.broker.usage.subscriptions, 0);
		}
	});

	test("a CONNECT with clean start: the old session ends, also that of a connected client", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const old = harness.client("node", version, persistent);
			old.subscribe("t", { qos: 1 });
			const fresh = harness.client("node", version);
			assert.ok(old.closed);
			if (version === 5) assert.equal((old.shift("disconnect") as IDisconnectPacket).reasonCode, 0x8e);
			fresh.publish("t", "1");
			assert.deepEqual(fresh.messages(), []);
			assert.equal(harness.broker.usage.sessions, 1);
		}
	});

	test("a takeover of a persistent session: messages in flight are sent again", () => {
		const harness = new BrokerHarness();
		const old = harness.client("node", 5, persistent);
		old.subscribe("t", { qos: 1 });
		harness.client("sender").publish("t", "1", { qos: 1, messageId: 1 });
		assert.equal(old.publishes().length, 1);
		const fresh = harness.peer();
		assert.equal((fresh.connect("node", persistent) as IConnackPacket).sessionPresent, true);
		assert.deepEqual(
			fresh.publishes().map(({ payload, dup }) => [String(payload), dup]),
			[["1", true]],
		);
	});

	test("session expiry: limited by sessionExpiryLimit, changed by DISCONNECT; then the session ends", () => {
		const harness = new BrokerHarness({ sessionExpiryLimit: 50 });
		const first = harness.peer();
		assert.equal((first.connect("node", persistent) as IConnackPacket).properties?.sessionExpiryInterval, 50);
		first.drop();
		harness.host.advance(49_000);
		assert.equal(harness.broker.usage.sessions, 1);
		harness.host.advance(2_000);
		assert.equal(harness.broker.usage.sessions, 0);
		assert.equal(harness.host.timers, 1, "only the clock's timer runs");
		harness
			.client("node", 5, persistent)
			.send({ cmd: "disconnect", properties: { sessionExpiryInterval: 10 } });
		harness.host.advance(11_001);
		assert.equal(harness.broker.usage.sessions, 0);
		harness
			.client("node", 5, persistent)
			.send({ cmd: "disconnect", properties: { sessionExpiryInterval: 0 } });
		assert.equal(harness.broker.usage.sessions, 0);
		const none = harness
			.client("node")
			.send({ cmd: "disconnect", properties: { sessionExpiryInterval: 10 } });
		assert.equal((none.shift("disconnect") as IDisconnectPacket).reasonCode, 0x82);
		assert.equal(harness.broker.usage.sessions, 0);
		harness.client("old", 4, { clean: false }).drop();
		harness.host.advance(51_001);
		assert.equal(harness.broker.usage.sessions, 0, "MQTT 3.1.1 lasts as long as the limit");
	});

	test("session expiry 0xFFFFFFFF and no limit: the session does not expire", () => {
		const harness = new BrokerHarness({ sessionExpiryLimit: 0xffff_ffff });
		harness.client("node", 5, { clean: false, properties: { sessionExpiryInterval: 0xffff_ffff } }).drop();
		harness.host.advance(400 * 86_400_000);
		assert.equal(harness.broker.usage.sessions, 1);
	});

	test("a full queue of an offline client: only that client loses messages", () => {
		const harness = new BrokerHarness({ queuedPerClient: 3 });
		harness
			.client("away", 5, persistent)
			.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "t", qos: 1 }] })
			.drop();
		const sender = harness.client("sender");
		for (let i = 1; i <= 5; i++) {
			sender.publish("t", `${i}`, { qos: 1, messageId: i });
			assert.equal((sender.shift("puback") as IPubackPacket).reasonCode, 0);
		}
		assert.equal(harness.broker.counters.droppedQueue, 2);
		assert.deepEqual(harness.client("away", 5, persistent).messages(), ["t=1", "t=2", "t=3"]);
	});

	test("messages for an offline client: expired ones are dropped, others carry the remaining time", () => {
		const harness = new BrokerHarness();
		harness
			.client("away", 5, persistent)
			.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "t", qos: 1 }] })
			.drop();
		const sender = harness.client("sender");
		sender.publish("t", "short", {
			qos: 1,
			messageId: 1,
			properties: { messageExpiryInterval: 5, contentType: "a" },
		});
		sender.publish("t", "long", {
			qos: 1,
			messageId: 2,
			properties: { contentType: "b", messageExpiryInterval: 60, userProperties: { k: "v" } },
		});
		harness.host.advance(10_000);
		const [packet, ...more] = harness.client("away", 5, persistent).publishes();
		assert.equal(more.length, 0);
		assert.equal(packet.properties?.messageExpiryInterval, 50);
		assert.equal(packet.properties?.contentType, "b");
		assert.deepEqual({ ...packet.properties?.userProperties }, { k: "v" });
	});

	test("all connections in use: a client with a session is refused and keeps it", () => {
		const harness = new BrokerHarness({ connections: 1 });
		harness.client("node", 5, persistent).drop();
		const other = harness.client("other");
		assert.equal((harness.peer().connect("node", persistent) as IConnackPacket).reasonCode, 0x97);
		other.send({ cmd: "disconnect" });
		assert.equal((harness.peer().connect("node", persistent) as IConnackPacket).sessionPresent, true);
	});

	test("retained messages pending at a disconnect: sent on the next connection", () => {
		const harness = new BrokerHarness({ inFlight: 2 });
		const sender = harness.client("sender");
		for (let i = 0; i < 5; i++) sender.publish(`t/${i}`, "x", { retain: true, qos: 1, messageId: i + 1 });
		const peer = harness.client("node", 5, persistent);
		peer.subscribe("t/#", { qos: 1 });
		const topics = new Set(peer.publishes().map(({ topic }) => topic));
		assert.equal(topics.size, 2);
		peer.drop();
		const again = harness.client("node", 5, persistent);
		for (let batch = again.publishes(); batch.length > 0; batch = again.publishes()) {
			for (const { topic, messageId } of batch) {
				topics.add(topic);
				again.send({ cmd: "puback", messageId });
			}
		}
		assert.equal(topics.size, 5);
	});
});

describe("wills and sessions", () => {
	const will = (delay: number) => ({
		topic: "will",
		payload: Buffer.from("gone"),
		qos: 1,
		retain: false,
		properties: { willDelayInterval: delay },
	});

	function subscribeWillWatcher(harness: BrokerHarness) {
		const watcher = harness.client("watcher", 5, { keepalive: 0 });
		watcher.subscribe("will", { qos: 2 });
		return watcher;
	}

	test("a will delay: published after it or at the end of the session, whichever is first", () => {
		for (const [delay, expectedDelay] of [
			[10, 10],
			[1000, 100],
			[0, 0],
		]) {
			const harness = new BrokerHarness({ keepAliveLimit: 0 });
			const watcher = subscribeWillWatcher(harness);
			harness.client("node", 5, { ...persistent, will: will(delay) }).drop();
			harness.host.advance(Math.max(expectedDelay * 1000 - 1000, 0));
			assert.deepEqual(watcher.messages(), expectedDelay === 0 ? ["will=gone"] : []);
			harness.host.advance(2000);
			assert.deepEqual(watcher.messages(), expectedDelay === 0 ? [] : ["will=gone"]);
			harness.host.advance(2_000_000);
			assert.deepEqual(watcher.messages(), []);
			assert.equal(harness.broker.usage.sessions, 1);
		}
	});

	test("a client found silent when another one leaves: its will delay and its session's end are kept", () => {
		const harness = new BrokerHarness();
		const watcher = harness.client("watcher", 5, { keepalive: 0 });
		watcher.subscribe("gone");
		const silent = harness.client("silent", 5, {
			clean: false,
			keepalive: 10,
			properties: { sessionExpiryInterval: 20 },
			will: { topic: "gone", payload: "x", qos: 0, retain: false, properties: { willDelayInterval: 5 } },
		});
		const leaving = harness.client("leaving", 5, { keepalive: 0 });
		harness.host.stall(15_000);
		leaving.send({ cmd: "disconnect", reasonCode: 0 });
		assert.ok(silent.closed);
		harness.host.advance(4900);
		assert.deepEqual(watcher.messages(), []);
		harness.host.advance(200);
		assert.deepEqual(watcher.messages(), ["gone=x"]);
		harness.host.advance(15_000);
		assert.equal(harness.broker.usage.sessions, 1);
	});

	test("a reconnect before the will delay: not published; with clean start: published", () => {
		const harness = new BrokerHarness({ keepAliveLimit: 0 });
		const watcher = subscribeWillWatcher(harness);
		harness.client("node", 5, { ...persistent, will: will(10) }).drop();
		harness.host.advance(5000);
		harness.client("node", 5, { ...persistent, will: will(10) });
		harness.host.advance(50_000);
		assert.deepEqual(watcher.messages(), []);
		harness.client("node", 5, persistent); // takes over, and the session goes on
		harness.host.advance(50_000);
		assert.deepEqual(watcher.messages(), []);
		harness.client("node", 5, { ...persistent, will: will(10) }).drop();
		harness.client("node");
		assert.deepEqual(watcher.messages(), ["will=gone"]);
	});

	test("a takeover: a will without delay is published", () => {
		const harness = new BrokerHarness();
		const watcher = subscribeWillWatcher(harness);
		harness.client("node", 5, { ...persistent, will: will(0) });
		harness.client("node", 5, persistent);
		assert.deepEqual(watcher.messages(), ["will=gone"]);
	});

	test("a will delay before other properties: kept, and so are these", () => {
		const harness = new BrokerHarness();
		const watcher = subscribeWillWatcher(harness);
		const properties = { contentType: "text", responseTopic: "r/t", messageExpiryInterval: 9 };
		const fields = { ...will(5), properties: { willDelayInterval: 5, ...properties } };
		harness.client("node", 5, { ...persistent, will: fields }).drop();
		harness.host.advance(4900);
		assert.deepEqual(watcher.publishes(), []);
		harness.host.advance(200);
		const [packet] = watcher.publishes();
		assert.deepEqual({ ...packet.properties }, properties);
	});

	test("a will of QoS 2 with properties: published with both", () => {
		const harness = new BrokerHarness();
		const watcher = subscribeWillWatcher(harness);
		harness
			.client("node", 5, {
				will: {
					...will(5),
					qos: 2,
					properties: { willDelayInterval: 5, contentType: "text", messageExpiryInterval: 9 },
				},
			})
			.drop();
		const [packet] = watcher.publishes();
		assert.equal(packet.qos, 2);
		assert.deepEqual({ ...packet.properties }, { contentType: "text", messageExpiryInterval: 9 });
	});
});

test("forEachClient names those who are connected, neither absent sessions nor handshakes", () => {
	const harness = new BrokerHarness();
	const connected = () => {
		const ids: string[] = [];
		harness.broker.forEachClient((bytes, start, end) =>
			ids.push(Buffer.from(bytes.slice(start, end)).toString()),
		);
		return ids.sort();
	};
	assert.equal(connected().length, 0);
	harness.peer(5);
	const away = harness.client("away", 5, persistent);
	harness.client("tür", 4);
	harness.client("node", 5);
	assert.deepEqual(connected(), ["away", "node", "tür"]);
	away.send({ cmd: "disconnect" });
	assert.deepEqual(connected(), ["node", "tür"]);
});
