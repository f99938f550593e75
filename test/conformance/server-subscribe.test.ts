import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ISubackPacket, IUnsubackPacket } from "mqtt-packet";
import { BrokerHarness } from "../broker/support/broker-harness";
import type { TestClient } from "../broker/support/test-client";

const versions = [4, 5] as const;

function subscribe(
	peer: TestClient,
	messageId: number,
	filters: readonly (readonly [string, number])[],
): ISubackPacket {
	peer.send({ cmd: "subscribe", messageId, subscriptions: filters.map(([topic, qos]) => ({ topic, qos })) });
	return peer.shift("suback") as ISubackPacket;
}

function unsubscribe(
	peer: TestClient,
	messageId: number,
	unsubscriptions: readonly string[],
): IUnsubackPacket {
	peer.send({ cmd: "unsubscribe", messageId, unsubscriptions });
	return peer.shift("unsuback") as IUnsubackPacket;
}

describe("SUBSCRIBE: server requirements", () => {
	test("[MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-2.2.1-6] [MQTT-3.1.1:2.3.1-7] SUBSCRIBE: SUBACK with the same packet identifier", () => {
		for (const version of versions)
			assert.equal(subscribe(new BrokerHarness().client("a", version), 4711, [["t", 0]]).messageId, 4711);
	});

	test("[MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-3.1.1:3.8.4-4] [MQTT-3.1.1:3.8.4-5] several filters: one code each, in order", () => {
		for (const version of versions) {
			const harness = new BrokerHarness({ subscriptions: 2 });
			const peer = harness.client("a", version);
			const { granted } = subscribe(peer, 1, [
				["a", 1],
				["b/+", 0],
				["c", 1],
			]);
			assert.deepEqual([...granted], [1, 0, version === 5 ? 0x97 : 0x80]);
			harness.client("sender").publish("a", "1").publish("b/x", "2").publish("c", "3");
			assert.deepEqual(peer.messages(), ["a=1", "b/x=2"]);
		}
	});

	test("[MQTT-3.8.4-3] [MQTT-3.8.4-4] an identical filter: replaced, retained messages sent again", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const sender = harness
				.client("sender", version)
				.publish("t", "kept", { retain: true, qos: 1, messageId: 9 });
			const peer = harness.client("a", version);
			subscribe(peer, 1, [["t", 0]]);
			subscribe(peer, 2, [["t", 1]]);
			sender.publish("t", "1", { qos: 1, messageId: 1 });
			assert.deepEqual(
				peer.publishes().map(({ payload, qos }) => [`${payload}`, qos]),
				[
					["kept", 0],
					["kept", 1],
					["1", 1],
				],
			);
			assert.equal(harness.broker.usage.subscriptions, 1);
		}
	});

	test("[MQTT-3.8.4-8] [MQTT-3.1.1:3.8.4-6] published and granted QoS differ: the lower one applies", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			subscribe(peer, 1, [
				["0", 0],
				["1", 1],
			]);
			const sender = harness.client("sender", version);
			for (const topic of ["0", "1"])
				sender.publish(topic, "a").publish(topic, "b", { qos: 1, messageId: 1 });
			assert.deepEqual(
				peer.publishes().map(({ topic, payload, qos }) => [`${topic}${payload}`, qos]),
				[
					["0a", 0],
					["0b", 0],
					["1a", 0],
					["1b", 1],
				],
			);
		}
	});

	test("[MQTT-3.3.4-2] [MQTT-3.1.1:3.3.5-1] overlapping subscriptions: the highest QoS applies", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			subscribe(peer, 1, [
				["t/#", 0],
				["t/+", 1],
				["#", 0],
			]);
			harness.client("sender").publish("t/1", "x", { qos: 1, messageId: 1 });
			const got = peer.publishes().map(({ qos }) => qos);
			assert.equal(Math.max(...got), 1);
		}
	});

	test("[MQTT-3.3.4-3] [MQTT-3.3.4-4] [MQTT-3.3.4-5] several matching subscriptions: all their subscription identifiers are sent", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a");
		peer.subscribe("t/#", {}, { subscriptionIdentifier: 7 });
		peer.subscribe("t/1");
		const sender = harness.client("sender").publish("t/1", "x");
		const identifiers = () =>
			peer.publishes().flatMap(({ properties }) => properties?.subscriptionIdentifier ?? []);
		assert.deepEqual(identifiers(), [7]);
		peer.subscribe("+/1", {}, { subscriptionIdentifier: 9 });
		sender.publish("t/1", "y");
		assert.deepEqual(identifiers().sort(), [7, 9]);
	});

	test("[MQTT-3.8.3-3] no local: the client's own messages are not delivered", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a");
		peer.subscribe("t", { nl: true });
		peer.publish("t", "own");
		harness.client("b").publish("t", "other");
		assert.deepEqual(peer.messages(), ["t=other"]);
	});

	test("[MQTT-4.5.0-1] a message: delivered to every client with a matching filter, and to no other", () => {
		for (const version of versions) {
			const harness = new BrokerHarness({ connections: 12, sessions: 12 });
			const filters = ["a/b", "a/+", "#", "+/b", "a/b/#", "A/b", "a/c", "a", "/a/b", "a/b/", "+"];
			const peers = filters.map((filter, i) => {
				const peer = harness.client(`${i}`, version);
				peer.subscribe(filter);
				return peer;
			});
			harness.client("sender").publish("a/b", "1");
			assert.deepEqual(
				peers.map((peer) => peer.messages().length),
				[1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
			);
		}
	});

	test("[MQTT-4.7.2-1] a filter that begins with a wildcard: matches no topic that begins with $", () => {
		for (const version of versions) {
			const harness = new BrokerHarness({ systemInterval: 1000 });
			const peer = harness.client("a", version);
			for (const filter of ["#", "+/broker/uptime", "+/#"]) peer.subscribe(filter);
			const watcher = harness.client("watcher", version);
			watcher.subscribe("$SYS/+/uptime");
			harness.client("b", version).publish("x/broker/uptime", "1");
			harness.host.advance(2000);
			assert.deepEqual(peer.messages(), ["x/broker/uptime=1"]);
			const topics = watcher.publishes().map(({ topic }) => topic);
			assert.ok(topics.length > 0 && topics.every((topic) => topic === "$SYS/broker/uptime"), `${topics}`);
		}
	});

	test("[MQTT-4.7.3-4] topic matching: characters are compared without normalization", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			for (const filter of ["caf\u00e9", "a//b", "sp ace", "\ufefft"]) peer.subscribe(filter);
			const sender = harness.client("sender");
			for (const topic of ["cafe\u0301", "caf\u00e9", "a/b", "a//b", "space", "sp ace", "t", "\ufefft"])
				sender.publish(topic, "1");
			assert.deepEqual(peer.messages(), ["caf\u00e9=1", "a//b=1", "sp ace=1", "\ufefft=1"]);
		}
	});
});

describe("UNSUBSCRIBE: server requirements", () => {
	test("[MQTT-3.10.4-1] [MQTT-3.10.4-2] UNSUBSCRIBE: ends only the identical filter, at once", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			subscribe(peer, 1, [
				["t/+", 0],
				["T/1", 0],
			]);
			unsubscribe(peer, 2, ["t/1", "#", "t/#"]);
			const sender = harness.client("sender").publish("t/1", "1");
			assert.deepEqual(peer.messages(), ["t/1=1"]);
			unsubscribe(peer, 3, ["t/+"]);
			sender.publish("t/1", "2").publish("T/1", "3");
			assert.deepEqual(peer.messages(), ["T/1=3"]);
		}
	});

	test("[MQTT-3.10.4-4] [MQTT-3.10.4-5] an unknown filter: UNSUBACK with the same packet identifier", () => {
		for (const version of versions)
			assert.equal(unsubscribe(new BrokerHarness().client("a", version), 4711, ["never"]).messageId, 4711);
	});

	test("[MQTT-3.10.4-6] [MQTT-3.11.3-1] several filters: one UNSUBACK with its codes in order", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			subscribe(peer, 1, [
				["a", 0],
				["c", 0],
			]);
			const { granted } = unsubscribe(peer, 2, ["a", "b", "c"]);
			if (version === 5) assert.deepEqual([...(granted as number[])], [0, 0x11, 0]);
			assert.equal(peer.shift("unsuback"), undefined);
			assert.equal(harness.broker.usage.subscriptions, 0);
		}
	});

	test("[MQTT-3.10.4-3] UNSUBSCRIBE during a delivery: the delivery is completed", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			subscribe(peer, 1, [["t", 1]]);
			harness.client("sender").publish("t", "1", { qos: 1, messageId: 1 });
			const [got] = peer.publishes();
			unsubscribe(peer, 2, ["t"]);
			assert.equal(harness.broker.usage.queued, 1);
			peer.send({ cmd: "puback", messageId: got?.messageId as number });
			assert.equal(harness.broker.usage.queued, 0);
			assert.ok(!peer.closed);
		}
	});
});
