import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnackPacket, IDisconnectPacket } from "mqtt-packet";
import { World } from "./support/world";

describe("CONNECT", () => {
	test("MQTT 5.0 is told what it gets", () => {
		const world = new World();
		const connack = world.peer(5).open("a", { keepalive: 0, clean: false, properties: { sessionExpiryInterval: 600 } }) as IConnackPacket;
		assert.equal(connack.reasonCode, 0);
		assert.equal(connack.sessionPresent, false);
		assert.deepEqual({ ...connack.properties }, { receiveMaximum: 16, maximumPacketSize: 512, serverKeepAlive: 300, topicAliasMaximum: 1 });
	});

	test("MQTT 3.1.1 gets return code 0 and no session", () => {
		const connack = new World().peer(4).open("a", { clean: false }) as IConnackPacket;
		assert.equal(connack.returnCode, 0);
		assert.equal(connack.sessionPresent, false);
	});

	test("an empty client identifier is filled in, differently each time", () => {
		const world = new World();
		const first = world.peer(5).open("") as IConnackPacket;
		const second = world.peer(5).open("") as IConnackPacket;
		assert.match(first.properties?.assignedClientIdentifier ?? "", /^auto-[0-9a-f]{12}$/);
		assert.notEqual(first.properties?.assignedClientIdentifier, second.properties?.assignedClientIdentifier);
		assert.equal((world.peer(4).open("", { clean: true }) as IConnackPacket).returnCode, 0);
		assert.equal(world.broker.usage.sessions, 3);
	});

	test("a client identifier that is used again takes over at once, and the old client's will is published", () => {
		for (const version of [4, 5] as const) {
			const world = new World();
			const watcher = world.client("watcher");
			watcher.subscribe("will");
			const old = world.client("same", version, { will: { topic: "will", payload: Buffer.from("gone"), qos: 0, retain: false } });
			const fresh = world.client("same", version);
			assert.ok(old.closed);
			if (version === 5) assert.equal((old.shift("disconnect") as IDisconnectPacket).reasonCode, 0x8e);
			assert.deepEqual(watcher.messages(), ["will=gone"]);
			fresh.subscribe("x");
			watcher.publish("x", "1");
			assert.deepEqual(fresh.messages(), ["x=1"]);
			assert.equal(world.broker.usage.sessions, 2);
			assert.equal(world.broker.counters.takeovers, 1);
		}
	});

	test("a client takes over its own place when all places are taken", () => {
		const world = new World({ connections: 1 });
		const old = world.client("a");
		world.client("a");
		assert.ok(old.closed);
		assert.equal(world.broker.usage.connections, 1);
	});

	test("refusals", () => {
		const cases: [4 | 5, Record<string, unknown>, number | undefined][] = [
			[5, { will: { topic: "w", payload: Buffer.from("x"), qos: 2, retain: false } }, 0],
			[4, { will: { topic: "w", payload: Buffer.from("x"), qos: 2, retain: false } }, 0],
			[5, { properties: { authenticationMethod: "SCRAM" } }, 0x8c],
			[5, { clientId: "x".repeat(257) }, 0x85],
			[4, { clientId: "x".repeat(257) }, 2],
		];
		for (const [version, fields, code] of cases) {
			const world = new World();
			const peer = world.peer(version);
			const connack = peer.open("a", fields) as IConnackPacket;
			assert.equal(version === 5 ? connack.reasonCode : connack.returnCode, code);
			assert.equal(peer.closed, code !== 0);
			assert.equal(world.broker.usage.sockets, code === 0 ? 1 : 0);
			assert.equal(world.broker.usage.sessions, code === 0 ? 1 : 0);
		}
	});

	test("versions it does not speak are answered in the nearest version", () => {
		const connect = (name: string, level: number) => {
			const text = Buffer.from(name);
			const body = [0, text.length, ...text, level, 2, 0, 60, ...(level > 4 ? [0] : []), 0, 1, 0x61];
			return new Uint8Array([0x10, body.length, ...body]);
		};
		const world = new World();
		const old = world.peer(4).sendRaw(connect("MQIsdp", 3));
		assert.equal((old.shift("connack") as IConnackPacket).returnCode, 1);
		assert.ok(old.closed);
		const future = world.peer(5).sendRaw(connect("MQTT", 6));
		assert.equal((future.shift("connack") as IConnackPacket).reasonCode, 0x84);
		assert.ok(future.closed);
	});

	test("what comes before CONNECT closes the connection, and so does a second CONNECT", () => {
		const world = new World();
		const early = world.peer(5).send({ cmd: "pingreq" });
		assert.ok(early.closed);
		const twice = world.client("a");
		twice.open("a");
		assert.equal((twice.shift("disconnect") as IDisconnectPacket).reasonCode, 0x82);
		assert.ok(twice.closed);
		assert.equal(world.broker.usage.sockets, 0);
	});

	test("everything may arrive in one piece, and one byte at a time", () => {
		for (const size of [1, 2, 3, 1000]) {
			const world = new World();
			const peer = world.peer(5);
			const stream = Buffer.concat([
				peer.encode({ cmd: "connect", protocolId: "MQTT", protocolVersion: 5, clean: true, clientId: "a", keepalive: 60 }),
				peer.encode({ cmd: "subscribe", messageId: 3, subscriptions: [{ topic: "t/#", qos: 1 }] }),
				peer.encode({ cmd: "publish", topic: "t/1", payload: "x".repeat(200), qos: 1, messageId: 4, retain: false, dup: false }),
				peer.encode({ cmd: "publish", topic: "t/2", payload: "", qos: 0, retain: true, dup: false }),
				peer.encode({ cmd: "pingreq" }),
			]);
			for (let at = 0; at < stream.length; at += size) peer.sendRaw(new Uint8Array(stream.subarray(at, at + size)));
			assert.deepEqual(
				peer.packets.map(({ cmd }) => cmd),
				["connack", "suback", "publish", "puback", "publish", "pingresp"],
			);
		}
	});
});

describe("the end of a connection", () => {
	const will = { topic: "will", payload: Buffer.from("gone"), qos: 1, retain: true };

	test("DISCONNECT keeps the will back, everything else publishes it", () => {
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
			const world = new World();
			const peer = world.client("a", version, { will });
			if (ending === "disconnect") peer.send({ cmd: "disconnect", reasonCode: 0 });
			else if (ending === "disconnect with will") peer.send({ cmd: "disconnect", reasonCode: 4 });
			else if (ending === "drop") peer.drop();
			else if (ending === "garbage") peer.sendRaw(new Uint8Array([0xf8, 0]));
			else world.host.advance(90_001);
			const watcher = world.client("watcher");
			watcher.subscribe("will", { qos: 1 });
			assert.deepEqual(watcher.messages(), published ? ["will=gone"] : [], `${version} ${ending}`);
			assert.equal(world.broker.usage.sessions, 1);
		}
	});

	test("a will to a topic of the broker is not published, nor one that finds no room", () => {
		const world = new World({ retainedTopics: 1 });
		world.client("a").publish("t", "1", { retain: true }).drop();
		world.client("a", 5, { will: { ...will, topic: "$SYS/x" } }).drop();
		assert.equal(world.broker.counters.denied, 1);
		world.client("a", 5, { will }).drop();
		assert.equal(world.broker.counters.quota, 1);
		assert.equal(world.broker.usage.sessions, 0);
	});

	test("a client's own will is not sent to it", () => {
		const world = new World();
		const peer = world.client("a", 5, { will });
		peer.subscribe("will");
		peer.drop();
		assert.deepEqual(world.host.traces, []);
		assert.equal(world.broker.counters.delivered, 0);
	});
});

describe("silence", () => {
	test("one and a half times the keepalive, counted from the last packet", () => {
		const world = new World();
		const peer = world.client("a", 5, { keepalive: 10 });
		world.host.advance(14_000);
		peer.send({ cmd: "pingreq" });
		assert.ok(peer.shift("pingresp"));
		world.host.advance(14_900);
		assert.ok(!peer.closed);
		world.host.advance(200);
		assert.ok(peer.closed);
		assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x8d);
		assert.equal(world.host.timers, 0, "no timer runs when nobody is connected");
	});

	test("a connection without CONNECT, also with half of one, ends after connectTimeout", () => {
		const world = new World({ connectTimeout: 5000 });
		const mute = world.peer();
		const half = world.peer().sendRaw(new Uint8Array([0x10, 100, 0, 4]));
		world.host.advance(4990);
		assert.ok(!mute.closed && !half.closed);
		world.host.advance(20);
		assert.ok(mute.closed && half.closed);
		assert.equal(world.broker.usage.sockets, 0);
	});

	test("a client that asks for no keepalive is held to the limit; one that still reads what it is sent stays", () => {
		const world = new World({ keepAliveLimit: 100 });
		const quiet = world.client("quiet", 4, { keepalive: 0 });
		const reader = world.client("reader", 4, { keepalive: 0 });
		reader.subscribe("x");
		const sender = world.client("sender", 5, { keepalive: 60 });
		for (let i = 0; i < 6; i++) {
			world.host.advance(30_000);
			sender.publish("x", "1");
		}
		assert.ok(quiet.closed);
		assert.ok(!reader.closed);
		const forever = new World({ keepAliveLimit: 0 });
		const peer = forever.client("a", 5, { keepalive: 0 });
		forever.host.advance(100_000_000);
		assert.ok(!peer.closed);
	});

	test("the wrap of the host's ticks goes unnoticed", () => {
		const world = new World();
		world.host.now = 2 ** 31 - 5000;
		world.host.run();
		const peer = world.client("a", 5, { keepalive: 10 });
		world.host.advance(10_000);
		peer.send({ cmd: "pingreq" });
		world.host.advance(10_000);
		assert.ok(!peer.closed);
		world.host.advance(6000);
		assert.ok(peer.closed);
	});
});

test("stop() says good-bye and frees the port; start() opens it again", () => {
	const world = new World();
	const peer = world.client("a");
	world.broker.stop();
	world.host.run();
	assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x8b);
	assert.ok(peer.closed);
	assert.equal(world.broker.port, 0);
	assert.equal(world.host.timers, 0);
	world.broker.start();
	world.client("a");
});
