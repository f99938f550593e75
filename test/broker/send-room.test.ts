import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IDisconnectPacket, ISubackPacket } from "mqtt-packet";
import { SEND_ROOM } from "../../sim/network/socket";
import { BrokerHarness } from "./support/broker-harness";
import type { TestClient } from "./support/test-client";

const persistent = { clean: false, properties: { sessionExpiryInterval: 1000 } };

/** Bytes of a PUBLISH to a topic of one character, besides its payload, up to and above 127 bytes. */
const SHORT = 6;
const LONG = 7;
const PACKET_ID = 2;

/** Leaves exactly `room` bytes for a client that does not read and has subscribed to `f`. */
function fill(harness: BrokerHarness, client: TestClient, room: number): void {
	const filler = harness.client("filler");
	client.freeze();
	for (let left = client.brokerRoom - room; left > 0; left = client.brokerRoom - room)
		filler.publish("f", "x".repeat(left > 127 ? Math.min(100, left - 2 * SHORT) : left - SHORT));
	assert.equal(client.brokerRoom, room);
	filler.send({ cmd: "disconnect" });
}

describe("a client that does not read", () => {
	test("its room is full of stored values: it is told why it is closed, and misses none if it reads", () => {
		for (let rest = 0; rest < 8; rest++)
			for (const reads of [false, true]) {
				const harness = new BrokerHarness();
				const client = harness.client("slow");
				client.subscribe("f");
				fill(harness, client, 400);
				// the value would leave `rest` bytes behind SUBACK
				const value = "x".repeat(400 - 6 - LONG - rest);
				harness.client("publisher").publish("v", value, { retain: true });
				client.subscribe("v");
				if (reads) client.thaw();
				else harness.client("slow");
				client.thaw();
				if (reads) assert.equal(client.messages().at(-1), `v=${value}`);
				else assert.equal((client.shift("disconnect") as IDisconnectPacket | undefined)?.reasonCode, 0x8e);
			}
	});

	test("its room would be full of shared messages of a session that gives way to it: SUBACK comes first", () => {
		for (let rest = 0; rest < 8; rest++) {
			const harness = new BrokerHarness({ subscriptions: 5, connections: 2, sessions: 4 });
			const member = harness.client("member", 5, persistent);
			for (const filter of ["$share/g/t", "a", "b"]) member.subscribe(filter, { qos: 1 });
			member.drop();
			const payload = "x".repeat(300 - LONG - PACKET_ID - rest);
			harness.client("publisher").publish("t", payload, { qos: 1, messageId: 1 }).drop();
			const client = harness.client("slow");
			for (const filter of ["$share/g/t", "f"]) client.subscribe(filter, { qos: 1 });
			fill(harness, client, 300);
			client.send({ cmd: "subscribe", messageId: 9, subscriptions: [{ topic: "new", qos: 0 }] });
			assert.equal(harness.broker.counters.sessionsEvicted, 1);
			client.thaw();
			assert.deepEqual((client.shift("suback") as ISubackPacket | undefined)?.granted, [0], `${rest}`);
			assert.equal(client.messages().at(-1), `t=${payload}`);
			assert.equal(client.closed, false);
		}
	});
});

test("a message about as large as the room of an idle socket: sent or dropped at once, the next one is sent", () => {
	const harness = new BrokerHarness({ packetSize: SEND_ROOM, retainedBytes: 16_384, queuedBytes: 16_384 });
	const { counters } = harness.broker;
	const client = harness.client("reads", 5, { keepalive: 0 });
	client.subscribe("t", { qos: 1 });
	const publisher = harness.client("publisher");
	let sent = 0;
	for (let size = SEND_ROOM - 150; size <= SEND_ROOM; size++)
		for (const qos of [0, 1]) {
			const before = counters.droppedSize;
			publisher.publish("t", "x".repeat(size - LONG - qos * PACKET_ID), { qos, messageId: 1 });
			publisher.publish("t", "next", { qos, messageId: 1 });
			const received = client.publishes();
			if (qos === 1) for (const { messageId } of received) client.send({ cmd: "puback", messageId });
			assert.equal(String(received.at(-1)?.payload), "next", `${size} bytes, QoS ${qos}`);
			assert.equal(received.length - 1 + counters.droppedSize - before, 1);
			sent += received.length - 1;
		}
	assert.ok(sent > 100 && counters.droppedSize > 100, `${sent} sent, ${counters.droppedSize} dropped`);
	assert.equal(harness.broker.usage.queued, 0);
});
