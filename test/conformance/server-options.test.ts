import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnackPacket, IDisconnectPacket, IPubackPacket, ISubackPacket } from "mqtt-packet";
import { BrokerHarness } from "../broker/support/broker-harness";
import type { TestClient } from "../broker/support/test-client";

describe("topic aliases: server requirements", () => {
	test("[MQTT-3.1.2-26] [MQTT-3.1.2-27] [MQTT-3.3.2-11] aliases to a client: none above its maximum, none without one", () => {
		for (const maximum of [undefined, 0, 1, 2]) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", 5, {
				properties: maximum === undefined ? {} : { topicAliasMaximum: maximum },
			});
			peer.subscribe("#");
			const sender = harness.client("b");
			for (let round = 0; round < 2; round++) for (const topic of ["x", "y", "z"]) sender.publish(topic, "1");
			const aliases = peer.publishes().map(({ properties }) => properties?.topicAlias ?? 0);
			assert.equal(aliases.length, 6);
			assert.ok(Math.max(...aliases) <= (maximum ?? 0), `${maximum}: ${aliases}`);
		}
	});

	test("[MQTT-3.3.2-7] [MQTT-3.3.2-9] aliases of a client: end with its connection, have a maximum", () => {
		const harness = new BrokerHarness({ aliasBytes: 2048 });
		const first = harness.peer(5);
		const maximum = (first.connect("a") as IConnackPacket).properties?.topicAliasMaximum ?? 0;
		assert.ok(maximum > 0);
		first
			.publish("t", "1", { properties: { topicAlias: maximum } })
			.publish("", "2", { properties: { topicAlias: maximum } });
		assert.ok(!first.closed);
		first.drop();
		for (const topicAlias of [maximum, maximum + 1]) {
			const next = harness
				.client("a", 5)
				.publish(topicAlias === maximum ? "" : "t", "3", { properties: { topicAlias } });
			assert.ok(next.closed);
			assert.ok([0x82, 0x94].includes((next.shift("disconnect") as IDisconnectPacket).reasonCode ?? 0));
		}
	});
});

describe("shared subscriptions: server requirements", () => {
	function group(harness: BrokerHarness, qos: readonly number[]): TestClient[] {
		return qos.map((each, i) => {
			const peer = harness.client(`g${i}`, 5, { clean: false, properties: { sessionExpiryInterval: 600 } });
			peer.subscribe("$share/g/t", { qos: each });
			return peer;
		});
	}

	test("[MQTT-4.8.2-3] members with different QoS: each gets its messages with the granted QoS", () => {
		const harness = new BrokerHarness();
		const peers = group(harness, [0, 1]);
		const sender = harness.client("sender");
		for (let i = 1; i <= 10; i++) sender.publish("t", `${i}`, { qos: 1, messageId: i });
		const got = peers.map((peer) => peer.publishes().map(({ qos }) => qos));
		assert.equal(got.flat().length, 10);
		for (const [qos, each] of got.entries()) assert.deepEqual(new Set(each), new Set([qos]));
	});

	test("[MQTT-4.8.2-4] [MQTT-4.8.2-5] QoS 2 in progress: completed with the same client or nobody", () => {
		for (const back of [true, false]) {
			const harness = new BrokerHarness();
			const peers = group(harness, [2, 2]);
			harness.client("sender").publish("t", "1", { qos: 2, messageId: 1 });
			const index = peers.findIndex((peer) => peer.messages().length === 1);
			peers[index]?.drop();
			if (back) {
				const again = harness.peer(5);
				again.connect(`g${index}`, { clean: false, properties: { sessionExpiryInterval: 600 } });
				assert.deepEqual(again.messages(), ["t=1"]);
			} else harness.client(`g${index}`, 5).drop();
			assert.deepEqual(peers[1 - index]?.messages(), []);
		}
	});

	test("[MQTT-4.8.2-6] a member refuses a message: no other member gets it", () => {
		for (const qos of [1, 2]) {
			const harness = new BrokerHarness();
			const peers = group(harness, [qos, qos]);
			harness.client("sender").publish("t", "1", { qos, messageId: 1 }).send({ cmd: "pubrel", messageId: 1 });
			for (const peer of peers) {
				for (const { messageId } of peer.publishes())
					peer.send({
						cmd: qos === 1 ? "puback" : "pubrec",
						messageId: messageId as number,
						reasonCode: 0x83,
					});
			}
			harness.host.advance(10_000);
			assert.deepEqual(
				peers.flatMap((peer) => peer.messages()),
				[],
			);
			assert.equal(harness.broker.usage.queued, 0);
		}
	});
});

describe("reason strings: server requirements", () => {
	const refused = "$SYS/x";

	/** Responses to a refused PUBLISH of QoS 1 and of QoS 2, and to a refused SUBSCRIBE. */
	function answers(properties: Record<string, unknown>): {
		puback: IPubackPacket;
		pubrec: IPubackPacket;
		suback: ISubackPacket;
	} {
		const peer = new BrokerHarness({ subscriptions: 1 }).client("a", 5, { properties });
		peer.subscribe("first");
		peer.publish(refused, "1", { qos: 1, messageId: 1 }).publish(refused, "1", { qos: 2, messageId: 2 });
		const suback = peer.subscribe("t") as ISubackPacket;
		return {
			puback: peer.shift("puback") as IPubackPacket,
			pubrec: peer.shift("pubrec") as IPubackPacket,
			suback,
		};
	}

	test("[MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.9.2-1] PUBACK, PUBREC, SUBACK: omitted if too large", () => {
		for (let maximumPacketSize = 20; maximumPacketSize < 40; maximumPacketSize++) {
			for (const packet of Object.values(answers({ maximumPacketSize })))
				assert.ok((packet.length ?? 0) + 2 <= maximumPacketSize, packet.cmd);
		}
		for (const packet of Object.values(answers({}))) assert.ok(packet.properties?.reasonString, packet.cmd);
	});

	test("[MQTT-3.1.2-29] Request Problem Information 0: omitted from acknowledgements", () => {
		for (const packet of Object.values(answers({ requestProblemInformation: false })))
			assert.equal(packet.properties?.reasonString, undefined, packet.cmd);
	});

	test("[MQTT-3.14.2-3] [MQTT-3.2.2-19] DISCONNECT and CONNACK: omitted where they do not fit", () => {
		for (const [maximumPacketSize, withReason] of [
			[undefined, true],
			[10, false],
		] as const) {
			const properties = maximumPacketSize === undefined ? {} : { maximumPacketSize };
			const other = new BrokerHarness().peer(5);
			const connack = other.connect("x".repeat(300), { properties }) as IConnackPacket;
			assert.equal(connack.reasonCode, 0x85);
			assert.equal(connack.properties?.reasonString !== undefined, withReason);
		}
		for (const [maximumPacketSize, withReason] of [
			[undefined, true],
			[30, false],
		] as const) {
			const peer = new BrokerHarness().client("a", 5, {
				keepalive: 10,
				properties: maximumPacketSize === undefined ? {} : { maximumPacketSize },
			});
			peer.sendRaw(Uint8Array.of(0xc1, 0));
			const disconnect = peer.shift("disconnect") as IDisconnectPacket;
			assert.equal(disconnect.reasonCode, 0x81);
			assert.ok(withReason === false || disconnect.properties?.reasonString);
			assert.ok((disconnect.length ?? 0) + 2 <= (maximumPacketSize ?? 512));
		}
	});

	test("[MQTT-3.1.2-28] response information not requested: not sent", () => {
		for (const requestResponseInformation of [undefined, false, true]) {
			const properties = requestResponseInformation === undefined ? {} : { requestResponseInformation };
			const connack = new BrokerHarness().peer(5).connect("a", { properties }) as IConnackPacket;
			assert.ok(requestResponseInformation || connack.properties?.responseInformation === undefined);
		}
	});
});
