import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IDisconnectPacket, IPubackPacket } from "mqtt-packet";
import { BrokerHarness } from "../broker/support/broker-harness";

const versions = [4, 5] as const;

describe("PUBLISH: server requirements", () => {
	test("[MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-3.1.1:4.3.2-2] QoS 0: no response; QoS 1: PUBACK", () => {
		for (const version of versions) {
			const peer = new BrokerHarness().client("a", version);
			peer.publish("t", "0").publish("t", "1", { qos: 1, messageId: 77 });
			assert.deepEqual(
				peer.packets.map((packet) => [packet.cmd, packet.messageId]),
				[["puback", 77]],
			);
		}
	});

	test("[MQTT-4.3.2-5] the same identifier after PUBACK: a new message, whatever its DUP flag", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher", version);
			watcher.subscribe("t");
			const peer = harness.client("a", version);
			for (const dup of [false, true]) peer.publish("t", `${dup}`, { qos: 1, messageId: 5, dup });
			assert.deepEqual(watcher.messages(), ["t=false", "t=true"]);
		}
	});

	test("[MQTT-3.1.1:3.3.5-2] an unauthorized PUBLISH of MQTT 3.1.1: acknowledged and discarded", () => {
		const harness = new BrokerHarness();
		const watcher = harness.client("watcher");
		watcher.subscribe("$SYS/#");
		watcher.messages();
		const peer = harness.client("a", 4).publish("$SYS/x", "1", { qos: 1, messageId: 3 });
		assert.equal((peer.shift("puback") as IPubackPacket).messageId, 3);
		assert.ok(!watcher.messages().includes("$SYS/x=1"));
	});

	test("[MQTT-3.2.2-15] a packet above the announced maximum: DISCONNECT 0x95", () => {
		const peer = new BrokerHarness({ packetSize: 256 }).client("a").publish("t", "x".repeat(300));
		assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x95);
		assert.ok(peer.closed);
	});
});

describe("retained messages: server requirements", () => {
	test("[MQTT-3.3.1-5] [MQTT-3.3.1-8] [MQTT-3.1.1:3.3.1-12] RETAIN 1: the retained message is replaced; RETAIN 0: it is kept", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const sender = harness.client("sender", version);
			sender
				.publish("t", "1", { retain: true })
				.publish("t", "2", { retain: true, qos: 1, messageId: 1 })
				.publish("t", "3");
			sender.publish("t", "");
			const peer = harness.client("a", version);
			peer.subscribe("t", { qos: 1 });
			assert.deepEqual(
				peer.publishes().map(({ payload, qos }) => [`${payload}`, qos]),
				[["2", 1]],
			);
		}
	});

	test("[MQTT-3.1.1:3.3.1-7] no room: QoS 0 removes the old message, QoS 1 is refused", () => {
		for (const version of versions) {
			const harness = new BrokerHarness({ retainedBytes: 32 });
			const sender = harness.client("sender", version).publish("t", "old", { retain: true });
			const retainedMessagesFor = (id: string) => {
				const peer = harness.client(id, version);
				peer.subscribe("t");
				return peer.messages();
			};
			sender.publish("t", "x".repeat(40), { retain: true, qos: 1, messageId: 1 });
			assert.deepEqual(retainedMessagesFor("a"), ["t=old"]);
			harness.client("other", version).publish("t", "x".repeat(40), { retain: true });
			assert.deepEqual(retainedMessagesFor("b"), []);
		}
	});

	test("[MQTT-3.3.1-6] [MQTT-3.3.1-7] [MQTT-3.1.1:3.3.1-10] [MQTT-3.1.1:3.3.1-11] an empty payload: delivered, clears the topic, and is not retained", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const sender = harness.client("sender", version);
			const watcher = harness.client("watcher", version);
			sender.publish("t", "1", { retain: true });
			watcher.subscribe("t");
			watcher.messages();
			sender.publish("t", "", { retain: true });
			assert.deepEqual(watcher.messages(), ["t="]);
			const late = harness.client("late", version);
			late.subscribe("#");
			assert.deepEqual(late.messages(), []);
		}
	});

	test("[MQTT-3.1.1:3.1.2-7] the publisher's session ends: its retained messages are kept", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			harness
				.client("sender", version)
				.publish("t", "1", { retain: true })
				.send({ cmd: "disconnect", reasonCode: 0 });
			const peer = harness.client("a", version);
			peer.subscribe("t");
			assert.deepEqual(peer.messages(), ["t=1"]);
		}
	});

	test("[MQTT-3.1.1:3.3.1-6] [MQTT-3.1.1:3.3.1-8] [MQTT-3.1.1:3.3.1-9] RETAIN flag: 1 for retained messages of a new subscription, 0 for live ones", () => {
		const harness = new BrokerHarness();
		const sender = harness.client("sender", 4).publish("a", "old", { retain: true });
		const peer = harness.client("a", 4);
		peer.subscribe("+");
		sender.publish("b", "new", { retain: true });
		peer.subscribe("+");
		assert.deepEqual(
			peer.publishes().map(({ topic, retain }) => [topic, retain]),
			[
				["a", true],
				["b", false],
				["a", true],
				["b", true],
			],
		);
	});

	test("[MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT-3.8.4-4] retain handling 0, 1, 2: sent always, only for a new subscription, never", () => {
		const harness = new BrokerHarness();
		harness.client("sender").publish("t", "1", { retain: true });
		const retainedMessagesFor = (rh: number, twice: boolean) => {
			const peer = harness.client(`peer-${rh}-${twice}`);
			if (twice) peer.subscribe("t", { rh: 2 });
			peer.subscribe("t", { rh });
			return peer.messages().length;
		};
		assert.deepEqual(
			[
				retainedMessagesFor(0, false),
				retainedMessagesFor(0, true),
				retainedMessagesFor(1, false),
				retainedMessagesFor(1, true),
				retainedMessagesFor(2, false),
				retainedMessagesFor(2, true),
			],
			[1, 1, 1, 0, 0, 0],
		);
	});

	test("[MQTT-3.3.1-12] [MQTT-3.3.1-13] retain as published: RETAIN is kept; otherwise 0", () => {
		const harness = new BrokerHarness();
		for (const rap of [false, true]) {
			const peer = harness.client(`peer-${rap}`);
			peer.subscribe("t", { rap });
			harness.client("sender").publish("t", "1", { retain: true }).publish("t", "2");
			assert.deepEqual(
				peer.publishes().map(({ retain }) => retain),
				rap ? [true, false] : [false, false],
			);
			harness.client("sender").publish("t", "", { retain: true });
		}
	});
});

describe("sending messages: server requirements", () => {
	test("[MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-3.1.1:2.3.1-4] [MQTT-3.1.1:4.3.2-1] new messages: unused packet identifiers other than 0, DUP 0", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			peer.subscribe("t", { qos: 1 });
			const sender = harness.client("sender", version);
			for (let i = 1; i <= 3; i++) sender.publish("t", `${i}`, { qos: 1, messageId: i });
			const got = peer.publishes();
			assert.deepEqual(
				got.map(({ qos, dup }) => [qos, dup]),
				[1, 2, 3].map(() => [1, false]),
			);
			const ids = got.map(({ messageId }) => messageId as number);
			assert.equal(new Set(ids).size, 3);
			assert.ok(ids.every((id) => id > 0));
			// Two stay in flight while the identifiers of the others wrap around
			for (let i = version === 5 ? 0 : 65_000; i < 65_600; i++) {
				peer.send({ cmd: "puback", messageId: ids[1] as number });
				sender.publish("t", "x", { qos: 1, messageId: 1 });
				ids[1] = peer.publishes()[0]?.messageId as number;
				if (ids[1] === ids[0] || ids[1] === ids[2] || !(ids[1] > 0)) assert.fail(`${ids}`);
				sender.packets.length = 0;
			}
		}
	});

	test("[MQTT-4.3.1-1] [MQTT-3.3.1-2] QoS 0: sent with DUP 0 and no packet identifier", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			peer.subscribe("t", { qos: 1 });
			harness.client("sender", version).publish("t", "1");
			const [got] = peer.publishes();
			assert.deepEqual([got?.qos, got?.dup, got?.messageId], [0, false, undefined]);
		}
	});

	test("[MQTT-3.3.1-3] DUP 1 from the publisher: sent to subscribers with DUP 0", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			peer.subscribe("t", { qos: 1 });
			harness.client("sender", version).publish("t", "1", { qos: 1, messageId: 1, dup: true });
			assert.equal(peer.publishes()[0]?.dup, false);
		}
	});

	test("[MQTT-4.3.2-3] [MQTT-4.1.0-1] [MQTT-3.1.1:4.1.0-2] no PUBACK: the message is kept as long as the connection lasts", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version, { keepalive: 0 });
			peer.subscribe("t", { qos: 1 });
			harness.client("sender", version).publish("t", "1", { qos: 1, messageId: 1 });
			const [got] = peer.publishes();
			for (let i = 0; i < 100; i++) {
				peer.send({ cmd: "pingreq" });
				harness.host.advance(60_000);
			}
			assert.equal(harness.broker.usage.queued, 1);
			peer.send({ cmd: "puback", messageId: got?.messageId as number });
			assert.equal(harness.broker.usage.queued, 0);
		}
	});

	test("[MQTT-4.4.0-2] a refused or unacknowledged message: not sent again on the same connection", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a", 5, { keepalive: 0 });
		peer.subscribe("t", { qos: 1 });
		const sender = harness.client("sender").publish("t", "1", { qos: 1, messageId: 1 });
		sender.publish("t", "2", { qos: 1, messageId: 2 });
		const [first] = peer.publishes();
		peer.send({ cmd: "puback", messageId: first?.messageId as number, reasonCode: 0x80 });
		for (let i = 0; i < 100; i++) {
			peer.send({ cmd: "pingreq" });
			harness.host.advance(60_000);
		}
		assert.deepEqual(peer.messages(), []);
	});

	test("[MQTT-3.3.4-9] [MQTT-3.3.4-10] [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-4.9.0-3] receive maximum reached: further messages wait, other packets are handled", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a", 5, { properties: { receiveMaximum: 2 } });
		peer.subscribe("t", { qos: 1 });
		const sender = harness.client("sender");
		for (let i = 1; i <= 4; i++) sender.publish("t", `${i}`, { qos: 1, messageId: i });
		const got = peer.publishes();
		assert.equal(got.length, 2);
		peer.send({ cmd: "pingreq" }).publish("x", "y", { qos: 1, messageId: 9 });
		assert.ok(peer.shift("pingresp") && peer.shift("puback"), "all else goes on");
		peer.send({ cmd: "puback", messageId: got[0]?.messageId as number });
		assert.deepEqual(peer.messages(), ["t=3"]);
	});

	test("[MQTT-3.1.2-25] a message above the client's maximum packet size: counts as sent", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a", 5, { properties: { maximumPacketSize: 60, receiveMaximum: 1 } });
		peer.subscribe("t", { qos: 1 });
		const sender = harness.client("sender");
		sender
			.publish("t", "x".repeat(100), { qos: 1, messageId: 1 })
			.publish("t", "2", { qos: 1, messageId: 2 });
		assert.deepEqual(peer.messages(), ["t=2"]);
		peer.send({ cmd: "puback", messageId: 1 }).send({ cmd: "puback", messageId: 2 });
		assert.equal(harness.broker.usage.queued, 0);
	});

	test("[MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20] message properties: forwarded unaltered and in order", () => {
		const harness = new BrokerHarness();
		const peer = harness.client("a");
		peer.subscribe("t");
		const properties = {
			payloadFormatIndicator: true,
			contentType: "text/plain",
			responseTopic: "answers",
			correlationData: Buffer.from([0, 255]),
			userProperties: { z: ["1", "2"], a: "3" },
		};
		harness.client("sender").publish("t", "1", { properties });
		const got = peer.publishes()[0]?.properties;
		assert.deepEqual({ ...got, userProperties: { ...got?.userProperties } }, properties);
		assert.deepEqual(Object.keys(got?.userProperties ?? {}), ["z", "a"]);
	});

	test("[MQTT-3.3.2-5] [MQTT-3.3.2-6] message expiry: remaining time sent; no expired message", () => {
		const harness = new BrokerHarness();
		harness.client("sender").publish("t", "1", { retain: true, properties: { messageExpiryInterval: 100 } });
		const retainedMessagesFor = (id: string) => {
			const peer = harness.client(id);
			peer.subscribe("t");
			return peer.publishes()[0]?.properties?.messageExpiryInterval;
		};
		assert.equal(retainedMessagesFor("now"), 100);
		harness.host.advance(30_000);
		assert.equal(retainedMessagesFor("later"), 70);
		harness.host.advance(71_000);
		assert.equal(retainedMessagesFor("late"), undefined);
	});

	test("[MQTT-4.6.0-5] [MQTT-4.6.0-6] [MQTT-3.1.1:4.6.0-5] [MQTT-3.1.1:4.6.0-6] messages of one publisher: delivered in order", () => {
		for (const version of versions) {
			const harness = new BrokerHarness({ inFlight: 2 });
			const peer = harness.client("a", version);
			peer.subscribe("t", { qos: 1 });
			const sender = harness.client("sender", version);
			const got: string[] = [];
			for (let i = 1; i <= 9; i++) {
				sender.publish("t", `${i}`, { qos: 1, messageId: i });
				if (i % 3 !== 0) continue;
				for (let batch = peer.publishes(); batch.length > 0; batch = peer.publishes()) {
					for (const { payload, messageId } of batch) {
						got.push(`${payload}`);
						peer.send({ cmd: "puback", messageId: messageId as number });
					}
				}
			}
			assert.deepEqual(got, ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
		}
	});
});
