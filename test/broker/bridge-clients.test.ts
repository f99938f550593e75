/** Bridges of other brokers over MQTT 3.1.1, which say by their protocol level that they are one. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectAsync } from "mqtt";
import type { IConnackPacket } from "mqtt-packet";
import { CLEAN_START } from "../../src/mqtt/constants";
import { BridgedBroker, until } from "../bridge/bridged-broker";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { BrokerHarness } from "./support/broker-harness";
import type { TestClient } from "./support/test-client";

/** Sends CONNECT with this protocol level and these flags. */
function connect(
	peer: TestClient,
	clientId: string,
	level: number,
	flags: number,
): IConnackPacket | undefined {
	const bytes = peer.encode({
		cmd: "connect",
		protocolId: "MQTT",
		protocolVersion: peer.version,
		clean: true,
		clientId,
		keepalive: 60,
	});
	bytes[8] = level;
	bytes[9] = flags;
	return peer.sendRaw(bytes).shift("connack") as IConnackPacket | undefined;
}

describe("protocol level 0x84", () => {
	test("its subscriptions bring nothing that it has published, and RETAIN as published; those of others do not change", () => {
		const harness = new BrokerHarness();
		const bridge = harness.client("bridge", 4, { bridgeMode: true });
		const plain = harness.client("plain", 4);
		for (const client of [bridge, plain]) client.subscribe("t", { qos: 1 });
		bridge.publish("t", "own", { retain: true });
		assert.deepEqual(bridge.publishes(), []);
		assert.deepEqual(
			plain.publishes().map(({ payload, retain }) => [String(payload), retain]),
			[["own", false]],
		);
		plain.publish("t", "other", { retain: true });
		assert.deepEqual(
			bridge.publishes().map(({ payload, retain }) => [String(payload), retain]),
			[["other", true]],
		);
		// A new connection of the same client that says nothing of it
		const later = harness.client("bridge", 4);
		later.subscribe("t", { qos: 1 });
		later.publishes();
		later.publish("t", "x");
		assert.deepEqual(
			later.publishes().map(({ payload }) => String(payload)),
			["x"],
		);
	});

	test("its CONNECT is that of MQTT 3.1.1: without client identifier only with Clean Session", () => {
		const harness = new BrokerHarness();
		assert.equal(connect(harness.peer(4), "", 0x84, CLEAN_START)?.returnCode, 0);
		// [MQTT-3.1.1:3.1.3-8]
		assert.equal(connect(harness.peer(4), "", 0x84, 0)?.returnCode, 2);
		assert.equal(connect(harness.peer(4), "kept", 0x84, 0)?.returnCode, 0);
		// [MQTT-3.1.2-3]
		const reserved = harness.peer(4);
		assert.equal(connect(reserved, "a", 0x84, CLEAN_START | 1), undefined);
		assert.ok(reserved.closed);
	});

	test("other levels with that bit: refused as an unknown version", () => {
		const harness = new BrokerHarness();
		for (const level of [0x80, 0x83, 0x85, 0xff]) {
			const version = level === 0x85 || level === 0xff ? 5 : 4;
			const peer = harness.peer(version);
			const connack = connect(peer, "a", level, CLEAN_START);
			assert.equal(version === 4 ? connack?.returnCode : connack?.reasonCode, version === 4 ? 1 : 0x84);
			assert.ok(peer.closed, `${level}`);
		}
	});

	test("a shared subscription brings it what it has published, as that of any client", () => {
		const harness = new BrokerHarness();
		const bridge = harness.client("bridge", 4, { bridgeMode: true });
		bridge.subscribe("$share/g/t");
		bridge.publish("t", "own");
		assert.equal(bridge.publishes().length, 1);
	});
});

describe("mosquitto's bridge", { skip: mosquittoInstalled ? false : "no mosquitto" }, () => {
	for (const tryPrivate of [true, false])
		test(`a topic in both directions over MQTT 3.1.1, try_private ${tryPrivate}: ${tryPrivate ? "each message arrives once" : "what it publishes comes back"}`, async () => {
			const ours = new BridgedBroker(undefined);
			const port = await ours.start();
			const mosquitto = await Mosquitto.start([
				"allow_anonymous true",
				"connection edge",
				`address 127.0.0.1:${port}`,
				"topic t/# both 1",
				"bridge_protocol_version mqttv311",
				`try_private ${tryPrivate}`,
				"notifications false",
				"restart_timeout 1 1",
			]);
			const received: string[] = [];
			const clients = [];
			for (const [name, at] of [
				["here", port],
				["there", mosquitto.port],
			] as const) {
				const client = await connectAsync(`mqtt://127.0.0.1:${at}`);
				client.on("message", (topic, payload) => received.push(`${name} ${topic}=${payload}`));
				await client.subscribeAsync("t/#", { qos: 1 });
				clients.push(client);
			}
			const [here, there] = clients;
			const seen = (text: string): Promise<void> =>
				until(
					() => received.includes(text),
					() => `${text} has not arrived: ${received}`,
				);
			// The bridge is there once this has passed it
			for (let i = 0; i < 2400 && !received.includes("there t/ready=1"); i++) {
				await here.publishAsync("t/ready", "1", { qos: 1 });
				await new Promise((resolve) => setTimeout(resolve, 50));
			}
			received.length = 0;
			await there.publishAsync("t/a", "up", { qos: 1 });
			await seen("here t/a=up");
			// Whatever comes back comes before what is published now
			await here.publishAsync("t/b", "down", { qos: 1 });
			await seen("there t/b=down");
			const up = received.filter((text) => text === "there t/a=up").length;
			assert.equal(up, tryPrivate ? 1 : 2, `${received}`);
			assert.equal(received.filter((text) => text === "here t/b=down").length, 1);
			for (const client of clients) await client.endAsync(true);
			await mosquitto.stop();
			ours.broker.stop();
		});
});
