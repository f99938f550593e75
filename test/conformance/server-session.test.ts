import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnackPacket, IPublishPacket } from "mqtt-packet";
import { BrokerHarness } from "../broker/support/broker-harness";
import type { TestClient } from "../broker/support/test-client";

const versions = [4, 5] as const;

/** CONNECT fields for a persistent session. */
function persistentFields(version: 4 | 5, more: Record<string, unknown> = {}): Record<string, unknown> {
	return version === 5
		? { clean: false, properties: { sessionExpiryInterval: 600, ...more } }
		: { clean: false };
}

function sessionPresentFor(peer: TestClient, id: string, fields: Record<string, unknown>): boolean {
	return (peer.connect(id, fields) as IConnackPacket).sessionPresent;
}

function commands(peer: TestClient): string[] {
	return peer.packets
		.splice(0)
		.map((packet) => `${packet.cmd} ${packet.messageId}${"dup" in packet && packet.dup ? " dup" : ""}`);
}

describe("sessions: server requirements", () => {
	test("[MQTT-3.1.2-5] [MQTT-3.1.2-23] [MQTT-3.2.2-3] [MQTT-3.1.1:3.1.2-4] [MQTT-3.1.1:3.1.2-5] [MQTT-3.1.1:3.2.2-2] [MQTT-3.1.1:4.1.0-1] a persistent session: resumed with subscriptions and queued messages", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const first = harness.client("a", version, persistentFields(version));
			first.subscribe("t", { qos: 1 });
			first.drop();
			const sender = harness.client("b", version);
			sender
				.publish("t", "1", { qos: 1, messageId: 1 })
				.publish("t", "2", { qos: 2, messageId: 2 })
				.send({ cmd: "pubrel", messageId: 2 });
			const again = harness.peer(version);
			assert.equal(sessionPresentFor(again, "a", persistentFields(version)), true);
			assert.deepEqual(again.messages(), ["t=1", "t=2"]);
			assert.equal(sessionPresentFor(harness.peer(version), "c", persistentFields(version)), false);
		}
	});

	test("[MQTT-4.1.0-2] the session expiry interval has passed: the session has ended", () => {
		const harness = new BrokerHarness();
		harness.client("a", 5, persistentFields(5)).drop();
		harness.host.advance(599_000);
		assert.equal(harness.broker.usage.sessions, 1);
		harness.host.advance(2_000);
		assert.equal(harness.broker.usage.sessions, 0);
		assert.equal(sessionPresentFor(harness.peer(5), "a", persistentFields(5)), false);
	});

	test("[MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-3.1.1:2.3.1-4] unacknowledged packets: sent again after a reconnect, in order, with identifier and DUP", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const first = harness.client("a", version, persistentFields(version));
			first.subscribe("t", { qos: 2 });
			const sender = harness.client("b", version);
			for (const [i, qos] of [1, 2, 2, 1].entries()) sender.publish("t", `${i}`, { qos, messageId: i + 1 });
			const ids = first.publishes().map(({ messageId }) => messageId as number);
			first.send({ cmd: "pubrec", messageId: ids[2] as number });
			first.drop();
			const again = harness.peer(version);
			again.connect("a", persistentFields(version));
			assert.deepEqual(commands(again), [
				`publish ${ids[0]} dup`,
				`publish ${ids[1]} dup`,
				`pubrel ${ids[2]}`,
				`publish ${ids[3]} dup`,
			]);
			harness.host.advance(10_000);
			assert.deepEqual(commands(again), [], "and at no other time");
		}
	});

	test("[MQTT-3.1.3-9] [MQTT-3.1.2-10] a will delay: no will if the session is resumed before it", () => {
		const will = {
			topic: "will",
			payload: Buffer.from("gone"),
			qos: 0,
			retain: false,
			properties: { willDelayInterval: 10 },
		};
		for (const back of [false, true]) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher", 5, { keepalive: 0 });
			watcher.subscribe("will");
			harness.client("a", 5, { ...persistentFields(5), will }).drop();
			harness.host.advance(9_000);
			if (back) harness.client("a", 5, persistentFields(5));
			harness.host.advance(5_000);
			assert.deepEqual(watcher.messages(), back ? [] : ["will=gone"]);
		}
	});
});

describe("receiving QoS 2: server requirements", () => {
	test("[MQTT-4.3.3-8] [MQTT-4.3.3-10] [MQTT-4.3.3-11] [MQTT-4.3.3-12] [MQTT-3.1.1:4.3.3-2] a message repeated before PUBREL: delivered once", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher", version);
			watcher.subscribe("t");
			const peer = harness.client("a", version);
			peer.publish("t", "1", { qos: 2, messageId: 7 }).publish("t", "1", { qos: 2, messageId: 7, dup: true });
			peer
				.send({ cmd: "pubrel", messageId: 7 })
				.publish("t", "2", { qos: 2, messageId: 7 })
				.send({ cmd: "pubrel", messageId: 7 });
			assert.deepEqual(commands(peer), ["pubrec 7", "pubrec 7", "pubcomp 7", "pubrec 7", "pubcomp 7"]);
			assert.deepEqual(watcher.messages(), ["t=1", "t=2"]);
		}
	});

	test("[MQTT-4.3.3-10] [MQTT-4.1.0-1] a message repeated after a reconnect: delivered once", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher", version);
			watcher.subscribe("t");
			harness
				.client("a", version, persistentFields(version))
				.publish("t", "1", { qos: 2, messageId: 7 })
				.drop();
			const again = harness
				.client("a", version, persistentFields(version))
				.publish("t", "1", { qos: 2, messageId: 7, dup: true });
			assert.deepEqual(commands(again), ["pubrec 7"]);
			assert.deepEqual(watcher.messages(), ["t=1"]);
		}
	});

	test("[MQTT-4.3.3-9] the same identifier after a refusal: a new message", () => {
		const harness = new BrokerHarness();
		const watcher = harness.client("watcher");
		watcher.subscribe("t");
		const peer = harness.client("a").publish("$SYS/x", "1", { qos: 2, messageId: 7 });
		assert.ok(((peer.shift("pubrec") as { reasonCode?: number }).reasonCode ?? 0) >= 0x80);
		peer.publish("t", "2", { qos: 2, messageId: 7 });
		assert.deepEqual(watcher.messages(), ["t=2"]);
	});

	test("[MQTT-4.3.3-13] the message expires before PUBREL: PUBCOMP is still sent", () => {
		const peer = new BrokerHarness()
			.client("a")
			.publish("t", "1", { qos: 2, messageId: 7, properties: { messageExpiryInterval: 1 } });
		peer.host.advance(5_000);
		peer.send({ cmd: "pubrel", messageId: 7 });
		assert.deepEqual(commands(peer), ["pubrec 7", "pubcomp 7"]);
	});
});

describe("sending QoS 2: server requirements", () => {
	function sent(
		version: 4 | 5,
		fields: Record<string, unknown> = {},
		properties = {},
	): { harness: BrokerHarness; peer: TestClient; got: IPublishPacket } {
		const harness = new BrokerHarness();
		const peer = harness.client("a", version, fields);
		peer.subscribe("t", { qos: 2 });
		harness
			.client("b", version)
			.publish("t", "1", { qos: 2, messageId: 1, ...(version === 5 && { properties }) })
			.send({ cmd: "pubrel", messageId: 1 });
		const [got] = peer.publishes();
		return { harness, peer, got: got as IPublishPacket };
	}

	test("[MQTT-4.3.3-1] [MQTT-4.3.3-2] [MQTT-4.3.3-3] [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-3.1.1:4.3.3-1] a QoS 2 delivery: PUBLISH, PUBREL, completed only by PUBCOMP", () => {
		for (const version of versions) {
			const { harness, peer, got } = sent(version);
			assert.deepEqual([got.qos, got.dup, (got.messageId as number) > 0], [2, false, true]);
			const messageId = got.messageId as number;
			peer.send({ cmd: "pubrec", messageId });
			assert.deepEqual(commands(peer), [`pubrel ${messageId}`]);
			assert.equal(harness.broker.usage.queued, 1);
			peer.send({ cmd: "pubcomp", messageId });
			assert.equal(harness.broker.usage.queued, 0);
		}
	});

	test("[MQTT-4.3.3-6] a reconnect after PUBREL: only PUBREL is sent again", () => {
		for (const version of versions) {
			const { harness, peer, got } = sent(version, persistentFields(version));
			peer.send({ cmd: "pubrec", messageId: got.messageId as number }).drop();
			const again = harness.client("a", version, persistentFields(version));
			assert.deepEqual(commands(again), [`pubrel ${got.messageId}`]);
		}
	});

	test("[MQTT-4.3.3-7] a message in flight: does not expire", () => {
		const { harness, peer, got } = sent(5, persistentFields(5), { messageExpiryInterval: 5 });
		peer.drop();
		harness.host.advance(20_000);
		assert.deepEqual(commands(harness.client("a", 5, persistentFields(5))), [`publish ${got.messageId} dup`]);
	});

	test("[MQTT-4.4.0-2] PUBREC with an error: the delivery ends", () => {
		const { harness, peer, got } = sent(5, persistentFields(5));
		peer.send({ cmd: "pubrec", messageId: got.messageId as number, reasonCode: 0x80 });
		assert.deepEqual(commands(peer), []);
		assert.equal(harness.broker.usage.queued, 0);
	});
});
