import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { frame, VALID_FIELDS } from "../websocket/support/frames";
import { BrokerHarness } from "./support/broker-harness";
import { Browser, WEB_PORT } from "./support/browser";

const FLOOD = 1000;

function flood(harness: BrokerHarness, count = FLOOD, payload = "x", id = "flooder") {
	const client = harness.client(id, 4);
	const packet = client.encode({
		cmd: "publish",
		topic: "flood",
		payload,
		qos: 0,
		retain: false,
		dup: false,
	});
	const all = new Uint8Array(packet.length * count);
	for (let i = 0; i < count; i++) all.set(packet, i * packet.length);
	client.sendRaw(all);
	return client;
}

describe("a flood of QoS 0 messages", () => {
	test("others are answered after one turn, and all messages are processed in the end", () => {
		const harness = new BrokerHarness({ turnPackets: 8 });
		const { counters } = harness.broker;
		const reader = harness.client("reader");
		reader.subscribe("#");
		const before = counters.publishesReceived;
		flood(harness);
		for (let round = 1; counters.publishesReceived < before + FLOOD; round++) {
			// the flood's turns and those of others alternate
			assert.ok(counters.publishesReceived <= before + 8 * round, `round ${round}`);
			reader.send({ cmd: "pingreq" });
			assert.ok(reader.shift("pingresp"), `round ${round}`);
			harness.client("stranger").drop();
			harness.host.advance(1);
		}
		assert.equal(reader.messages().length, FLOOD);
		assert.ok(counters.turnsEnded >= FLOOD / 8 - 1, `${counters.turnsEnded} turns`);
		harness.host.advance(1);
		assert.equal(counters.internalErrors, 0);
	});

	test("long packets: the bytes of a turn are limited too", () => {
		const harness = new BrokerHarness({ turnPackets: 1000, turnBytes: 1024 });
		flood(harness, 100, "x".repeat(400));
		assert.equal(harness.broker.counters.publishesReceived, 3);
		harness.host.advance(100);
		assert.equal(harness.broker.counters.publishesReceived, 100);
	});

	test("several peers that flood take turns one at a time", () => {
		const harness = new BrokerHarness({ turnPackets: 8 });
		const { counters } = harness.broker;
		for (let i = 0; i < 4; i++) flood(harness, 100, "x", `f${i}`);
		const start = counters.publishesReceived;
		for (let turn = 1; turn <= 4; turn++) {
			harness.host.advance(1);
			assert.ok(counters.publishesReceived <= start + 8 * turn, `turn ${turn}`);
		}
		harness.host.advance(100);
		assert.equal(counters.publishesReceived, 400);
	});

	test("a peer that floods and vanishes is noticed at the end of its flood", () => {
		const harness = new BrokerHarness({ turnPackets: 8, keepAliveLimit: 0 });
		flood(harness).drop();
		harness.host.advance(1000);
		assert.equal(harness.broker.counters.publishesReceived, FLOOD);
		assert.equal(harness.broker.usage.sockets, 0);
	});

	test("a peer that floods and leaves: all is processed, although others end in the meantime", () => {
		const harness = new BrokerHarness({ turnPackets: 8 });
		const { counters } = harness.broker;
		const others = [0, 1, 2].map((i) => harness.client(`other${i}`));
		const client = flood(harness);
		client.send({ cmd: "disconnect" }).drop();
		for (const other of others) {
			other.send({ cmd: "disconnect" });
			harness.host.advance(5);
		}
		harness.host.advance(1000);
		assert.equal(counters.publishesReceived, FLOOD);
		assert.equal(counters.connectionsLost, 0);
	});

	test("over WebSocket, with a Close frame at the end: all is processed, DISCONNECT too", () => {
		const harness = new BrokerHarness({ turnPackets: 8, webSocket: WEB_PORT });
		const watcher = harness.client("watcher");
		watcher.subscribe("#");
		const browser = new Browser(harness.host).request("/", VALID_FIELDS);
		const will = { topic: "will", payload: Buffer.from("gone"), qos: 0, retain: false };
		const burst = [
			{ cmd: "connect", protocolId: "MQTT", protocolVersion: 5, clean: true, clientId: "web", will },
			...Array.from({ length: 25 }, (_, i) => ({ cmd: "publish", topic: "t", payload: `${i}`, qos: 0 })),
			{ cmd: "disconnect" },
		];
		browser.send(Buffer.concat([...burst.map((packet) => frame(2, watcher.encode(packet))), frame(8)]));
		harness.host.advance(100);
		assert.deepEqual(
			watcher.messages(),
			Array.from({ length: 25 }, (_, i) => `t=${i}`),
		);
		assert.ok(browser.closed);
	});
});
