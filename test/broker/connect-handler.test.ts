import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnackPacket, IDisconnectPacket } from "mqtt-packet";
import { BrokerHarness } from "./support/broker-harness";

describe("CONNECT", () => {
	test("an accepted CONNECT of MQTT 5.0: CONNACK contains the broker's limits", () => {
		const harness = new BrokerHarness();
		const connack = harness.peer(5).connect("a", {
			keepalive: 0,
			clean: false,
			properties: { sessionExpiryInterval: 600 },
		}) as IConnackPacket;
		assert.equal(connack.reasonCode, 0);
		assert.equal(connack.sessionPresent, false);
		assert.deepEqual(
			{ ...connack.properties },
			{ receiveMaximum: 16, maximumPacketSize: 512, serverKeepAlive: 300, topicAliasMaximum: 1 },
		);
	});

	test("an accepted CONNECT of MQTT 3.1.1: return code 0, session present 0", () => {
		const connack = new BrokerHarness().peer(4).connect("a", { clean: false }) as IConnackPacket;
		assert.equal(connack.returnCode, 0);
		assert.equal(connack.sessionPresent, false);
	});

	test("an empty client identifier: the broker assigns a different one each time", () => {
		const harness = new BrokerHarness();
		const first = harness.peer(5).connect("") as IConnackPacket;
		const second = harness.peer(5).connect("") as IConnackPacket;
		assert.match(first.properties?.assignedClientIdentifier ?? "", /^auto-[0-9a-f]{12}$/);
		assert.notEqual(first.properties?.assignedClientIdentifier, second.properties?.assignedClientIdentifier);
		assert.equal((harness.peer(4).connect("", { clean: true }) as IConnackPacket).returnCode, 0);
		assert.equal(harness.broker.usage.sessions, 3);
	});

	test("CONNECT with a client identifier in use: takes over, and the old client's will is published", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher");
			watcher.subscribe("will");
			const old = harness.client("same", version, {
				will: { topic: "will", payload: Buffer.from("gone"), qos: 0, retain: false },
			});
			const fresh = harness.client("same", version);
			assert.ok(old.closed);
			if (version === 5) assert.equal((old.shift("disconnect") as IDisconnectPacket).reasonCode, 0x8e);
			assert.deepEqual(watcher.messages(), ["will=gone"]);
			fresh.subscribe("x");
			watcher.publish("x", "1");
			assert.deepEqual(fresh.messages(), ["x=1"]);
			assert.equal(harness.broker.usage.sessions, 2);
			assert.equal(harness.broker.counters.takeovers, 1);
		}
	});

	test("all connections in use: a client can still take over its own", () => {
		const harness = new BrokerHarness({ connections: 1 });
		const old = harness.client("a");
		harness.client("a");
		assert.ok(old.closed);
		assert.equal(harness.broker.usage.connections, 1);
	});

	test("an authentication method or a long client identifier: refused; a will of QoS 2: accepted", () => {
		const cases: [4 | 5, Record<string, unknown>, number | undefined][] = [
			[5, { will: { topic: "w", payload: Buffer.from("x"), qos: 2, retain: false } }, 0],
			[4, { will: { topic: "w", payload: Buffer.from("x"), qos: 2, retain: false } }, 0],
			[5, { properties: { authenticationMethod: "SCRAM" } }, 0x8c],
			[5, { clientId: "x".repeat(257) }, 0x85],
			[4, { clientId: "x".repeat(257) }, 2],
		];
		for (const [version, fields, code] of cases) {
			const harness = new BrokerHarness();
			const peer = harness.peer(version);
			const connack = peer.connect("a", fields) as IConnackPacket;
			assert.equal(version === 5 ? connack.reasonCode : connack.returnCode, code);
			assert.equal(peer.closed, code !== 0);
			assert.equal(harness.broker.usage.sockets, code === 0 ? 1 : 0);
			assert.equal(harness.broker.usage.sessions, code === 0 ? 1 : 0);
		}
	});

	test("an unsupported protocol version: CONNACK in the nearest supported version", () => {
		const connect = (name: string, level: number) => {
			const text = Buffer.from(name);
			const body = [0, text.length, ...text, level, 2, 0, 60, ...(level > 4 ? [0] : []), 0, 1, 0x61];
			return new Uint8Array([0x10, body.length, ...body]);
		};
		const harness = new BrokerHarness();
		const old = harness.peer(4).sendRaw(connect("MQIsdp", 3));
		assert.equal((old.shift("connack") as IConnackPacket).returnCode, 1);
		assert.ok(old.closed);
		const future = harness.peer(5).sendRaw(connect("MQTT", 6));
		assert.equal((future.shift("connack") as IConnackPacket).reasonCode, 0x84);
		assert.ok(future.closed);
	});

	test("a packet before CONNECT, or a second CONNECT: the connection closes", () => {
		const harness = new BrokerHarness();
		const early = harness.peer(5).send({ cmd: "pingreq" });
		assert.ok(early.closed);
		const twice = harness.client("a");
		twice.connect("a");
		assert.equal((twice.shift("disconnect") as IDisconnectPacket).reasonCode, 0x82);
		assert.ok(twice.closed);
		assert.equal(harness.broker.usage.sockets, 0);
	});

	test("packets in one chunk or byte by byte: the same responses", () => {
		for (const size of [1, 2, 3, 1000]) {
			const harness = new BrokerHarness();
			const peer = harness.peer(5);
			const stream = Buffer.concat([
				peer.encode({
					cmd: "connect",
					protocolId: "MQTT",
					protocolVersion: 5,
					clean: true,
					clientId: "a",
					keepalive: 60,
				}),
				peer.encode({ cmd: "subscribe", messageId: 3, subscriptions: [{ topic: "t/#", qos: 1 }] }),
				peer.encode({
					cmd: "publish",
					topic: "t/1",
					payload: "x".repeat(200),
					qos: 1,
					messageId: 4,
					retain: false,
					dup: false,
				}),
				peer.encode({ cmd: "publish", topic: "t/2", payload: "", qos: 0, retain: true, dup: false }),
				peer.encode({ cmd: "pingreq" }),
			]);
			for (let at = 0; at < stream.length; at += size)
				peer.sendRaw(new Uint8Array(stream.subarray(at, at + size)));
			assert.deepEqual(
				peer.packets.map(({ cmd }) => cmd),
				["connack", "suback", "publish", "puback", "publish", "pingresp"],
			);
		}
	});
});

describe("the end of a connection", () => {
	const will = { topic: "will", payload: Buffer.from("gone"), qos: 1, retain: true };

	test("DISCONNECT with reason 0: the will is discarded; any other end: it is published", () => {
		const endings: [4 | 5, string, boolean][] = [
			[4, "disconnect", false],
			[5, "disconnect", false],
			[5, "disconnect with will", true],
			[4, "drop", true],
			[5, "drop", true],
			[4, "garbage", true],
			[5, "garbage", true],
			[4, "silence", true],
			[5, "silence", true],
		];
		for (const [version, ending, published] of endings) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version, { will });
			if (ending === "disconnect") peer.send({ cmd: "disconnect", reasonCode: 0 });
			else if (ending === "disconnect with will") peer.send({ cmd: "disconnect", reasonCode: 4 });
			else if (ending === "drop") peer.drop();
			else if (ending === "garbage") peer.sendRaw(new Uint8Array([0xf8, 0]));
			else harness.host.advance(90_001);
			const watcher = harness.client("watcher");
			watcher.subscribe("will", { qos: 1 });
			assert.deepEqual(watcher.messages(), published ? ["will=gone"] : [], `${version} ${ending}`);
			assert.equal(harness.broker.usage.sessions, 1);
		}
	});

	test("a will to a $SYS topic, or without room to retain it: not published", () => {
		const harness = new BrokerHarness({ retainedTopics: 1 });
		harness.client("a").publish("t", "1", { retain: true }).drop();
		harness.client("a", 5, { will: { ...will, topic: "$SYS/x" } }).drop();
		assert.equal(harness.broker.counters.publishesDenied, 1);
		harness.client("a", 5, { will }).drop();
		assert.equal(harness.broker.counters.publishesOverQuota, 1);
		assert.equal(harness.broker.usage.sessions, 0);
	});

	test("a client subscribed to its own will topic: the will is not sent to it", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a", 5, { will });
		peer.subscribe("will");
		peer.drop();
		assert.deepEqual(harness.host.traces, []);
		assert.equal(harness.broker.counters.messagesDelivered, 0);
	});
});

describe("timeouts", () => {
	test("no packet for 1.5 times the keep alive: the connection closes with 0x8D", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a", 5, { keepalive: 10 });
		harness.host.advance(14_000);
		peer.send({ cmd: "pingreq" });
		assert.ok(peer.shift("pingresp"));
		harness.host.advance(14_900);
		assert.ok(!peer.closed);
		harness.host.advance(200);
		assert.ok(peer.closed);
		assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x8d);
		assert.equal(harness.host.timers, 1, "only the clock's timer runs when nobody is connected");
	});

	test("no complete CONNECT within connectTimeout: the connection closes", () => {
		const harness = new BrokerHarness({ connectTimeout: 5000 });
		const mute = harness.peer();
		const half = harness.peer().sendRaw(new Uint8Array([0x10, 100, 0, 4]));
		harness.host.advance(4990);
		assert.ok(!mute.closed && !half.closed);
		harness.host.advance(20);
		assert.ok(mute.closed && half.closed);
		assert.equal(harness.broker.usage.sockets, 0);
	});

	test("keep alive 0: keepAliveLimit applies to MQTT 5.0 clients, which are told of it", () => {
		const harness = new BrokerHarness({ keepAliveLimit: 100 });
		const will = { topic: "will", payload: Buffer.from("gone"), qos: 0, retain: false };
		const old = harness.client("old", 4, { keepalive: 0, will });
		const told = harness.peer(5);
		const connack = told.connect("told", { keepalive: 0 }) as IConnackPacket;
		assert.equal(connack.properties?.serverKeepAlive, 100);
		// reading what the broker sends is no sign of life: the platform reads too
		told.subscribe("x");
		const sender = harness.client("sender", 5, { keepalive: 60 });
		sender.subscribe("will");
		for (let i = 0; i < 6; i++) {
			harness.host.advance(30_000);
			sender.publish("x", "1");
		}
		assert.ok(told.closed);
		harness.host.advance(100_000_000);
		assert.ok(!old.closed);
		assert.deepEqual(sender.messages(), []);
		const forever = new BrokerHarness({ keepAliveLimit: 0 });
		const peer = forever.client("a", 5, { keepalive: 0 });
		forever.host.advance(100_000_000);
		assert.ok(!peer.closed);
	});

	test("the host's tick counter wraps: timeouts are unaffected", () => {
		const harness = new BrokerHarness();
		harness.host.stall(2 ** 31 - 5000);
		harness.host.run();
		const peer = harness.client("a", 5, { keepalive: 10 });
		harness.host.advance(10_000);
		peer.send({ cmd: "pingreq" });
		harness.host.advance(10_000);
		assert.ok(!peer.closed);
		harness.host.advance(6000);
		assert.ok(peer.closed);
	});
});

test("stop() and start(): sessions still expire, and $SYS is published again", () => {
	const harness = new BrokerHarness({ systemInterval: 5000 });
	const { host, broker } = harness;
	const lasting = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 20 } };
	harness.client("a", 5, lasting).subscribe("$SYS/#");
	broker.stop();
	host.advance(100);
	broker.start();
	const watcher = harness.client("watcher", 5, { keepalive: 0 });
	watcher.subscribe("$SYS/broker/uptime");
	watcher.messages();
	host.advance(6000);
	assert.equal(watcher.messages().length, 1);
	watcher.send({ cmd: "unsubscribe", messageId: 1, unsubscriptions: ["$SYS/broker/uptime"] });
	host.advance(20_000);
	assert.equal(broker.usage.sessions, 1);
});

test("stop(): DISCONNECT 0x8B, and the port is freed; start(): the port is open again", () => {
	const harness = new BrokerHarness();
	const peer = harness.client("a");
	harness.broker.stop();
	harness.host.run();
	assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x8b);
	assert.ok(peer.closed);
	assert.equal(harness.broker.port, 0);
	assert.equal(harness.host.timers, 0);
	harness.broker.start();
	harness.client("a");
});
