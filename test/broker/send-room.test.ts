import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IDisconnectPacket, ISubackPacket } from "mqtt-packet";
import { BrokerHarness } from "./support/broker-harness";
import type { TestClient } from "./support/test-client";

const persistent = { clean: false, properties: { sessionExpiryInterval: 1000 } };

/** Bytes of a PUBLISH to a topic of one character, besides its payload, up to and above 127 bytes. */
const SHORT = 6;
const LONG = 7;
const PACKET_ID = 2;

/** Room that the broker has for a client. */
const roomFor = (client: TestClient) => client.socket.remote.room;

/** Leaves exactly `room` bytes for a client that does not read and has subscribed to `f`. */
function fill(harness: BrokerHarness, client: TestClient, room: number): void {
	const filler = harness.client("filler");
	client.freeze();
	for (let left = roomFor(client) - room; left > 0; left = roomFor(client) - room)
		filler.publish("f", "x".repeat(left > 127 ? Math.min(100, left - 2 * SHORT) : left - SHORT));
	assert.equal(roomFor(client), room);
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
