import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnackPacket } from "mqtt-packet";
import { BrokerHarness } from "./support/broker-harness";

const persistent = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 1000 } };

describe("delivery at a client's limits", () => {
	test("a topic alias whose message met a full socket: sent with its topic later", () => {
		const harness = new BrokerHarness({
			queuedMessages: 64,
			queuedPerClient: 64,
			queuedBytes: 60_000,
			aliasBytes: 4096,
			topicAliases: 40,
			inFlight: 64,
		});
		const peer = harness.client("peer", 5, { properties: { topicAliasMaximum: 40 } });
		peer.subscribe("#", { qos: 1 });
		const sender = harness.client("sender");
		peer.freeze();
		for (let i = 0; i < 40; i++) sender.publish(`t/${i}`, "x".repeat(400), { qos: 1, messageId: 1 + i });
		peer.thaw();
		const topics = new Map<number, string>();
		const got: string[] = [];
		for (let batch = peer.publishes(); batch.length > 0; batch = peer.publishes())
			for (const { topic, properties, messageId } of batch) {
				const alias = properties?.topicAlias;
				if (alias !== undefined && topic !== "") topics.set(alias, topic);
				got.push(topic === "" ? (topics.get(alias ?? 0) ?? "unknown alias") : topic);
				peer.send({ cmd: "puback", messageId });
			}
		assert.deepEqual(
			got,
			Array.from({ length: 40 }, (_, i) => `t/${i}`),
		);
	});

	test("a message for several clients: each one's Maximum Packet Size applies", () => {
		for (const qos of [0, 1] as const) {
			const harness = new BrokerHarness();
			const limits = [undefined, 40, undefined, 40];
			const peers = limits.map((maximumPacketSize, i) => {
				const peer = harness.client(`peer-${i}`, 5, {
					...(maximumPacketSize !== undefined && { properties: { maximumPacketSize } }),
				});
				peer.subscribe("t", { qos });
				return peer;
			});
			harness.client("sender").publish("t", "x".repeat(60), { qos, ...(qos === 1 && { messageId: 1 }) });
			assert.deepEqual(
				peers.map((peer) => peer.publishes().length),
				[1, 0, 1, 0],
			);
			assert.equal(harness.broker.counters.droppedSize, 2);
			assert.ok(peers.every((peer) => !peer.closed));
		}
	});

	test("a clean CONNECT that finds no place: the old session stays", () => {
		const harness = new BrokerHarness({ connections: 2, sessions: 8 });
		const first = harness.client("lasting", 5, persistent);
		first.subscribe("t", { qos: 1 });
		first.send({ cmd: "disconnect" });
		const others = ["a", "b"].map((id) => harness.client(id));
		const refused = harness.peer();
		const connack = refused.connect("lasting", { clean: true }) as IConnackPacket | undefined;
		assert.notEqual(connack?.reasonCode, 0);
		others[0].send({ cmd: "disconnect" });
		const again = harness.peer();
		assert.equal((again.connect("lasting", persistent) as IConnackPacket).sessionPresent, true);
	});

	test("UNSUBSCRIBE while stored values are being sent: the rest is not sent", () => {
		const harness = new BrokerHarness({ retainedTopics: 64, retainedBytes: 8000, inFlight: 4 });
		const sender = harness.client("sender");
		// The secret ones are stored before and after the others.
		const topics = [0, 1].map((i) => `secret/${i}`);
		topics.push(...Array.from({ length: 8 }, (_, i) => `t/${i}`), "secret/2", "secret/3");
		for (const topic of topics) sender.publish(topic, "x", { retain: true, qos: 1, messageId: 1 });
		const peer = harness.client("peer");
		peer.subscribe("t/#", { qos: 1 });
		const sent = peer.publishes();
		assert.equal(sent.length, 4, "then the send quota is used up");
		// It does not read, so that nothing makes the broker go on at once.
		peer.freeze();
		peer.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["t/#"] });
		// This subscription takes the place of the removed one.
		const other = harness.client("other");
		other.subscribe("secret/#");
		for (const { messageId } of sent) peer.send({ cmd: "puback", messageId });
		peer.thaw();
		assert.ok(peer.shift("unsuback"));
		assert.deepEqual(peer.messages(), []);
		assert.equal(other.messages().length, 4);
	});
});
