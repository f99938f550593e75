import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IDisconnectPacket, IPublishPacket, IPubrecPacket, IPubrelPacket, Packet } from "mqtt-packet";
import { BrokerHarness } from "./support/broker-harness";

const persistent = { clean: false, properties: { sessionExpiryInterval: 100 } };

function id(packet: Packet | undefined): number | undefined {
	return (packet as { messageId?: number } | undefined)?.messageId;
}

describe("QoS 2 from a client", () => {
	test("a message repeated before PUBREL: routed once; after PUBREL the identifier is new again", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher");
			watcher.subscribe("t", { qos: 2 });
			const sender = harness.client("sender", version);
			sender.publish("t", "1", { qos: 2, messageId: 7 });
			assert.equal(id(sender.shift("pubrec")), 7);
			sender.publish("t", "1", { qos: 2, messageId: 7, dup: true });
			assert.equal(id(sender.shift("pubrec")), 7);
			sender.send({ cmd: "pubrel", messageId: 7 });
			assert.equal(id(sender.shift("pubcomp")), 7);
			assert.deepEqual(watcher.messages(), ["t=1"]);
			sender.publish("t", "2", { qos: 2, messageId: 7 });
			assert.deepEqual(watcher.messages(), ["t=2"]);
		}
	});

	test("PUBREL with an unknown identifier: PUBCOMP 0x92, in MQTT 3.1.1 without a code", () => {
		const harness = new BrokerHarness();
		const v5Client = harness.client("five").send({ cmd: "pubrel", messageId: 9 });
		assert.equal((v5Client.shift("pubcomp") as IPubrelPacket & { reasonCode: number }).reasonCode, 0x92);
		const v4Client = harness.client("four", 4).send({ cmd: "pubrel", messageId: 9 });
		assert.equal(id(v4Client.shift("pubcomp")), 9);
	});

	test("a message repeated after a reconnect: not routed again", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher");
			watcher.subscribe("t");
			const sender = harness.client("sender", version, persistent);
			sender.publish("t", "1", { qos: 2, messageId: 7 }).drop();
			const again = harness.client("sender", version, persistent);
			again.publish("t", "1", { qos: 2, messageId: 7, dup: true });
			assert.equal(id(again.shift("pubrec")), 7);
			assert.deepEqual(watcher.messages(), ["t=1"]);
			again.drop();
			const clean = harness.client("sender", version, { clean: true });
			clean.publish("t", "2", { qos: 2, messageId: 7 });
			assert.deepEqual(watcher.messages(), ["t=2"], "a clean session knows nothing of it");
		}
	});

	test("receiveMaximum exceeded: the connection closes with 0x93", () => {
		const harness = new BrokerHarness({ receiveMaximum: 2 });
		for (const version of [4, 5] as const) {
			const sender = harness.client("sender", version);
			for (let i = 1; i <= 3; i++) sender.publish("t", "1", { qos: 2, messageId: i });
			assert.ok(sender.closed);
			if (version === 5) assert.equal((sender.shift("disconnect") as IDisconnectPacket).reasonCode, 0x93);
			assert.equal(harness.broker.usage.queued, 0);
		}
	});

	test("a refused message: completed by its PUBREC", () => {
		const harness = new BrokerHarness({ retainedTopics: 1, queuedMessages: 1 });
		const sender = harness.client("sender");
		sender.publish("$SYS/x", "1", { qos: 2, messageId: 1 });
		assert.equal((sender.shift("pubrec") as IPubrecPacket).reasonCode, 0x87);
		sender.publish("t", "1", { qos: 2, messageId: 1 });
		assert.equal((sender.shift("pubrec") as IPubrecPacket).reasonCode, 0x10);
		sender.publish("t", "2", { qos: 2, messageId: 2, retain: true });
		assert.equal((sender.shift("pubrec") as IPubrecPacket).reasonCode, 0x10);
		sender.publish("u", "2", { qos: 2, messageId: 3, retain: true });
		assert.equal((sender.shift("pubrec") as IPubrecPacket).reasonCode, 0x97);
		assert.equal(harness.broker.usage.queued, 2, "no identifier of a refused message");
		const v4Client = harness.client("four", 4).publish("u", "2", { qos: 2, messageId: 2, retain: true });
		assert.ok(v4Client.closed);
	});
});

describe("QoS 2 to a client", () => {
	test("a QoS 2 delivery: the identifier is in use until PUBCOMP", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const peer = harness.client("peer", version);
			peer.subscribe("t", { qos: 2 });
			harness.client("sender").publish("t", "1", { qos: 2, messageId: 3 });
			const [packet] = peer.publishes();
			assert.equal(packet.qos, 2);
			peer.send({ cmd: "pubrec", messageId: packet.messageId });
			assert.equal(id(peer.shift("pubrel")), packet.messageId);
			peer.send({ cmd: "pubrec", messageId: packet.messageId });
			assert.equal(id(peer.shift("pubrel")), packet.messageId);
			peer.send({ cmd: "pubcomp", messageId: packet.messageId });
			assert.equal(harness.broker.usage.queued, 1, "the sender's identifier");
		}
	});

	test("PUBREC with an error: the delivery ends; with an unknown identifier: PUBREL 0x92", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("peer");
		peer.subscribe("t", { qos: 2 });
		const sender = harness.client("sender");
		sender.publish("t", "1", { qos: 2, messageId: 3 }).send({ cmd: "pubrel", messageId: 3 });
		peer.send({ cmd: "pubrec", messageId: peer.publishes()[0].messageId, reasonCode: 0x83 });
		assert.equal(peer.shift("pubrel"), undefined);
		assert.equal(harness.broker.usage.queued, 0);
		peer.send({ cmd: "pubrec", messageId: 99 });
		assert.equal((peer.shift("pubrel") as IPubrelPacket & { reasonCode: number }).reasonCode, 0x92);
	});

	test("after a reconnect: PUBLISH with DUP or PUBREL, in the old order, before newer messages", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const peer = harness.client("peer", version, persistent);
			peer.subscribe("t", { qos: 2 });
			const sender = harness.client("sender");
			for (const [i, qos] of [2, 2, 1, 2].entries()) sender.publish("t", `${i}`, { qos, messageId: i + 1 });
			const sent = peer.publishes().map(({ messageId }) => messageId!);
			peer.send({ cmd: "pubrec", messageId: sent[0] });
			peer.send({ cmd: "pubrec", messageId: sent[1] });
			peer.send({ cmd: "pubcomp", messageId: sent[0] });
			peer.drop();
			sender.publish("t", "4", { qos: 1, messageId: 5 });
			sender.publish("t", "never", { qos: 0 });
			for (let round = 0; round < 2; round++) {
				const again = harness.client("peer", version, persistent);
				const got = again.packets.map((packet) => [
					packet.cmd,
					id(packet),
					(packet as IPublishPacket).dup ?? false,
				]);
				assert.deepEqual(got, [
					["pubrel", sent[1], false],
					["publish", sent[2], true],
					["publish", sent[3], true],
					["publish", got[3][1], round === 1],
				]);
				assert.ok(!sent.includes(got[3][1] as number));
				again.drop();
			}
		}
	});

	test("QoS 2 held back by the send quota: later QoS 0 messages do not overtake it", () => {
		const harness = new BrokerHarness({ inFlight: 1 });
		const peer = harness.client("peer");
		peer.subscribe("t", { qos: 2 });
		const sender = harness.client("sender");
		sender
			.publish("t", "a", { qos: 2, messageId: 1 })
			.publish("t", "b", { qos: 2, messageId: 2 })
			.publish("t", "c");
		const got: string[] = [];
		for (let batch = peer.publishes(); batch.length > 0; batch = peer.publishes()) {
			for (const { payload, messageId, qos } of batch) {
				got.push(String(payload));
				if (qos === 0) continue;
				assert.equal(peer.publishes().length, 0);
				peer.send({ cmd: "pubrec", messageId });
				peer.send({ cmd: "pubcomp", messageId });
			}
		}
		assert.deepEqual(got, ["a", "b", "c"]);
	});
});
