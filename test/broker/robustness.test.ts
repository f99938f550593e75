import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { IDisconnectPacket } from "mqtt-packet";
import { BrokerHarness } from "./support/broker-harness";

describe("misbehaving clients do not affect others", () => {
	test("a subscriber that reads nothing: only its own messages are dropped", () => {
		const harness = new BrokerHarness();
		const frozen = harness.client("frozen");
		frozen.subscribe("t", { qos: 1 });
		frozen.freeze();
		const quick = harness.client("quick", 5, { properties: { receiveMaximum: 65535 } });
		quick.subscribe("t");
		const sender = harness.client("sender");
		let receivedCount = 0;
		for (let i = 0; i < 500; i++) {
			sender.publish("t", `${i}`.padEnd(300, "x"), { qos: i & 1, messageId: i + 1 });
			receivedCount += quick.messages().length;
		}
		assert.equal(receivedCount, 500);
		assert.equal(sender.packets.length, 250);
		assert.ok(sender.packets.every((packet) => packet.cmd === "puback" && packet.reasonCode === 0));
		assert.ok(harness.broker.counters.droppedQueue > 400);
		const waiting = harness.broker.usage.queued;
		assert.ok(waiting <= 16);
		frozen.thaw();
		const first = frozen.publishes();
		assert.equal(String(first[0].payload).replace(/x+/, ""), "0");
		for (const { qos, messageId } of first) if (qos === 1) frozen.send({ cmd: "puback", messageId });
		sender.publish("t", "after");
		assert.equal(frozen.messages().at(-1), "t=after");
	});

	test("a client that sends without reading: not read from, and closed by its keep alive", () => {
		const harness = new BrokerHarness();
		const nonReadingClient = harness.client("deaf", 5, { keepalive: 20 });
		nonReadingClient.subscribe("t");
		nonReadingClient.freeze();
		for (let i = 0; i < 4000; i++)
			nonReadingClient.publish("t", "x".repeat(200), { qos: 1, messageId: (i % 60_000) + 1 });
		assert.ok(harness.broker.counters.publishesReceived < 4000);
		const other = harness.client("other");
		other.subscribe("t");
		other.publish("t", "1");
		assert.deepEqual(other.messages(), ["t=1"]);
		harness.host.advance(30_000);
		assert.equal(harness.broker.usage.connections, 1);
	});

	test("a client that reads again: gets every acknowledgement, in order", () => {
		const harness = new BrokerHarness();
		const nonReadingClient = harness.client("deaf");
		nonReadingClient.freeze();
		for (let i = 0; i < 3000; i++) nonReadingClient.publish("t", "x", { qos: 1, messageId: i + 1 });
		nonReadingClient.thaw();
		harness.host.advance(1000);
		assert.equal(nonReadingClient.packets.length, 3000);
		assert.ok(nonReadingClient.packets.every((packet, i) => packet.messageId === i + 1));
	});

	test("an incomplete packet: others are served, and the connection times out", () => {
		const harness = new BrokerHarness();
		const half = harness.client("half", 5, { keepalive: 10 });
		half.sendRaw(new Uint8Array([0x32, 200, 1, 0, 1, 0x74]));
		const other = harness.client("other");
		other.subscribe("#");
		other.publish("t", "x".repeat(400));
		assert.equal(other.messages().length, 1);
		harness.host.advance(15_001);
		assert.ok(half.closed);
	});

	test("a malformed packet: only its connection closes, with the reason code of the specification", () => {
		const cases: [string, number[], number][] = [
			["reserved type", [0x00, 0x00], 0x81],
			["PUBLISH with QoS 3", [0x36, 5, 0, 1, 0x74, 0, 1], 0x81],
			["PUBLISH to a wildcard", [0x30, 4, 0, 1, 0x23, 0], 0x90],
			["PUBLISH with packet identifier 0", [0x32, 6, 0, 1, 0x74, 0, 0, 0], 0x82],
			["SUBSCRIBE with wrong flags", [0x80, 7, 0, 1, 0, 0, 1, 0x74, 0], 0x81],
			["SUBSCRIBE without a filter", [0x82, 3, 0, 1, 0], 0x82],
			["remaining length of five bytes", [0x30, 0x80, 0x80, 0x80, 0x80, 0x01], 0x81],
			["remaining length longer than need be", [0x30, 0x80, 0x00], 0x81],
			["a packet only a broker sends", [0xd0, 0x00], 0x82],
			["AUTH without a method", [0xf0, 0x02, 0x18, 0x00], 0x82],
		];
		for (const [name, bytes, reason] of cases) {
			const harness = new BrokerHarness();
			const other = harness.client("other");
			const peer = harness.client("a").sendRaw(new Uint8Array(bytes));
			assert.equal((peer.shift("disconnect") as IDisconnectPacket | undefined)?.reasonCode, reason, name);
			assert.ok(peer.closed);
			assert.ok(!other.closed);
			const old = harness.client("old", 4).sendRaw(new Uint8Array(bytes));
			assert.ok(old.closed, name);
			assert.equal(old.packets.length, 0);
			assert.equal(harness.broker.usage.connections, 1);
		}
	});

	test("arbitrary bytes before and after CONNECT: no internal error, others are served", () => {
		const harness = new BrokerHarness();
		const other = harness.client("other", 5, { keepalive: 0xffff });
		other.subscribe("other/#");
		const packetLike = fc
			.tuple(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 60 }))
			.map(([first, body]) => Uint8Array.from([first, body.length, ...body]));
		fc.assert(
			fc.property(
				fc.constantFrom<0 | 4 | 5>(0, 4, 5),
				fc.array(fc.oneof(packetLike, fc.uint8Array({ maxLength: 30 })), { maxLength: 6 }),
				(version, chunks) => {
					const peer = harness.peer(version === 4 ? 4 : 5);
					if (version !== 0) peer.connect("fuzz", { keepalive: 10 });
					// the strict parser must not read the responses: they repeat arbitrary published bytes
					peer.socket.frozen = true;
					for (const chunk of chunks) peer.sendRaw(chunk);
					peer.drop();
					harness.host.advance(15_001);
					other.publish("other/1", "x");
					assert.deepEqual(other.messages(), ["other/1=x"]);
					assert.equal(harness.broker.usage.sockets, 1);
				},
			),
			{ numRuns: 1000 },
		);
		assert.deepEqual(harness.host.traces, []);
		assert.equal(harness.broker.counters.internalErrors, 0);
	});

	test("flipped bits and truncation of a conversation: no internal error, and the pools are empty", () => {
		const templateClient = new BrokerHarness().peer(5);
		const stream = Buffer.concat([
			templateClient.encode({
				cmd: "connect",
				protocolId: "MQTT",
				protocolVersion: 5,
				clean: true,
				clientId: "bits",
				keepalive: 10,
				will: {
					topic: "w",
					payload: Buffer.from("gone"),
					qos: 1,
					retain: true,
					properties: { willDelayInterval: 3 },
				},
			}),
			templateClient.encode({
				cmd: "subscribe",
				messageId: 1,
				subscriptions: [{ topic: "a/+/#", qos: 1 }],
				properties: { subscriptionIdentifier: 5 },
			}),
			templateClient.encode({
				cmd: "publish",
				topic: "a/b",
				payload: "1",
				qos: 1,
				messageId: 2,
				retain: true,
				dup: false,
				properties: { userProperties: { k: "v" } },
			}),
			templateClient.encode({ cmd: "unsubscribe", messageId: 3, unsubscriptions: ["a/+/#"] }),
			templateClient.encode({ cmd: "disconnect", reasonCode: 4 }),
		]);
		const harness = new BrokerHarness();
		const watcher = harness.client("watcher", 5, { keepalive: 0xffff });
		watcher.subscribe("watch");
		for (let bit = 0; bit < stream.length * 8; bit++) {
			const peer = harness.peer(5);
			peer.socket.frozen = true;
			const bytes = new Uint8Array(stream);
			bytes[bit >> 3] ^= 1 << (bit & 7);
			peer.sendRaw(bytes.subarray(0, bit % 3 === 0 ? bit >> 3 : bytes.length));
			peer.drop();
			harness.host.advance(15_001);
			if (bit % 50 === 0) harness.host.advance(100_000);
		}
		harness.host.advance(66_000 * 1500);
		assert.equal(harness.broker.usage.sockets, 0);
		assert.equal(harness.broker.usage.sessions, 0);
		assert.equal(harness.broker.usage.subscriptions, 0);
		assert.equal(harness.broker.usage.queued, 0);
		assert.equal(harness.broker.counters.internalErrors, 0);
	});
});

test("sockets that throw: only their own connection closes", () => {
	const harness = new BrokerHarness();
	const sender = harness.client("sender");
	const peers = [0, 1, 2, 3].map((i) => harness.client(`p${i}`));
	for (const peer of peers) peer.subscribe("t", { qos: 1 });
	const brokerSockets = peers.map((peer) => peer.socket.remote);
	brokerSockets[0].write = () => {
		throw new Error("not ready");
	};
	brokerSockets[1].write = () => undefined;
	sender.publish("t", "1", { qos: 1, messageId: 1 });
	assert.deepEqual(peers[2].messages(), ["t=1"]);
	assert.equal(harness.broker.usage.connections, 3);
	const { read } = brokerSockets[2];
	brokerSockets[2].read = () => {
		brokerSockets[2].read = read;
		throw new Error("broken");
	};
	peers[2].publish("t", "2");
	assert.ok(peers[2].closed);
	assert.equal(harness.host.traces.length, 1);
	brokerSockets[3].close = () => {
		throw new Error("invalid host data");
	};
	peers[3].send({ cmd: "disconnect" });
	assert.equal(harness.broker.usage.connections, 1);
	sender.publish("t", "3", { qos: 1, messageId: 2 });
	assert.equal(sender.packets.length, 2);
});

test("a connection closed before it is accepted: skipped", () => {
	const harness = new BrokerHarness({ connections: 1, handshakes: 0 });
	const first = harness.client("a");
	const gone = harness.peer();
	const next = harness.peer();
	gone.socket.reset();
	first.send({ cmd: "disconnect" });
	assert.ok(next.connect("b"));
});

test("10,000 clients that connect, publish and disappear: pool usage does not grow", () => {
	const harness = new BrokerHarness({ keepAliveLimit: 0 });
	const watcher = harness.client("watcher", 5, { keepalive: 0 });
	watcher.subscribe("will/+");
	let first: unknown;
	for (let i = 0; i < 10_000; i++) {
		const version = i & 1 ? 4 : 5;
		const peer = harness.client(`node-${i % 20}`, version, {
			keepalive: 10,
			will: { topic: `will/${i % 20}`, payload: Buffer.from("x"), qos: 0, retain: false },
		});
		peer.subscribe(`node/${i % 20}/+`, { qos: 1 });
		peer.publish(`value/${i % 20}`, `${i}`, { retain: true, qos: 1, messageId: 1 });
		// the others send no FIN: only the keep alive or a takeover ends them
		if (i % 3 === 0) peer.drop();
		else if (i % 3 === 1) harness.host.advance(15_001);
		if (i === 99) first = harness.broker.usage;
	}
	harness.host.advance(15_001);
	const usage = { ...harness.broker.usage, valueBytes: 0 };
	assert.deepEqual(
		{
			sockets: usage.sockets,
			sessions: usage.sessions,
			subscriptions: usage.subscriptions,
			queued: usage.queued,
		},
		{ sockets: 1, sessions: 1, subscriptions: 1, queued: 0 },
	);
	assert.equal(usage.values, (first as typeof usage).values);
	assert.ok(watcher.messages().length > 9000);
	assert.equal(harness.broker.counters.internalErrors, 0);
});

test("200 clients at once: each message reaches every subscriber", () => {
	const harness = new BrokerHarness({
		connections: 200,
		handshakes: 3,
		sessions: 200,
		subscriptions: 400,
		sessionBytes: 4000,
		filterLevels: 800,
		filterBytes: 8000,
		retainedTopics: 200,
		retainedBytes: 8000,
		queuedMessages: 1000,
	});
	const clients = Array.from({ length: 200 }, (_, i) => harness.client(`c${i}`, i & 1 ? 4 : 5));
	for (const [i, client] of clients.entries()) {
		client.subscribe(`to/${i}`, { qos: 1 });
		client.subscribe("all/+");
	}
	for (const [i, client] of clients.entries())
		client.publish(`to/${(i + 7) % 200}`, `${i}`, { qos: 1, messageId: 1 });
	clients[0].publish("all/x", "!");
	for (const [i, client] of clients.entries())
		assert.deepEqual(client.messages(), [`to/${i}=${(i + 193) % 200}`, "all/x=!"]);
});

test("50 connects a second and a slow subscriber: other clients get every message at once", () => {
	const harness = new BrokerHarness({ connectTimeout: 1000, inFlight: 2 });
	const quick = harness.client("quick", 5, { keepalive: 0xffff });
	quick.subscribe("t", { qos: 1 });
	const slow = harness.client("slow", 5, { keepalive: 0xffff });
	slow.subscribe("t", { qos: 1 });
	const sender = harness.client("sender", 5, { keepalive: 0xffff });
	let order = -1;
	for (let i = 0; i < 1000; i++) {
		const shortLivedClient = harness.peer(i & 1 ? 4 : 5);
		if (i % 2 === 0 && shortLivedClient.connect(`visitor-${i % 4}`)) shortLivedClient.drop();
		sender.publish("t", `${i}`, { qos: 1, messageId: (i % 60_000) + 1 });
		const [packet, ...more] = quick.publishes();
		assert.equal(more.length, 0);
		assert.equal(String(packet.payload), `${i}`);
		quick.send({ cmd: "puback", messageId: packet.messageId });
		if (i % 10 === 0) {
			for (const { messageId, payload } of slow.publishes()) {
				assert.ok(Number(payload) > order, "in order");
				order = Number(payload);
				slow.send({ cmd: "puback", messageId });
			}
		}
		harness.host.advance(20);
		// handshakes without CONNECT are closed after connectTimeout
		if (i % 100 === 99) harness.host.advance(1001);
	}
	assert.ok(harness.broker.counters.connectionsAccepted > 150);
	assert.ok(harness.broker.counters.droppedQueue > 500);
	assert.equal(harness.broker.counters.internalErrors, 0);
});
