import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IDisconnectPacket, IPubackPacket, ISubackPacket, IUnsubackPacket } from "mqtt-packet";
import { BrokerHarness } from "./support/broker-harness";

describe("PUBLISH", () => {
	test("published and granted QoS differ: the lower applies; QoS 1 keeps its identifier until PUBACK", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const low = harness.client("low", version);
			low.subscribe("t", { qos: 0 });
			const high = harness.client("high", version);
			assert.deepEqual((high.subscribe("t", { qos: 2 }) as ISubackPacket).granted, [2]);
			const sender = harness.client("sender", version);
			sender.publish("t", "0").publish("t", "1", { qos: 1, messageId: 77 });
			assert.equal((sender.shift("puback") as IPubackPacket).messageId, 77);
			assert.deepEqual(
				low.publishes().map(({ qos }) => qos),
				[0, 0],
			);
			const got = high.publishes();
			assert.deepEqual(
				got.map(({ qos, messageId }) => [qos, messageId]),
				[
					[0, undefined],
					[1, 1],
				],
			);
			assert.equal(harness.broker.usage.queued, 1);
			high.send({ cmd: "puback", messageId: 1 });
			assert.equal(harness.broker.usage.queued, 0);
		}
	});

	test("[MQTT-3.1.2-24] [MQTT-3.1.2-25] a copy above one client's Maximum Packet Size: the others get theirs", () => {
		for (const qos of [0, 1]) {
			const harness = new BrokerHarness();
			const peers = [1000, 40, 1000, 67 + 2 * qos, 66 + 2 * qos].map((maximumPacketSize, i) => {
				const peer = harness.client(`${i}`, 5, { properties: { maximumPacketSize } });
				peer.subscribe("t", { qos });
				return peer;
			});
			// 67 bytes, or 69 with a packet identifier
			harness.client("sender").publish("t", "x".repeat(61), { qos, messageId: 1 });
			assert.deepEqual(
				peers.map((peer) => peer.publishes().length),
				[1, 0, 1, 1, 0],
			);
			assert.equal(harness.broker.counters.droppedSize, 2);
			assert.ok(peers.every(({ closed }) => !closed));
		}
	});

	test("no subscriber: PUBACK 0x10 in MQTT 5.0", () => {
		const sender = new BrokerHarness().client("sender");
		sender.publish("t", "1", { qos: 1, messageId: 1 });
		assert.equal((sender.shift("puback") as IPubackPacket).reasonCode, 0x10);
	});

	test("subscribers of both versions: each gets the whole message under its own identifier", () => {
		for (const size of [1, 120, 121, 122, 123, 124, 125, 126, 127, 128, 400]) {
			const harness = new BrokerHarness();
			const peers = [4, 4, 5, 5, 4, 5, 5].map((version, i) => {
				const peer = harness.client(`p${i}`, version as 4 | 5);
				peer.subscribe(
					"topic",
					{ qos: i % 3 === 2 ? 0 : 1 },
					i === 6 ? { subscriptionIdentifier: 300 } : undefined,
				);
				for (let n = 0; n < i; n++) {
					// identifiers of different clients differ from here on
					peer.subscribe(`own/${i}`, { qos: 1 });
					peer.publish(`own/${i}`, "", { qos: 1, messageId: 5 });
					peer.send({ cmd: "puback", messageId: peer.publishes()[0].messageId });
				}
				return peer;
			});
			const payload = "x".repeat(size);
			harness.client("sender", 4).publish("topic", payload, { qos: 1, messageId: 1 });
			for (const [i, peer] of peers.entries()) {
				const [packet, ...more] = peer.publishes();
				assert.equal(more.length, 0);
				assert.equal(String(packet.payload), payload);
				assert.equal(packet.qos, i % 3 === 2 ? 0 : 1);
				assert.equal(packet.messageId, i % 3 === 2 ? undefined : i + 1);
				assert.equal(packet.properties?.subscriptionIdentifier, i === 6 ? 300 : undefined);
				if (packet.qos === 1) peer.send({ cmd: "puback", messageId: packet.messageId });
			}
			assert.equal(harness.broker.usage.queued, 0);
		}
	});

	test("a client publishes to $SYS: PUBACK 0x87 in MQTT 5.0, and the message is discarded", () => {
		const harness = new BrokerHarness();
		const all = harness.client("all");
		all.subscribe("#");
		const sys = harness.client("sys");
		sys.subscribe("$SYS/#");
		const v5Client = harness.client("five").publish("$SYS/x", "1", { qos: 1, messageId: 1 });
		assert.equal((v5Client.shift("puback") as IPubackPacket).reasonCode, 0x87);
		const v4Client = harness.client("four", 4).publish("$SYS/x", "1", { qos: 1, messageId: 1 });
		assert.ok(v4Client.shift("puback"));
		assert.deepEqual(
			[...all.messages(), ...sys.messages().filter((text) => !text.startsWith("$SYS/broker/"))],
			[],
		);
		assert.equal(harness.broker.counters.publishesDenied, 2);
		assert.equal(harness.values().size, 0);
	});

	test("message properties: forwarded to MQTT 5.0 subscribers, omitted for 3.1.1", () => {
		const harness = new BrokerHarness();
		const v5Client = harness.client("five");
		v5Client.subscribe("t");
		const v4Client = harness.client("four", 4);
		v4Client.subscribe("t");
		const properties = {
			payloadFormatIndicator: true,
			contentType: "text/plain",
			responseTopic: "answer",
			correlationData: Buffer.from([1, 2, 3]),
			userProperties: { a: ["1", "2"], b: "3" },
		};
		const sender = harness.client("sender");
		sender
			.publish("t", "1", { properties })
			.publish("t", "2", { qos: 1, messageId: 1, retain: true, properties });
		const got = v5Client.publishes();
		assert.equal(got.length, 2);
		for (const packet of got)
			assert.deepEqual(JSON.parse(JSON.stringify(packet.properties)), JSON.parse(JSON.stringify(properties)));
		assert.deepEqual(v4Client.messages(), ["t=1", "t=2"]);
		const late = harness.client("late");
		late.subscribe("t");
		assert.equal(late.publishes()[0].properties?.contentType, "text/plain");
	});

	test("message expiry of a retained message: counts down; once expired it is not delivered", () => {
		const harness = new BrokerHarness();
		const sender = harness.client("sender", 5, { keepalive: 1000 });
		sender.publish("t", "1", { retain: true, properties: { messageExpiryInterval: 10 } });
		harness.host.advance(4500);
		const early = harness.client("early", 5, { keepalive: 1000 });
		early.subscribe("t");
		assert.equal(early.publishes()[0].properties?.messageExpiryInterval, 6);
		harness.host.advance(6000);
		const late = harness.client("late", 5, { keepalive: 1000 });
		late.subscribe("t");
		assert.deepEqual(late.messages(), []);
		assert.equal(harness.broker.usage.values, 0);
		assert.equal(harness.broker.counters.droppedExpired, 1);
		late.publish("t", "now", { retain: true, properties: { messageExpiryInterval: 0 } });
		assert.deepEqual(late.messages(), ["t=now"]);
		harness.host.advance(1000);
		late.subscribe("t");
		assert.deepEqual(late.messages(), []);
	});

	test("a message above a client's maximum packet size: not sent to it", () => {
		const harness = new BrokerHarness();
		const small = harness.client("small", 5, { properties: { maximumPacketSize: 30 } });
		small.subscribe("t", { qos: 1 });
		const sender = harness.client("sender");
		sender
			.publish("t", "x".repeat(40), { qos: 1, messageId: 1 })
			.publish("t", "short", { qos: 1, messageId: 2 });
		assert.deepEqual(small.messages(), ["t=short"]);
		assert.equal(harness.broker.counters.droppedSize, 1);
	});

	test("a packet above packetSize: the connection closes before all its bytes arrive", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a").sendRaw(new Uint8Array([0x30, 0xff, 0xff, 0x7f]));
		assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x95);
		const fittingClient = harness.client("b");
		fittingClient.subscribe("t");
		fittingClient.publish("t", "x".repeat(512 - 7));
		assert.equal(fittingClient.publishes()[0].payload.length, 505);
		fittingClient.publish("t", "x".repeat(512 - 6));
		assert.equal((fittingClient.shift("disconnect") as IDisconnectPacket).reasonCode, 0x95);
	});
});

describe("SUBSCRIBE", () => {
	test("overlapping filters: one copy with the highest QoS", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			peer.subscribe("t/#", { qos: 1 });
			peer.subscribe("t/+", { qos: 0 });
			peer.subscribe("t/1", { qos: 0 });
			harness.client("sender").publish("t/1", "x", { qos: 1, messageId: 1 });
			assert.deepEqual(
				peer.publishes().map(({ qos }) => qos),
				[1],
			);
		}
	});

	test("overlapping filters with subscription identifiers: one copy for each", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a");
		peer.subscribe("t/#", { qos: 1 }, { subscriptionIdentifier: 7 });
		peer.subscribe("t/1", { qos: 0 }, { subscriptionIdentifier: 268_435_455 });
		peer.subscribe("u", { qos: 0 }, { subscriptionIdentifier: 9 });
		const sender = harness.client("sender");
		sender.publish("t/1", "x", { qos: 1, messageId: 1 }).publish("u", "y");
		const got = peer
			.publishes()
			.map(({ qos, topic, properties }) => [topic, qos, properties?.subscriptionIdentifier]);
		assert.deepEqual(got.sort(), [
			["t/1", 0, 268_435_455],
			["t/1", 1, 7],
			["u", 0, 9],
		]);
	});

	test("the same filter again: the subscription is replaced; UNSUBSCRIBE: it ends", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a");
		peer.subscribe("t", { qos: 0 });
		peer.subscribe("t", { qos: 1 });
		const sender = harness.client("sender");
		sender.publish("t", "x", { qos: 1, messageId: 1 });
		assert.deepEqual(
			peer.publishes().map(({ qos }) => qos),
			[1],
		);
		peer.send({ cmd: "unsubscribe", messageId: 5, unsubscriptions: ["t", "never"] });
		assert.deepEqual([...(peer.shift("unsuback") as IUnsubackPacket).granted], [0, 0x11]);
		sender.publish("t", "x");
		assert.deepEqual(peer.messages(), []);
		const old = harness.client("b", 4);
		old.send({ cmd: "unsubscribe", messageId: 5, unsubscriptions: ["t"] });
		assert.ok(old.shift("unsuback"));
	});

	test("several filters in one SUBSCRIBE: one code each", () => {
		const harness = new BrokerHarness({ filterLevels: 3 });
		const subscriptions = ["a", "b/c", "d", "$share/g/a"].map((topic) => ({ topic, qos: 1 }));
		const v5Client = harness.client("five").send({ cmd: "subscribe", messageId: 3, subscriptions });
		assert.deepEqual([...(v5Client.shift("suback") as ISubackPacket).granted], [1, 1, 0x97, 0x97]);
		const v4Client = harness
			.client("four", 4)
			.send({ cmd: "subscribe", messageId: 3, subscriptions: subscriptions.slice(0, 3) });
		assert.deepEqual([...(v4Client.shift("suback") as ISubackPacket).granted], [1, 1, 0x80]);
	});

	test("no local: own messages are not delivered; retain as published: the flag is kept", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a");
		peer.subscribe("own", { nl: true });
		peer.subscribe("both", { rap: true });
		const other = harness.client("b");
		other.subscribe("#");
		peer.publish("own", "1").publish("both", "2", { retain: true });
		assert.deepEqual(
			peer.publishes().map(({ topic, retain }) => [topic, retain]),
			[["both", true]],
		);
		assert.deepEqual(
			other.publishes().map(({ topic, retain }) => [topic, retain]),
			[
				["own", false],
				["both", false],
			],
		);
		other.publish("own", "3");
		assert.deepEqual(peer.messages(), ["own=3"]);
	});
});

describe("retained messages", () => {
	test("a new subscription: retained messages with the lower QoS; an empty payload clears them", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const sender = harness.client("sender", version);
			sender
				.publish("a/1", "one", { retain: true, qos: 1, messageId: 1 })
				.publish("a/2", "two", { retain: true })
				.publish("a/3", "live");
			const peer = harness.client("peer", version);
			peer.subscribe("a/+", { qos: 1 });
			assert.deepEqual(
				peer
					.publishes()
					.map(({ topic, qos, retain }) => [topic, qos, retain])
					.sort(),
				[
					["a/1", 1, true],
					["a/2", 0, true],
				],
			);
			sender.publish("a/1", "", { retain: true, qos: 1, messageId: 2 });
			assert.deepEqual(
				peer.publishes().map(({ topic, payload, retain }) => [topic, String(payload), retain]),
				[["a/1", "", false]],
			);
			const late = harness.client("late", version);
			late.subscribe("#");
			assert.deepEqual(late.messages(), ["a/2=two"]);
		}
	});

	test("retain handling 2, 1, 0: sent never, only for a new subscription, always", () => {
		const harness = new BrokerHarness();
		harness.client("sender").publish("t", "1", { retain: true });
		const peer = harness.client("peer");
		peer.subscribe("t", { rh: 2 });
		assert.deepEqual(peer.messages(), []);
		peer.subscribe("t", { rh: 1 });
		assert.deepEqual(peer.messages(), []);
		peer.subscribe("t", { rh: 0 });
		assert.deepEqual(peer.messages(), ["t=1"]);
		peer.subscribe("+", { rh: 1 });
		assert.deepEqual(peer.messages(), ["t=1"]);
	});

	test("more retained messages than the queues hold: all arrive as the subscriber acknowledges", () => {
		const harness = new BrokerHarness({
			queuedPerClient: 2,
			queuedMessages: 2,
			inFlight: 2,
			retainedBytes: 4096,
		});
		const sender = harness.client("sender");
		for (let i = 0; i < 30; i++)
			sender.publish(`t/${i}`, "x".repeat(100), { retain: true, qos: 1, messageId: i + 1 });
		const peer = harness.client("peer");
		peer.subscribe("t/#", { qos: 1 });
		const got: string[] = [];
		for (;;) {
			const batch = peer.publishes();
			if (batch.length === 0) break;
			assert.ok(batch.length <= 2);
			for (const { topic, messageId } of batch) {
				got.push(topic);
				peer.send({ cmd: "puback", messageId });
			}
		}
		assert.equal(new Set(got).size, 30);
		assert.equal(got.length, 30);

		const slow = harness.client("slow");
		slow.freeze();
		slow.subscribe("t/#");
		for (let i = 0; i < 5; i++) slow.subscribe(`t/${i}`);
		slow.thaw();
		assert.equal(slow.publishes().length, 35);
	});

	test('current values and their times: kept; with lastValue "every" sent to new subscriptions', () => {
		for (const lastValue of ["retained", "every"] as const) {
			const harness = new BrokerHarness({ lastValue });
			const sender = harness.client("sender");
			sender.publish("r", "old", { retain: true });
			harness.host.advance(1000);
			sender.publish("r", "new");
			sender.publish("n", "1");
			harness.host.advance(2500);
			const values = harness.values();
			const age = Date.now() - values.get("n")![1];
			assert.equal(values.get("r")![0], "new");
			assert.equal(values.get("r")![2], false);
			assert.ok(age >= 2500 && age < 2600 + 60_000, `${age}`);
			const peer = harness.client("peer");
			peer.subscribe("#");
			assert.deepEqual(peer.messages().sort(), lastValue === "every" ? ["n=1", "r=new"] : ["r=old"]);
		}
	});
});

test("retained and delivered messages: host.event() gets their numbers", () => {
	const harness = new BrokerHarness();
	const peer = harness.client("a");
	peer.subscribe("t");
	peer.publish("t", "12345", { retain: true });
	assert.deepEqual(harness.host.events, [
		["retained", 1, true, 5],
		["delivered", 0, 5],
	]);
});
