import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPublishPacket } from "mqtt-packet";
import { nodePools } from "../../sim/service/node-pools";
import { BrokerHarness } from "./support/broker-harness";
import type { TestClient } from "./support/test-client";

/** Time from one turn of the broker's timer to the next while work waits, ms. */
const TURN_MS = 1;

/** Asks for stored values once more: for those of twelve filters that nothing matches, then of the first. */
function requestStored(client: TestClient, first: string): void {
	const topics = [first, ...Array.from({ length: 12 }, (_, i) => `x/${i}`)];
	client.send({
		cmd: "subscribe",
		messageId: 1,
		// the newest is filled first
		subscriptions: topics.map((topic) => ({ topic, qos: 0, rh: 0 })),
	});
}

test("clients that time out at once: two are closed in a turn, the next ones in the next", () => {
	const harness = new BrokerHarness({ turnPackets: 16 });
	const will = { topic: "will", payload: Buffer.from("x"), qos: 0, retain: false };
	for (let i = 0; i < 7; i++) harness.client(`c${i}`, 4, { keepalive: 60, will });
	const watcher = harness.client("watcher", 4, { keepalive: 0 });
	watcher.subscribe("will");
	harness.host.advance(89_999);
	assert.equal(harness.broker.usage.sockets, 8);
	for (const closed of [2, 4, 6, 7]) {
		harness.host.advance(TURN_MS);
		assert.equal(harness.broker.usage.sockets, 8 - closed);
	}
	assert.equal(watcher.messages().length, 7);
});

test("sessions that expire at once: their wills are published in further turns, all of them", () => {
	const harness = new BrokerHarness({ turnPackets: 4 });
	const watcher = harness.client("watcher", 5, { keepalive: 0 });
	watcher.subscribe("will");
	for (let i = 0; i < 12; i++) {
		const properties = { sessionExpiryInterval: 50 };
		const will = {
			topic: "will",
			payload: Buffer.from("x"),
			qos: 0,
			retain: false,
			properties: { willDelayInterval: 50 },
		};
		harness.client(`c${i}`, 5, { clean: false, properties, will }).drop();
	}
	assert.equal(harness.broker.usage.sessions, 13);
	harness.host.advance(48_000);
	assert.equal(watcher.messages().length, 0);
	let received = 0;
	let turns = 0;
	for (let at = 0; at < 4000; at += TURN_MS) {
		harness.host.advance(TURN_MS);
		const now = watcher.messages().length;
		assert.ok(now <= 4, `${now} in a turn`);
		if (received > 0 && received < 12) turns++;
		received += now;
	}
	assert.equal(received, 12);
	// the twelve wills, a delivery of each and the twelve sessions are 36 packets of the budget
	assert.ok(turns >= 5 && turns <= 12, `${turns} turns`);
	assert.equal(harness.broker.usage.sessions, 1);
});

for (const lastValue of ["retained", "every"] as const)
	test(`a value that comes while a subscription waits for stored ones, lastValue "${lastValue}": delivered once`, () => {
		const harness = new BrokerHarness({ turnPackets: 1, lastValue });
		const sender = harness.client("sender", 5, { keepalive: 0 });
		for (let i = 0; i < 20; i++) sender.publish(`t/${i}`, "old", { retain: true });
		harness.host.advance(100);
		const reader = harness.client("reader", 5, { keepalive: 0 });
		requestStored(reader, "t/#");
		harness.host.advance(1);
		sender.publish("t/7", "new", { retain: true });
		sender.publish("t/new", "new");
		harness.host.advance(10_000);
		const messages = reader.messages();
		assert.deepEqual(
			[...messages].sort(),
			[...Array.from({ length: 20 }, (_, i) => `t/${i}=${i === 7 ? "new" : "old"}`), "t/new=new"].sort(),
		);
	});

test("a value that comes while a subscription waits for stored ones, and finds no room for it: comes from the store", () => {
	const harness = new BrokerHarness({ turnPackets: 1, queuedPerClient: 2 });
	const sender = harness.client("sender", 5, { keepalive: 0 });
	for (let i = 0; i < 10; i++) sender.publish(`t/${i}`, "old", { retain: true, qos: 1, messageId: 1 });
	harness.host.advance(100);
	const reader = harness.client("reader", 5, { keepalive: 0, properties: { receiveMaximum: 1 } });
	reader.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "t/#", qos: 1, rh: 0 }] });
	harness.host.advance(50);
	for (let i = 5; i < 9; i++) sender.publish(`t/${i}`, "new", { retain: true, qos: 1, messageId: 1 });
	assert.ok(harness.broker.counters.droppedQueue > 0);
	const values = new Map<string, string>();
	for (let i = 0; i < 100; i++) {
		harness.host.advance(TURN_MS);
		const packet = reader.shift("publish") as IPublishPacket | undefined;
		if (packet === undefined) continue;
		values.set(packet.topic, packet.payload.toString());
		reader.send({ cmd: "puback", messageId: packet.messageId });
	}
	assert.deepEqual(
		[...values].sort(),
		Array.from({ length: 10 }, (_, i) => [`t/${i}`, i >= 5 && i < 9 ? "new" : "old"]),
	);
});

test("$SYS values that wait for further turns: a new subscriber gets each of them", () => {
	const topicsOf = (turnPackets: number) => {
		const harness = new BrokerHarness({ turnPackets });
		const reader = harness.client("reader", 5, { keepalive: 0 });
		harness.host.advance(1000);
		requestStored(reader, "$SYS/broker/#");
		// Before the next update
		harness.host.advance(1000);
		return reader.messages().map((text) => text.split("=")[0]);
	};
	const topics = topicsOf(1000);
	assert.ok(topics.length > 20, `${topics.length}`);
	assert.deepEqual(topicsOf(1), topics);
});

for (const rh of [1, 2] as const)
	test(`a filter is subscribed again with Retain Handling ${rh} while its stored values wait: they are sent nevertheless`, () => {
		const harness = new BrokerHarness({ turnPackets: 1 });
		const sender = harness.client("sender", 5, { keepalive: 0 });
		for (let i = 0; i < 10; i++) sender.publish(`t/${i}`, "old", { retain: true });
		harness.host.advance(100);
		const reader = harness.client("reader", 5, { keepalive: 0 });
		requestStored(reader, "t/#");
		reader.subscribe("t/#", { rh });
		harness.host.advance(10_000);
		assert.deepEqual(
			reader.messages().sort(),
			Array.from({ length: 10 }, (_, i) => `t/${i}=old`),
		);
	});

test("a client that comes back while it waits for stored values: gets those that came in the meantime", () => {
	const harness = new BrokerHarness({ turnPackets: 1 });
	const sender = harness.client("sender", 5, { keepalive: 0 });
	for (let i = 0; i < 10; i++) sender.publish(`t/${i}`, "old", { retain: true });
	harness.host.advance(100);
	const lasting = { keepalive: 0, clean: false, properties: { sessionExpiryInterval: 100 } };
	const reader = harness.client("reader", 5, lasting);
	requestStored(reader, "t/#");
	reader.drop();
	harness.host.advance(50);
	sender.publish("t/7", "new", { retain: true });
	harness.host.advance(50);
	const again = harness.client("reader", 5, lasting);
	harness.host.advance(10_000);
	assert.deepEqual(
		again.messages().sort(),
		Array.from({ length: 10 }, (_, i) => `t/${i}=${i === 7 ? "new" : "old"}`),
	);
});

test("stored values beyond the budget: in further turns, once each, and others are answered in between", () => {
	const harness = new BrokerHarness({ turnPackets: 4, retainedTopics: 32 });
	const sender = harness.client("sender", 5, { keepalive: 0 });
	for (let i = 0; i < 32; i++) sender.publish(`t/${i}`, "x", { retain: true });
	const reader = harness.client("reader", 5, { keepalive: 0 });
	requestStored(reader, "#");
	let turns = 0;
	const topics: string[] = [];
	for (; topics.length < 32; turns++) {
		assert.ok(turns < 500);
		harness.host.advance(TURN_MS);
		topics.push(...reader.publishes().map(({ topic }) => topic));
		sender.send({ cmd: "pingreq" });
		assert.ok(sender.shift("pingresp"));
	}
	assert.deepEqual([...new Set(topics)].length, 32);
	// 12 × 32 comparisons are 96 packets of the budget
	assert.ok(turns >= 96 / 4 && turns < 48, `${turns} turns`);
	harness.host.advance(1000);
	assert.deepEqual(reader.messages(), []);
});

test("a flood to 100 subscribers at a desk: turns are long enough that many messages leave in one write", () => {
	const harness = new BrokerHarness(nodePools);
	const readers = Array.from({ length: 100 }, (_, i) => harness.client(`r${i}`, 4, { keepalive: 0 }));
	for (const reader of readers) reader.subscribe("t");
	const sender = harness.client("sender", 4, { keepalive: 0 });
	const packet = sender.encode({
		cmd: "publish",
		topic: "t",
		payload: "x",
		qos: 0,
		retain: false,
		dup: false,
	});
	sender.sendRaw(Buffer.concat(Array<Uint8Array>(160).fill(packet)));
	harness.host.advance(TURN_MS);
	for (const reader of readers) assert.equal(reader.messages().length, 160);
	assert.equal(harness.broker.counters.turnsEnded, 1);
});

test("a client that asks for stored values without end: others are closed for their silence in time", () => {
	const harness = new BrokerHarness({ turnPackets: 4 });
	const sender = harness.client("sender", 5, { keepalive: 0 });
	for (let i = 0; i < 32; i++) sender.publish(`t/${i}`, "x", { retain: true });
	const watcher = harness.client("watcher", 5, { keepalive: 0 });
	watcher.subscribe("will");
	for (let i = 0; i < 3; i++) {
		const will = { topic: "will", payload: Buffer.from("x"), qos: 0, retain: false };
		harness.client(`silent${i}`, 5, { keepalive: 1, will });
	}
	const flooder = harness.client("flooder", 5, { keepalive: 0 });
	for (let at = 0; at < 1600; at += 10) {
		requestStored(flooder, "x");
		harness.host.advance(10);
	}
	assert.equal(watcher.messages().length, 3);
});

test("a client that asks for stored values without end: those of others come in their turn", () => {
	const harness = new BrokerHarness({ turnPackets: 4, connections: 20, sessions: 20 });
	const sender = harness.client("sender", 5, { keepalive: 0 });
	for (let i = 0; i < 32; i++) sender.publish(`t/${i}`, "x", { retain: true });
	const flooder = harness.client("flooder", 5, { keepalive: 0 });
	const readers = ["a", "b"].map((id) => harness.client(id, 5, { keepalive: 0 }));
	requestStored(flooder, "x");
	for (const reader of readers) requestStored(reader, "#");
	// 12 × 32 comparisons and 32 messages of each are 136 packets of the budget, and the flooder has a third
	const turns = (3 * 136) / 4;
	for (let turn = 0; turn < turns; turn++) {
		requestStored(flooder, "x");
		harness.host.advance(TURN_MS);
	}
	for (const reader of readers) assert.equal(reader.messages().length, 32);
});

test("an exception while waiting stored values are sent: ends that connection, and others get theirs", () => {
	const harness = new BrokerHarness({ turnPackets: 4 });
	const sender = harness.client("sender", 5, { keepalive: 0 });
	for (let i = 0; i < 16; i++) sender.publish(`t/${i}`, "x", { retain: true });
	const properties = { userProperties: { "firefly-time": "" } };
	const failing = harness.client("failing", 5, { keepalive: 0, properties });
	const reader = harness.client("reader", 5, { keepalive: 0 });
	requestStored(failing, "#");
	requestStored(reader, "#");
	Object.defineProperty(harness.host, "clockIsSet", {
		get() {
			throw new Error("the host fails");
		},
	});
	harness.host.advance(1000);
	assert.equal(reader.messages().length, 16);
	assert.ok(failing.closed);
	assert.equal(harness.broker.counters.internalErrors, 1);
});
