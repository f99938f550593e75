import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Packet } from "mqtt-packet";
import { BUSY } from "../../src/client/client";
import { QOS2 } from "../../src/mqtt/constants";
import { VirtualNetwork } from "../support/virtual-network";
import { RecordingClient, topic } from "./recording-client";
import { ScriptedBroker } from "./scripted-broker";

/** A client whose application releases and completes itself, connected. */
function setUp(version: 4 | 5) {
	const network = new VirtualNetwork();
	const broker = new ScriptedBroker(network, 1883, {
		version,
		answer: ({ cmd }) => cmd !== "connect",
	});
	const received: [number, number][] = [];
	const released: number[] = [];
	const node = new RecordingClient({ version, manualRelease: true }, network.device, {
		onReceived: (packetId, tag) => received.push([packetId, tag]),
		onReleased: (packetId) => released.push(packetId),
	});
	node.open();
	network.clock.advance(100);
	return { network, clock: network.clock, broker, node, received, released };
}

function packets({ packets }: ScriptedBroker): string[] {
	return packets
		.filter(({ cmd }) => cmd !== "connect")
		.map((packet: Packet) => `${packet.cmd} ${packet.messageId}`);
}

for (const version of [4, 5] as const)
	describe(`manualRelease, MQTT ${version === 4 ? "3.1.1" : "5.0"}`, () => {
		test("PUBREC: PUBREL leaves by release() only, and PUBCOMP acknowledges its tag", () => {
			const { clock, broker, node, received } = setUp(version);
			node.client.publish(topic, Uint8Array.of(1), 1, QOS2, undefined, 7, 2);
			clock.advance(100);
			broker.connections[0].send({ cmd: "pubrec", messageId: 7, reasonCode: 0 });
			clock.advance(1000);
			assert.deepEqual(packets(broker), ["publish 7"]);
			assert.deepEqual(received, [[7, 2]]);
			assert.equal(node.client.inFlight.count, 0);
			assert.equal(node.client.release(7, 3), 7);
			clock.advance(100);
			assert.deepEqual(packets(broker), ["publish 7", "pubrel 7"]);
			broker.connections[0].send({ cmd: "pubcomp", messageId: 7, reasonCode: 0 });
			clock.advance(100);
			assert.deepEqual(
				node.acknowledged.map(({ packetId }) => packetId),
				[7],
			);
		});

		test("PUBREC of an unknown identifier: also left to the application", () => {
			const { clock, broker, received } = setUp(version);
			broker.connections[0].send({ cmd: "pubrec", messageId: 9, reasonCode: 0 });
			clock.advance(1000);
			assert.deepEqual(received, [[9, 0]]);
			assert.deepEqual(packets(broker), []);
		});

		test("PUBREL: PUBCOMP leaves by complete() only; until then a repeated PUBLISH is not delivered again", () => {
			const { clock, broker, node, released } = setUp(version);
			const publish = { cmd: "publish", topic: "t", payload: "1", qos: 2, messageId: 5 } as const;
			assert.equal(node.client.complete(5), 0, "also of an identifier that is not known");
			clock.advance(100);
			broker.connections[0].send({ ...publish, dup: false, retain: false });
			clock.advance(100);
			broker.connections[0].send({ cmd: "pubrel", messageId: 5, reasonCode: 0 });
			broker.connections[0].send({ ...publish, dup: true, retain: false });
			clock.advance(1000);
			assert.deepEqual(packets(broker), ["pubcomp 5", "pubrec 5", "pubrec 5"]);
			assert.deepEqual(released, [5]);
			assert.equal(node.messages.length, 1);
			assert.equal(node.client.complete(5), 0);
			clock.advance(100);
			assert.deepEqual(packets(broker).slice(3), ["pubcomp 5"]);
			broker.connections[0].send({ ...publish, dup: false, retain: false });
			clock.advance(100);
			assert.equal(node.messages.length, 2, "the identifier is free");
		});

		test("complete() without a connection: BUSY", () => {
			const { clock, node } = setUp(version);
			node.client.abort();
			clock.advance(100);
			assert.equal(node.client.complete(5), BUSY);
		});
	});
