import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type {
	IConnackPacket,
	IDisconnectPacket,
	IPubackPacket,
	ISubackPacket,
	IUnsubackPacket,
} from "mqtt-packet";
import { BrokerHarness } from "./support/broker-harness";
import type { TestClient } from "./support/test-client";

const persistent = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 100 } };

/** Topics of the received messages, with aliases resolved. */
function topicsOf(peer: TestClient): (string | undefined)[] {
	const topicByAlias = new Map<number, string>();
	return peer.publishes().map(({ topic, properties }) => {
		const alias = properties?.topicAlias ?? 0;
		if (topic !== "") topicByAlias.set(alias, topic);
		return topic === "" ? topicByAlias.get(alias) : topic;
	});
}

describe("topic aliases", () => {
	test("a client sets, uses and changes aliases: subscribers get the topics", () => {
		const harness = new BrokerHarness({ aliasBytes: 2048 });
		const watcher = harness.client("watcher");
		watcher.subscribe("#");
		const sender = harness.client("sender");
		const alias = (topic: string, topicAlias: number, payload: string) =>
			sender.publish(topic, payload, { properties: { topicAlias } });
		alias("a/long/topic", 1, "1");
		alias("", 1, "2");
		alias("b", 2, "3");
		alias("", 2, "4");
		alias("", 1, "5");
		alias("c", 1, "6");
		alias("", 1, "7");
		assert.deepEqual(watcher.messages(), [
			"a/long/topic=1",
			"a/long/topic=2",
			"b=3",
			"b=4",
			"a/long/topic=5",
			"c=6",
			"c=7",
		]);
		assert.deepEqual(
			watcher.publishes().map(({ properties }) => properties?.topicAlias),
			[],
		);
	});

	test("an alias above the maximum: closed with 0x94; one without a topic yet: with 0x82", () => {
		for (const [topic, topicAlias, reasonCode] of [
			["t", 3, 0x94],
			["", 3, 0x94],
			["", 1, 0x82],
			["", 2, 0x82],
		] as const) {
			const harness = new BrokerHarness({ aliasBytes: 2048 });
			const peer = harness.client("a").publish(topic, "1", { properties: { topicAlias } });
			assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, reasonCode, `${topic}`);
		}
		// PUBLISH with an empty topic and alias 1
		const peer = new BrokerHarness().client("a").sendRaw(Buffer.from("300700000323000178", "hex"));
		assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x82);
	});

	test("the connection ends: its aliases are invalid, and their bytes are free", () => {
		const harness = new BrokerHarness({ topicAliases: 1, aliasBytes: 504 });
		const sender = harness.client("sender", 5, persistent);
		sender.publish("12345678", "1", { properties: { topicAlias: 1 } });
		const other = harness.peer();
		assert.equal((other.connect("other") as IConnackPacket).properties?.topicAliasMaximum, undefined);
		other.publish("x", "1", { properties: { topicAlias: 1 } });
		assert.equal((other.shift("disconnect") as IDisconnectPacket).reasonCode, 0x94);
		sender.drop();
		const again = harness.client("sender", 5, persistent).publish("", "1", { properties: { topicAlias: 1 } });
		assert.equal((again.shift("disconnect") as IDisconnectPacket).reasonCode, 0x82);
		assert.ok(!harness.client("other").publish("x", "1", { properties: { topicAlias: 1 } }).closed);
	});

	test("[MQTT-3.3.2-12] aliases up to the announced maximum: accepted, however long their topics", () => {
		for (const aliasBytes of [0, 255, 504, 1100, 1512]) {
			const harness = new BrokerHarness({ aliasBytes });
			const aliasClient = harness.client("taker", 5, { properties: { topicAliasMaximum: 2 } });
			aliasClient.drop();
			const peers = ["a", "b"].map((id) => {
				const peer = harness.peer();
				return { peer, maximum: (peer.connect(id) as IConnackPacket).properties?.topicAliasMaximum ?? 0 };
			});
			assert.equal(peers[0].maximum + peers[1].maximum, Math.floor(aliasBytes / 504));
			const watcher = harness.client("watcher", 5, { properties: { topicAliasMaximum: 2 } });
			watcher.subscribe("#");
			const expected: string[] = [];
			for (const length of [503, 1, 300, 503, 8]) {
				for (const { peer, maximum } of peers) {
					for (let topicAlias = 1; topicAlias <= maximum; topicAlias++) {
						const topic = String(topicAlias).repeat(length);
						peer.publish(topic, "", { properties: { topicAlias } });
						if (length < 503) peer.publish("", "x", { properties: { topicAlias } });
						expected.push(topic, ...(length < 503 ? [topic] : []));
					}
				}
			}
			assert.deepEqual(topicsOf(watcher), expected);
			for (const { peer } of peers) assert.ok(!peer.closed);
		}
	});

	test("[MQTT-3.3.2-3] [MQTT-3.1.1:3.3.2-3] subscribers get aliases: those of senders stay intact", () => {
		const harness = new BrokerHarness({ packetSize: 64, aliasBytes: 120 });
		const sender = harness.client("sender");
		const alias = (topic: string, topicAlias: number) =>
			sender.publish(topic, "", { properties: { topicAlias } });
		const topic = "t".repeat(50);
		alias("x".repeat(50), 1);
		alias(topic, 2);
		alias("y", 1); // leaves a gap before the topic
		const watchers = ["a", "b", "c"].map((id) => {
			const watcher = harness.client(id, 5, { properties: { topicAliasMaximum: 2 } });
			watcher.subscribe("#");
			return watcher;
		});
		for (let i = 0; i < 3; i++) alias("", 2);
		for (const watcher of watchers) assert.deepEqual(topicsOf(watcher), Array(3).fill(topic));
	});

	test("default pools: one client at a time may use one alias", () => {
		const harness = new BrokerHarness();
		const maximum = (id: string) => {
			const peer = harness.peer();
			return { peer, maximum: (peer.connect(id) as IConnackPacket).properties?.topicAliasMaximum };
		};
		for (let i = 0; i < 3; i++) {
			const { peer, maximum: aliasMaximum } = maximum("sensor");
			assert.equal(aliasMaximum, 1);
			assert.equal(maximum("another").maximum, undefined);
			for (const topic of ["t".repeat(500), "home/greenhouse/temperature", ""])
				peer.publish(topic, "1", { properties: { topicAlias: 1 } });
			assert.ok(!peer.closed);
			peer.drop();
		}
	});

	test("a client that accepts aliases: the topic once, then its alias; without room always the topic", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("peer", 5, { properties: { topicAliasMaximum: 10 } });
		peer.subscribe("#", { qos: 1 });
		const plain = harness.client("plain");
		plain.subscribe("#");
		const sender = harness.client("sender");
		for (const topic of ["a", "b", "c", "a", "b", "c"]) sender.publish(topic, "1", { qos: 1, messageId: 1 });
		assert.deepEqual(
			peer.publishes().map(({ topic, properties }) => [topic, properties?.topicAlias]),
			[
				["a", 1],
				["b", 2],
				["c", undefined],
				["", 1],
				["", 2],
				["c", undefined],
			],
		);
		assert.deepEqual(plain.messages(), ["a=1", "b=1", "c=1", "a=1", "b=1", "c=1"]);
	});

	test("a message with a new alias that is not sent: a later one carries the topic", () => {
		const harness = new BrokerHarness({ topicAliases: 4, aliasBytes: 4096 });
		const properties = { topicAliasMaximum: 10, maximumPacketSize: 500 };
		const peer = harness.client("peer", 5, { properties, keepalive: 0 });
		peer.subscribe("#", { qos: 1 });
		const sender = harness.client("sender");
		const publish = (topic: string, size: number, qos: number) =>
			sender.publish(topic, "x".repeat(size), { qos, messageId: 1 });
		publish("first", 1, 1);
		const [{ messageId }] = peer.publishes();
		peer.freeze();
		while (peer.brokerRoom > 460) publish("first", 200, 0);
		assert.ok(peer.brokerRoom > 200, "PUBACK is read");
		publish("second", 450, 1);
		// the queue is tried again, and the socket has no room yet
		peer.send({ cmd: "puback", messageId });
		peer.thaw();
		assert.equal(peer.publishes().at(-1)?.topic, "second");
		publish("third", 495, 0);
		assert.equal(harness.broker.counters.droppedSize, 1, "above the client's maximum");
		publish("third", 1, 0);
		publish("third", 1, 0);
		assert.deepEqual(
			peer.publishes().map(({ topic }) => topic),
			["third", ""],
		);
	});

	test("no room for a client's alias: an alias assigned by the broker is evicted", () => {
		const harness = new BrokerHarness({ topicAliases: 1, packetSize: 64, aliasBytes: 56 });
		const sender = harness.client("sender");
		const peer = harness.client("peer", 5, { properties: { topicAliasMaximum: 1 } });
		peer.subscribe("#");
		const [one, other] = ["1".repeat(40), "2".repeat(40)];
		sender.publish(one, "1");
		sender.publish(other, "2", { properties: { topicAlias: 1 } });
		assert.ok(!sender.closed);
		sender.publish(one, "3").publish("", "4", { properties: { topicAlias: 1 } });
		assert.deepEqual(
			peer.publishes().map(({ topic }) => topic),
			[one, other, one, other],
		);
	});
});

describe("shared subscriptions", () => {
	function subscribeMembers(
		harness: BrokerHarness,
		count: number,
		qos: number,
		filter = "$share/g/t/+",
	): TestClient[] {
		return Array.from({ length: count }, (_, i) => {
			const peer = harness.client(`m${i}`, 5, persistent);
			assert.deepEqual([...(peer.subscribe(filter, { qos }) as ISubackPacket).granted], [qos]);
			return peer;
		});
	}

	test("several members: each message goes to one, evenly; other subscriptions get their own copy", () => {
		const harness = new BrokerHarness();
		const group = subscribeMembers(harness, 3, 1);
		const other = harness.client("other");
		other.subscribe("$share/h/t/+");
		const plain = harness.client("plain");
		plain.subscribe("t/#");
		group[0].subscribe("t/1", { qos: 0 });
		const sender = harness.client("sender");
		for (let i = 0; i < 30; i++) {
			sender.publish(`t/${i % 2}`, `${i}`);
		}
		const counts = group.map((peer) => peer.messages().length);
		assert.deepEqual(counts, [10 + 15, 10, 10]);
		assert.equal(other.messages().length, 30);
		assert.equal(plain.messages().length, 30);
	});

	test("offline members: skipped, unless all members are offline", () => {
		const harness = new BrokerHarness();
		const group = subscribeMembers(harness, 2, 1);
		const sender = harness.client("sender");
		group[0].drop();
		for (let i = 1; i <= 4; i++) sender.publish("t/1", `${i}`, { qos: 1, messageId: i });
		assert.equal(group[1].messages().length, 4);
		group[1].drop();
		sender.publish("t/1", "5", { qos: 1, messageId: 5 });
		assert.equal((sender.shift("puback") as IPubackPacket).reasonCode, 0);
		const again = [0, 1].map(
			(i) =>
				harness
					.client(`m${i}`, 5, persistent)
					.messages()
					.filter((text) => text === "t/1=5").length,
		);
		assert.equal(again[0] + again[1], 1);
	});

	test("a member at its in-flight limit: skipped", () => {
		const harness = new BrokerHarness({ inFlight: 1 });
		const group = subscribeMembers(harness, 2, 1);
		const sender = harness.client("sender");
		for (let i = 1; i <= 6; i++) {
			sender.publish("t/1", `${i}`, { qos: 1, messageId: i });
			for (const { messageId } of group[1].publishes()) group[1].send({ cmd: "puback", messageId });
		}
		assert.equal(group[0].publishes().length, 1);
	});

	test("a member's session ends: its QoS 1 messages go to another member, QoS 2 ones to nobody", () => {
		const harness = new BrokerHarness();
		const group = subscribeMembers(harness, 2, 2);
		const sender = harness.client("sender");
		for (let i = 1; i <= 4; i++) sender.publish("t/1", `${i}`, { qos: i <= 2 ? 1 : 2, messageId: i });
		const firstShare = group[0].messages();
		const secondShare = group[1].messages();
		assert.equal(firstShare.length, 2);
		group[0].send({ cmd: "disconnect", properties: { sessionExpiryInterval: 0 } });
		const redistributed = group[1].publishes();
		assert.deepEqual(
			redistributed.map(({ topic, payload, dup }) => `${topic}=${payload}${dup ? "!" : ""}`),
			firstShare.slice(0, 1),
		);
		assert.equal(secondShare.length, 2);
	});

	test("a member refuses a message: the delivery ends, and no other member gets it", () => {
		const harness = new BrokerHarness();
		const group = subscribeMembers(harness, 2, 1);
		harness.client("sender").publish("t/1", "1", { qos: 1, messageId: 1 });
		const recipientIndex = group.findIndex((peer) => peer.packets.some(({ cmd }) => cmd === "publish"));
		const [{ messageId }] = group[recipientIndex].publishes();
		group[recipientIndex].send({ cmd: "puback", messageId, reasonCode: 0x80 });
		assert.deepEqual(group[1 - recipientIndex].messages(), []);
		assert.equal(harness.broker.usage.queued, 0);
	});

	test("$share filters: no local or an invalid name closes the connection; no retained messages", () => {
		const harness = new BrokerHarness();
		harness.client("sender").publish("t", "kept", { retain: true });
		for (const filter of ["$share//t", "$share/g", "$share/g/", "$share/a+/t"]) {
			const peer = harness.client("peer");
			peer.subscribe(filter);
			assert.ok(((peer.shift("disconnect") as IDisconnectPacket).reasonCode ?? 0) >= 0x80, filter);
		}
		const peer = harness.client("peer");
		peer.subscribe("$share/g/t");
		assert.deepEqual(peer.messages(), []);
		peer.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["t", "$share/h/t", "$share/g/t"] });
		assert.deepEqual([...(peer.shift("unsuback") as IUnsubackPacket).granted], [0x11, 0x11, 0]);
		assert.equal(harness.broker.usage.filterLevels, 0);
		peer.subscribe("$share/g/t", { nl: true });
		assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x82);
	});
});

describe("requests in CONNECT", () => {
	test("response information requested: CONNACK contains the client's response topic", () => {
		const harness = new BrokerHarness();
		const requestResponseInformation = (id: string, want: boolean) =>
			(harness.peer().connect(id, { properties: { requestResponseInformation: want } }) as IConnackPacket)
				.properties?.responseInformation;
		assert.equal(requestResponseInformation("a", true), "response/a");
		assert.equal(requestResponseInformation("a", false), undefined);
		assert.equal(requestResponseInformation("a/+", true), "response");
	});

	test("reason strings: sent unless declined by the client or too large for it", () => {
		const harness = new BrokerHarness();
		const reasonStrings = (properties: Record<string, unknown>) => {
			const peer = harness.client("a", 5, { properties }).publish("$SYS/x", "1", { qos: 1, messageId: 1 });
			const puback = peer.shift("puback") as IPubackPacket;
			assert.equal(puback.reasonCode, 0x87);
			peer.sendRaw(new Uint8Array([0xd0, 0]));
			const disconnect = peer.shift("disconnect") as IDisconnectPacket;
			assert.equal(disconnect.reasonCode, 0x82);
			return [puback.properties?.reasonString, disconnect.properties?.reasonString];
		};
		assert.deepEqual(reasonStrings({}), ["Not authorized", "Protocol Error"]);
		assert.deepEqual(reasonStrings({ requestProblemInformation: false }), [undefined, "Protocol Error"]);
		assert.deepEqual(reasonStrings({ maximumPacketSize: 20 }), [undefined, undefined]);
		const suback = new BrokerHarness({ filterLevels: 1 }).client("a").subscribe("a/b") as ISubackPacket;
		assert.equal(suback.properties?.reasonString, "Quota exceeded");
		const refused = harness.peer().connect("x".repeat(257)) as IConnackPacket;
		assert.equal(refused.properties?.reasonString, "Client Identifier not valid");
	});

	test("an authentication method: CONNACK 0x8C; AUTH without enhanced authentication: closed", () => {
		const harness = new BrokerHarness();
		const peer = harness.peer();
		const connack = peer.connect("a", {
			properties: { authenticationMethod: "SCRAM", authenticationData: Buffer.from("x") },
		}) as IConnackPacket;
		assert.equal(connack.reasonCode, 0x8c);
		assert.ok(peer.closed);
		const late = harness
			.client("b")
			.send({ cmd: "auth", reasonCode: 0x19, properties: { authenticationMethod: "SCRAM" } });
		assert.equal((late.shift("disconnect") as IDisconnectPacket).reasonCode, 0x82);
	});

	test("firefly-time requested: retained messages carry their time, or their age without a clock", () => {
		for (const clockIsSet of [true, false]) {
			const start = Date.now();
			const harness = new BrokerHarness();
			Object.assign(harness.host, { clockIsSet });
			harness
				.client("sender")
				.publish("t", "1", { retain: true, properties: { userProperties: { k: "v" } } });
			harness.host.advance(65_500);
			const timestampClient = harness.client("wants", 5, {
				properties: { userProperties: { "firefly-time": "" } },
			});
			timestampClient.subscribe("t");
			const userProperties = { ...timestampClient.publishes()[0].properties?.userProperties } as Record<
				string,
				string
			>;
			assert.equal(userProperties.k, "v");
			if (clockIsSet) {
				assert.match(userProperties["firefly-time"], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
				const time = Date.parse(userProperties["firefly-time"]) + 65_500;
				assert.ok(time > start - 1000 && time < Date.now() + 1000);
			} else assert.equal(userProperties["firefly-time"], "65");
			harness.client("sender").publish("t", "2");
			assert.equal(
				timestampClient.publishes()[0].properties?.userProperties,
				undefined,
				"live messages come as they are",
			);
			const plain = harness.client("plain");
			plain.subscribe("t");
			assert.deepEqual({ ...plain.publishes()[0].properties?.userProperties }, { k: "v" });
		}
	});
});
