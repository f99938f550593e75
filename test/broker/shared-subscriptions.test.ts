import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IDisconnectPacket, ISubackPacket } from "mqtt-packet";
import { BrokerHarness } from "./support/broker-harness";
import type { TestClient } from "./support/test-client";

/** Filters without a non-empty share name free of wildcards, or without a filter after it. */
const malformed = [
	"$share/",
	"$share//t",
	"$share/g",
	"$share/g/",
	"$share/+/t",
	"$share/#",
	"$share/a+/t",
	"$share/g#/t",
	"$share//",
];

describe("filters that begin with $share/", () => {
	test("[MQTT-4.8.2-1] [MQTT-4.8.2-2] malformed in MQTT 5.0: closed with 0x81, no filter added", () => {
		for (const topic of malformed) {
			for (const cmd of ["subscribe", "unsubscribe"]) {
				const harness = new BrokerHarness();
				const peer = harness.client("peer");
				const topics = ["before", topic, "after"];
				const packet = {
					cmd,
					messageId: 1,
					subscriptions: topics.map((each) => ({ topic: each, qos: 0 })),
					unsubscriptions: topics,
				};
				peer.send(packet);
				assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x81, `${cmd} ${topic}`);
				assert.deepEqual([peer.closed, peer.packets.length], [true, 0]);
				assert.equal(harness.broker.usage.subscriptions, 0);
				assert.equal(harness.broker.counters.peerFaults, 1);
			}
		}
	});

	test("MQTT 5.0, malformed filter after the share name: closed with 0x81; `$share` alone: accepted", () => {
		for (const topic of ["$share/g/a+", "$share/g/#/a"])
			assert.equal(
				(
					new BrokerHarness()
						.client("peer")
						.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic, qos: 0 }] })
						.shift("disconnect") as IDisconnectPacket
				).reasonCode,
				0x81,
			);
		const harness = new BrokerHarness();
		const peer = harness.client("peer");
		for (const topic of ["$share", "$shared//x", "$share/g/$share/h/t", "$share/g//"])
			assert.deepEqual([...(peer.subscribe(topic, { qos: 1 }) as ISubackPacket).granted], [1], topic);
		harness.client("x").publish("/", "1");
		assert.deepEqual(peer.messages(), ["/=1"]);
	});

	test("MQTT 3.1.1: served as in MQTT 5.0, also together with its clients", () => {
		for (const versions of [
			[4, 4],
			[4, 5],
		] as const) {
			const harness = new BrokerHarness();
			harness.client("sender").publish("t", "0", { retain: true });
			const members = versions.map((version, i) => {
				const member = harness.client(`member-${i}`, version);
				assert.deepEqual([...(member.subscribe("$share/g/t", { qos: 1 }) as ISubackPacket).granted], [1]);
				return member;
			});
			const sender = harness.client("sender");
			for (let i = 1; i <= 4; i++) sender.publish("t", `${i}`, { qos: 1, messageId: i });
			const got = members.map((member) => member.messages());
			assert.deepEqual(
				got.map(({ length }) => length),
				[2, 2],
			);
			assert.deepEqual(got.flat().sort(), ["t=1", "t=2", "t=3", "t=4"]);
			for (const member of members) {
				member.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["$share/g/t"] });
				assert.ok(member.shift("unsuback"));
			}
			assert.equal(harness.broker.usage.subscriptions, 0);
			assert.equal(harness.broker.usage.filterLevels, 0);
		}
	});

	test("MQTT 3.1.1, malformed: treated as ordinary filters", () => {
		for (const topic of malformed) {
			const harness = new BrokerHarness();
			const peer = harness.client("peer", 4);
			const valid = !/[^/][+#]|[+#][^/]/.test(topic);
			peer.subscribe(topic, { qos: 1 });
			assert.equal(peer.closed, !valid, topic);
			assert.equal(harness.broker.usage.subscriptions, valid ? 1 : 0);
			if (!valid) continue;
			peer.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: [topic] });
			assert.ok(peer.shift("unsuback"));
			assert.equal(harness.broker.usage.filterLevels, 0);
		}
	});
});

test("the last member's session ends: its messages are counted as dropped", () => {
	const harness = new BrokerHarness({ inFlight: 1 });
	const member = harness.client("member");
	member.subscribe("$share/g/t", { qos: 1 });
	const sender = harness.client("sender");
	for (let i = 0; i < 3; i++) sender.publish("t", `${i}`, { qos: 1, messageId: 1 });
	member.drop();
	assert.equal(harness.broker.counters.droppedShared, 3);
	assert.equal(harness.broker.usage.queued, 0);
});

test("the last member unsubscribes with messages queued: they are not sent to a share that comes later", () => {
	const harness = new BrokerHarness();
	const other = harness.client("other");
	other.subscribe("$share/other/t", { qos: 1 });
	const member = harness.client("member", 5, { clean: false, properties: { sessionExpiryInterval: 5 } });
	member.subscribe("$share/first/t", { qos: 1 });
	member.freeze();
	const sender = harness.client("sender");
	for (let i = 0; i < 4; i++) sender.publish("t", `${i}`, { qos: 1, messageId: 1 });
	member.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["$share/first/t"] });
	const late = harness.client("late");
	late.subscribe("$share/later/t", { qos: 1 });
	member.drop();
	harness.host.advance(6000);
	assert.equal(harness.broker.usage.sessions, 3);
	assert.deepEqual(late.messages(), []);
	assert.equal(other.messages().length, 4);
});

test("a message moves to a member that is away, and expires there: it takes no place from the next one", () => {
	const harness = new BrokerHarness({ queuedPerClient: 1 });
	const lasting = (sessionExpiryInterval: number) => ({
		clean: false,
		keepalive: 0,
		properties: { sessionExpiryInterval },
	});
	const first = harness.client("first", 5, lasting(5));
	first.subscribe("$share/g/t", { qos: 1 });
	const sender = harness.client("sender", 5, { keepalive: 0 });
	sender.publish("t", "old", { qos: 1, messageId: 1, properties: { messageExpiryInterval: 10 } });
	assert.equal(first.messages().length, 1);
	const second = harness.client("second", 5, lasting(1000));
	second.subscribe("$share/g/t", { qos: 1 });
	second.drop();
	first.drop();
	harness.host.advance(6000);
	assert.equal(harness.broker.usage.queued, 1);
	harness.host.advance(6000);
	sender.publish("t", "new", { qos: 1, messageId: 2 });
	assert.deepEqual(harness.client("second", 5, lasting(1000)).messages(), ["t=new"]);
});

describe("a shared subscription member with a persistent session", () => {
	const persistent = { clean: false, properties: { sessionExpiryInterval: 60 } };

	/** Receives and acknowledges all messages. */
	function receiveAndAcknowledge(peer: TestClient): string[] {
		const got: string[] = [];
		for (let batch = peer.publishes(); batch.length > 0; batch = peer.publishes()) {
			for (const { payload, messageId } of batch) {
				got.push(String(payload));
				peer.send({ cmd: "puback", messageId });
			}
		}
		return got;
	}

	/** Two members; one has disconnected with QoS 1 messages in flight and others queued. */
	function setUpTwoMembers(): {
		harness: BrokerHarness;
		remainingMember: TestClient;
		unacknowledged: string[];
	} {
		const harness = new BrokerHarness({ inFlight: 2 });
		const leavingMember = harness.client("leaves", 5, persistent);
		leavingMember.subscribe("$share/g/t", { qos: 1 });
		const sender = harness.client("sender", 5, { keepalive: 0 });
		for (let i = 1; i <= 4; i++) sender.publish("t", `${i}`, { qos: 1, messageId: i });
		assert.deepEqual(leavingMember.messages(), ["t=1", "t=2"]);
		leavingMember.drop();
		const remainingMember = harness.client("stays", 5, { keepalive: 0 });
		remainingMember.subscribe("$share/g/t", { qos: 1 });
		sender.publish("t", "5", { qos: 1, messageId: 5 });
		assert.deepEqual(receiveAndAcknowledge(remainingMember), ["5"]);
		return { harness, remainingMember, unacknowledged: ["1", "2", "3", "4"] };
	}

	test("the member reconnects: it gets its messages", () => {
		const { harness, remainingMember, unacknowledged } = setUpTwoMembers();
		harness.host.advance(59_000);
		assert.deepEqual(remainingMember.messages(), []);
		assert.deepEqual(receiveAndAcknowledge(harness.client("leaves", 5, persistent)), unacknowledged);
		assert.deepEqual(remainingMember.messages(), []);
	});

	test("[MQTT-2.2.1-4] the member's session expires: the other gets its messages, with identifiers of its own", () => {
		const { harness, remainingMember, unacknowledged } = setUpTwoMembers();
		remainingMember.subscribe("own", { qos: 1 });
		harness.client("x").publish("own", "mine", { qos: 1, messageId: 1 }).drop();
		const [mine] = remainingMember.publishes();
		harness.host.advance(61_000);
		for (const expected of unacknowledged.slice(0, 3)) {
			const [moved] = remainingMember.publishes();
			assert.deepEqual([String(moved.payload), moved.dup], [expected, false]);
			assert.notEqual(moved.messageId, mine.messageId);
			remainingMember.send({ cmd: "puback", messageId: moved.messageId });
		}
		remainingMember.send({ cmd: "puback", messageId: mine.messageId });
		assert.deepEqual(receiveAndAcknowledge(remainingMember), unacknowledged.slice(3));
		assert.deepEqual(
			[harness.broker.usage.queued, harness.broker.usage.queuedBytes, harness.broker.usage.sessions],
			[0, 0, 2],
		);
	});
});
