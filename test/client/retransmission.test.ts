import assert from "node:assert/strict";
import { test } from "node:test";
import { BUSY } from "../../src/client/client";
import { DUP, QOS1 } from "../../src/mqtt/constants";
import { VirtualNetwork } from "../support/virtual-network";
import { RecordingClient, topic } from "./recording-client";
import { ScriptedBroker } from "./scripted-broker";

const payload = Uint8Array.of(0x31);

function setUp(version: 4 | 5, acknowledges: boolean) {
	const network = new VirtualNetwork({ latency: 10 });
	const connack = { sessionPresent: true };
	const broker = new ScriptedBroker(network, 1883, {
		version,
		connack,
		answer: ({ cmd }) => cmd === "publish" && !acknowledges,
	});
	const node = new RecordingClient(
		{ version, cleanStart: false, ...(version === 5 && { sessionExpiry: 60 }) },
		network.device,
	);
	const publish = (flags: number, packetId?: number): number =>
		node.client.publish(topic, payload, 1, flags, undefined, packetId);
	node.open();
	network.clock.advance(1000);
	return { network, broker, node, publish };
}

// [MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-3.1.1:2.3.1-3]
test("a message is sent again under its own identifier, with DUP, and its PUBACK is reported", () => {
	for (const version of [4, 5] as const) {
		const { network, broker, node, publish } = setUp(version, true);
		assert.equal(publish(QOS1 | DUP, 700), 700);
		assert.equal(publish(QOS1), 701, "new ones go on behind it");
		network.clock.advance(1000);
		assert.deepEqual(
			broker.packets.flatMap((packet) => (packet.cmd === "publish" ? [[packet.messageId, packet.dup]] : [])),
			[
				[700, true],
				[701, false],
			],
		);
		assert.deepEqual(
			node.acknowledged.map(({ packetId }) => packetId),
			[700, 701],
		);
	}
});

test("an identifier in use is BUSY until its PUBACK", () => {
	const { network, broker, node, publish } = setUp(5, false);
	assert.equal(publish(QOS1, 9), 9);
	assert.equal(publish(QOS1, 9), BUSY);
	assert.equal(publish(QOS1, 10), 10);
	network.clock.advance(100);
	broker.connections[0].send({ cmd: "puback", messageId: 9, reasonCode: 0 });
	network.clock.advance(100);
	assert.equal(node.writable.length, 2, "it is told when to try again");
	assert.equal(publish(QOS1, 9), 9);
	assert.equal(publish(QOS1), 11);
});

test("an invalid identifier is refused, and so is one with QoS 0", () => {
	const { publish } = setUp(5, true);
	assert.throws(() => publish(QOS1, 65_536), { message: "packet identifier is not 1 to 65,535" });
	assert.equal(publish(0, 12), 0);
});
