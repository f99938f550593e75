import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IDisconnectPacket, IPubackPacket } from "mqtt-packet";
import { BrokerHarness } from "../broker/support/broker-harness";

const versions = [4, 5] as const;

describe("PUBLISH, as a server has to take it", () => {
	test("[MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-3.1.1:4.3.2-2] QoS 0 gets no answer, QoS 1 a PUBACK with its identifier", () => {
		for (const version of versions) {
			const peer = new BrokerHarness().client("a", version);
			peer.publish("t", "0").publish("t", "1", { qos: 1, messageId: 77 });
			assert.deepEqual(
				peer.packets.map((packet) => [packet.cmd, packet.messageId]),
				[["puback", 77]],
			);
		}
	});

	test("[MQTT-4.3.2-5] after PUBACK a message under the same identifier is a new one, whatever its DUP flag", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher", version);
			watcher.subscribe("t");
			const peer = harness.client("a", version);
			for (const dup of [false, true]) peer.publish("t", `${dup}`, { qos: 1, messageId: 5, dup });
			assert.deepEqual(watcher.messages(), ["t=false", "t=true"]);
		}
	});

	test("[MQTT-3.1.1:3.3.5-2] what a client of 3.1.1 may not publish is acknowledged and goes nowhere", () => {
		const harness = new BrokerHarness();
		const watcher = harness.client("watcher");
		watcher.subscribe("$SYS/#");
		watcher.messages();
		const peer = harness.client("a", 4).publish("$SYS/x", "1", { qos: 1, messageId: 3 });
		assert.equal((peer.shift("puback") as IPubackPacket).messageId, 3);
		assert.ok(!watcher.messages().includes("$SYS/x=1"));
	});

	test("[MQTT-3.2.2-15] a packet above the maximum that was told ends the connection", () => {
		const peer = new BrokerHarness({ packetSize: 256 }).client("a").publish("t", "x".repeat(300));
		assert.equal((peer.shift("disconnect") as IDisconnectPacket).reasonCode, 0x95);
		assert.ok(peer.closed);
	});
});

describe("retained messages, as a server has to keep them", () => {
	test("[MQTT-3.3.1-5] [MQTT-3.3.1-8] [MQTT-3.1.1:3.3.1-12] RETAIN replaces; without RETAIN nothing changes", () => {
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

	test("[MQTT-3.1.1:3.3.1-7] a QoS 0 message that finds no room takes the old one away; QoS 1 is refused and changes nothing", () => {
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

	test("[MQTT-3.3.1-6] [MQTT-3.3.1-7] [MQTT-3.1.1:3.3.1-10] [MQTT-3.1.1:3.3.1-11] an empty payload is delivered, clears, and is not kept", () => {
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

	test("[MQTT-3.1.1:3.1.2-7] they outlive the session that published them", () => {
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

	test("[MQTT-3.1.1:3.3.1-6] [MQTT-3.1.1:3.3.1-8] [MQTT-3.1.1:3.3.1-9] RETAIN tells what a new subscription is handed from what it is sent later", () => {
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

	test("[MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT-3.8.4-4] retain handling", () => {
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

	test("[MQTT-3.3.1-12] [MQTT-3.3.1-13] retain as published", () => {
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

describe("messages, as a server has to send them", () => {
	test("[MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-3.1.1:2.3.1-4] [MQTT-3.1.1:4.3.2-1] identifiers are not 0 and unused, DUP is 0", () => {
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
			// Two stay under way while the others go all the way round
			for (let i = version === 5 ? 0 : 65_000; i < 65_600; i++) {
				peer.send({ cmd: "puback", messageId: ids[1] as number });
				sender.publish("t", "x", { qos: 1, messageId: 1 });
				ids[1] = peer.publishes()[0]?.messageId as number;
				if (ids[1] === ids[0] || ids[1] === ids[2] || !(ids[1] > 0)) assert.fail(`${ids}`);
				sender.packets.length = 0;
			}
		}
	});

	test("[MQTT-4.3.1-1] [MQTT-3.3.1-2] QoS 0 goes out with DUP 0 and no identifier", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			peer.subscribe("t", { qos: 1 });
			harness.client("sender", version).publish("t", "1");
			const [got] = peer.publishes();
			assert.deepEqual([got?.qos, got?.dup, got?.messageId], [0, false, undefined]);
		}
	});

	test("[MQTT-3.3.1-3] DUP is not passed through", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.client("a", version);
			peer.subscribe("t", { qos: 1 });
			harness.client("sender", version).publish("t", "1", { qos: 1, messageId: 1, dup: true });
			assert.equal(peer.publishes()[0]?.dup, false);
		}
	});

	test("[MQTT-4.3.2-3] [MQTT-4.1.0-1] [MQTT-3.1.1:4.1.0-2] what waits for PUBACK is held as long as the connection lasts", () => {
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

	test("[MQTT-4.4.0-2] a refused message is not sent again, nor any other while the connection lasts", () => {
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

	test("[MQTT-3.3.4-9] [MQTT-3.3.4-10] [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-4.9.0-3] receive maximum", () => {
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

	test("[MQTT-3.1.2-25] a message that is too large for a client counts as sent", () => {
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

	test("[MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20] properties pass unaltered, in their order", () => {
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

	test("[MQTT-3.3.2-5] [MQTT-3.3.2-6] message expiry", () => {
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

	test("[MQTT-4.6.0-5] [MQTT-4.6.0-6] [MQTT-3.1.1:4.6.0-5] [MQTT-3.1.1:4.6.0-6] each client's messages come in their order", () => {
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
