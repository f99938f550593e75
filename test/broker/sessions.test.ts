import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnackPacket, IDisconnectPacket, IPubackPacket } from "mqtt-packet";
import { World } from "./support/world";

const lasting = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 100 } };

describe("sessions that last", () => {
	test("subscriptions and QoS 1 messages wait for the client; session present says so; CONNACK tells how many wait", () => {
		for (const version of [4, 5] as const) {
			const world = new World();
			const first = world.peer(version);
			assert.equal((first.open("node", lasting) as IConnackPacket).sessionPresent, false);
			first.subscribe("command/#", { qos: 1 });
			first.send({ cmd: "disconnect" });
			const sender = world.client("sender");
			sender.publish("command/1", "x", { qos: 1, messageId: 1 }).publish("command/2", "y", { qos: 1, messageId: 2 }).publish("command/3", "z");
			assert.equal((sender.shift("puback") as IPubackPacket).reasonCode, 0);
			const again = world.peer(version);
			const connack = again.open("node", lasting) as IConnackPacket;
			assert.equal(connack.sessionPresent, true);
			if (version === 5) assert.deepEqual({ ...connack.properties?.userProperties }, { "firefly-queued": "2" });
			const got = again.publishes();
			assert.deepEqual(
				got.map(({ topic, payload, dup }) => [topic, String(payload), dup]),
				[
					["command/1", "x", false],
					["command/2", "y", false],
				],
			);
			for (const { messageId } of got) again.send({ cmd: "puback", messageId });
			assert.equal(world.broker.usage.queued, 0);
			assert.equal(world.broker.usage.queuedBytes, 0);
			again.send({ cmd: "disconnect" });
			const clean = world.peer(version);
			assert.equal((clean.open("node", { clean: true }) as IConnackPacket).sessionPresent, false);
			clean.send({ cmd: "disconnect" });
			assert.equal((world.peer(version).open("node", lasting) as IConnackPacket).sessionPresent, false);
			assert.equal(world.broker.usage.subscriptions, 0);
		}
	});

	test("clean start ends the old session, also when its client is connected", () => {
		for (const version of [4, 5] as const) {
			const world = new World();
			const old = world.client("node", version, lasting);
			old.subscribe("t", { qos: 1 });
			const fresh = world.client("node", version);
			assert.ok(old.closed);
			if (version === 5) assert.equal((old.shift("disconnect") as IDisconnectPacket).reasonCode, 0x8e);
			fresh.publish("t", "1");
			assert.deepEqual(fresh.messages(), []);
			assert.equal(world.broker.usage.sessions, 1);
		}
	});

	test("taking over a session goes on with it: what was under way comes again", () => {
		const world = new World();
		const old = world.client("node", 5, lasting);
		old.subscribe("t", { qos: 1 });
		world.client("sender").publish("t", "1", { qos: 1, messageId: 1 });
		assert.equal(old.publishes().length, 1);
		const fresh = world.peer();
		assert.equal((fresh.open("node", lasting) as IConnackPacket).sessionPresent, true);
		assert.deepEqual(
			fresh.publishes().map(({ payload, dup }) => [String(payload), dup]),
			[["1", true]],
		);
	});

	test("they end after their expiry, which is granted up to the limit and may be changed with DISCONNECT", () => {
		const world = new World({ sessionExpiryLimit: 50 });
		const first = world.peer();
		assert.equal((first.open("node", lasting) as IConnackPacket).properties?.sessionExpiryInterval, 50);
		first.drop();
		world.host.advance(49_000);
		assert.equal(world.broker.usage.sessions, 1);
		world.host.advance(2_000);
		assert.equal(world.broker.usage.sessions, 0);
		assert.equal(world.host.timers, 0);
		world.client("node", 5, lasting).send({ cmd: "disconnect", properties: { sessionExpiryInterval: 10 } });
		world.host.advance(11_001);
		assert.equal(world.broker.usage.sessions, 0);
		world.client("node", 5, lasting).send({ cmd: "disconnect", properties: { sessionExpiryInterval: 0 } });
		assert.equal(world.broker.usage.sessions, 0);
		const none = world.client("node").send({ cmd: "disconnect", properties: { sessionExpiryInterval: 10 } });
		assert.equal((none.shift("disconnect") as IDisconnectPacket).reasonCode, 0x82);
		assert.equal(world.broker.usage.sessions, 0);
		world.client("old", 4, { clean: false }).drop();
		world.host.advance(51_001);
		assert.equal(world.broker.usage.sessions, 0, "MQTT 3.1.1 lasts as long as the limit");
	});

	test("a session without end stays as long as the limit has none", () => {
		const world = new World({ sessionExpiryLimit: 0xffff_ffff });
		world.client("node", 5, { clean: false, properties: { sessionExpiryInterval: 0xffff_ffff } }).drop();
		world.host.advance(400 * 86_400_000);
		assert.equal(world.broker.usage.sessions, 1);
	});

	test("a full queue of a client that is away costs only that client", () => {
		const world = new World({ queuedPerClient: 3 });
		world
			.client("away", 5, lasting)
			.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "t", qos: 1 }] })
			.drop();
		const sender = world.client("sender");
		for (let i = 1; i <= 5; i++) {
			sender.publish("t", `${i}`, { qos: 1, messageId: i });
			assert.equal((sender.shift("puback") as IPubackPacket).reasonCode, 0);
		}
		assert.equal(world.broker.counters.droppedQueue, 2);
		assert.deepEqual(world.client("away", 5, lasting).messages(), ["t=1", "t=2", "t=3"]);
	});

	test("messages that expire while their client is away are gone, others say how long they are good for", () => {
		const world = new World();
		world
			.client("away", 5, lasting)
			.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "t", qos: 1 }] })
			.drop();
		const sender = world.client("sender");
		sender.publish("t", "short", { qos: 1, messageId: 1, properties: { messageExpiryInterval: 5, contentType: "a" } });
		sender.publish("t", "long", { qos: 1, messageId: 2, properties: { contentType: "b", messageExpiryInterval: 60, userProperties: { k: "v" } } });
		world.host.advance(10_000);
		const [packet, ...more] = world.client("away", 5, lasting).publishes();
		assert.equal(more.length, 0);
		assert.equal(packet.properties?.messageExpiryInterval, 50);
		assert.equal(packet.properties?.contentType, "b");
		assert.deepEqual({ ...packet.properties?.userProperties }, { k: "v" });
	});

	test("all places taken: a client with a session is refused and keeps it", () => {
		const world = new World({ connections: 1 });
		world.client("node", 5, lasting).drop();
		const other = world.client("other");
		assert.equal((world.peer().open("node", lasting) as IConnackPacket).reasonCode, 0x97);
		other.send({ cmd: "disconnect" });
		assert.equal((world.peer().open("node", lasting) as IConnackPacket).sessionPresent, true);
	});

	test("retained values that were still to come arrive on the next connection", () => {
		const world = new World({ inFlight: 2 });
		const sender = world.client("sender");
		for (let i = 0; i < 5; i++) sender.publish(`t/${i}`, "x", { retain: true, qos: 1, messageId: i + 1 });
		const peer = world.client("node", 5, lasting);
		peer.subscribe("t/#", { qos: 1 });
		const topics = new Set(peer.publishes().map(({ topic }) => topic));
		assert.equal(topics.size, 2);
		peer.drop();
		const again = world.client("node", 5, lasting);
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
	const will = (delay: number) => ({ topic: "will", payload: Buffer.from("gone"), qos: 1, retain: false, properties: { willDelayInterval: delay } });

	function watch(world: World) {
		const watcher = world.client("watcher", 5, { keepalive: 0 });
		watcher.subscribe("will", { qos: 2 });
		return watcher;
	}

	test("the will comes after its delay, or when the session ends, whichever is first", () => {
		for (const [delay, due] of [
			[10, 10],
			[1000, 100],
			[0, 0],
		]) {
			const world = new World({ keepAliveLimit: 0 });
			const watcher = watch(world);
			world.client("node", 5, { ...lasting, will: will(delay) }).drop();
			world.host.advance(Math.max(due * 1000 - 1000, 0));
			assert.deepEqual(watcher.messages(), due === 0 ? ["will=gone"] : []);
			world.host.advance(2000);
			assert.deepEqual(watcher.messages(), due === 0 ? [] : ["will=gone"]);
			world.host.advance(2_000_000);
			assert.deepEqual(watcher.messages(), []);
			assert.equal(world.broker.usage.sessions, 1);
		}
	});

	test("a client that is back before the delay has no will published; a clean start publishes it", () => {
		const world = new World({ keepAliveLimit: 0 });
		const watcher = watch(world);
		world.client("node", 5, { ...lasting, will: will(10) }).drop();
		world.host.advance(5000);
		world.client("node", 5, { ...lasting, will: will(10) });
		world.host.advance(50_000);
		assert.deepEqual(watcher.messages(), []);
		world.client("node", 5, lasting); // takes over, and the session goes on
		world.host.advance(50_000);
		assert.deepEqual(watcher.messages(), []);
		world.client("node", 5, { ...lasting, will: will(10) }).drop();
		world.client("node");
		assert.deepEqual(watcher.messages(), ["will=gone"]);
	});

	test("taking over a session publishes a will without delay", () => {
		const world = new World();
		const watcher = watch(world);
		world.client("node", 5, { ...lasting, will: will(0) });
		world.client("node", 5, lasting);
		assert.deepEqual(watcher.messages(), ["will=gone"]);
	});

	test("a will of QoS 2 with properties", () => {
		const world = new World();
		const watcher = watch(world);
		world
			.client("node", 5, { will: { ...will(5), qos: 2, properties: { willDelayInterval: 5, contentType: "text", messageExpiryInterval: 9 } } })
			.drop();
		const [packet] = watcher.publishes();
		assert.equal(packet.qos, 2);
		assert.deepEqual({ ...packet.properties }, { contentType: "text", messageExpiryInterval: 9 });
	});
});
