import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientHandler, ClientOptions } from "../../src/client/client";
import { USER_PROPERTY } from "../../src/mqtt/properties";
import type { PropertyReader } from "../../src/mqtt/property-reader";
import { VirtualNetwork } from "../support/virtual-network";
import { RecordingClient } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

function openConnection(
	script: BrokerScript,
	options: Partial<ClientOptions>,
	hooks: Partial<ClientHandler>,
	incomingIds: readonly number[] = [],
) {
	const network = new VirtualNetwork({ latency: 10 });
	const broker = new ScriptedBroker(network, 1883, { version: options.version ?? 5, ...script });
	const node = new RecordingClient({ cleanStart: false, ...options }, network.device, hooks);
	for (const id of incomingIds) node.client.incomingIds.add(id);
	node.open();
	network.clock.advance(500);
	return { clock: network.clock, broker, connection: broker.connections[0], node };
}

const message = { cmd: "publish", topic: "set", dup: false, retain: false } as const;
const answers = (broker: ScriptedBroker) =>
	broker.packets.slice(1).map(({ cmd, messageId }) => [cmd, messageId]);

for (const version of [4, 5] as const) {
	test(`resume() outside of a callback, MQTT ${version}: the acknowledgement is staged at once, before what is published next`, () => {
		const { clock, broker, connection, node } = openConnection(
			{},
			{ version },
			{ onPayload: () => node.client.pause() },
		);
		connection.send({ ...message, payload: "1", qos: 1, messageId: 7 });
		clock.advance(500);
		assert.deepEqual(answers(broker), [], "nothing is acknowledged while paused");
		assert.equal(node.client.owesAcknowledgement, true);
		node.client.resume();
		assert.equal(node.client.owesAcknowledgement, false);
		const id = node.publish("answer", 2);
		clock.advance(500);
		assert.deepEqual(answers(broker), [
			["puback", 7],
			["publish", id],
		]);
	});

	test(`leaveMessages(), MQTT ${version}: neither the paused message nor later ones are acknowledged, on this connection only`, () => {
		const { clock, broker, connection, node } = openConnection(
			{ connack: { sessionPresent: true } },
			{ version },
			{ onPayload: () => node.client.pause() },
		);
		connection.send({ ...message, payload: "1", qos: 1, messageId: 7 });
		connection.send({ ...message, payload: "2", qos: 2, messageId: 8 });
		connection.send({ ...message, payload: "3", qos: 0 });
		clock.advance(500);
		node.client.leaveMessages();
		node.client.resume();
		clock.advance(500);
		assert.deepEqual(answers(broker), []);
		assert.deepEqual(
			node.messages.map(({ payload }) => payload),
			["1"],
		);
		node.close();
		clock.advance(500);
		node.open();
		clock.advance(500);
		broker.connections[1].send({ ...message, payload: "1", qos: 1, messageId: 7, dup: true });
		clock.advance(500);
		node.client.resume();
		clock.advance(500);
		assert.deepEqual(answers(broker).at(-1), ["puback", 7]);
	});

	// [MQTT-4.1.0-1] [MQTT-3.1.1:4.1.0-1] [MQTT-4.3.3-10]
	test(`incomingIds of an earlier run, MQTT ${version}: its QoS 2 messages are not delivered again in their session`, () => {
		for (const sessionPresent of [true, false]) {
			const { clock, broker, connection, node } = openConnection(
				{ connack: { sessionPresent } },
				{ version },
				{},
				[7, 9],
			);
			connection.send({ ...message, payload: "1", qos: 2, messageId: 7, dup: true });
			connection.send({ cmd: "pubrel", messageId: 7, reasonCode: 0 });
			clock.advance(500);
			assert.equal(node.messages.length, sessionPresent ? 0 : 1);
			assert.deepEqual(answers(broker), [
				["pubrec", 7],
				["pubcomp", 7],
			]);
			const { incomingIds } = node.client;
			assert.equal(incomingIds.count, sessionPresent ? 1 : 0);
			if (sessionPresent) assert.equal(incomingIds.at(0), 9);
		}
	});
}

test("onOpen tells the properties of CONNACK", () => {
	const found: string[] = [];
	const read = (reader: PropertyReader): void => {
		while (reader.next())
			if (reader.id === USER_PROPERTY)
				found.push(Buffer.from(reader.bytes.slice(reader.nameStart, reader.end)).toString("latin1"));
	};
	openConnection(
		{ connack: { properties: { userProperties: { "firefly-queued": "2" } } } },
		{},
		{
			onOpen: (_, properties) => {
				properties.rewind();
				read(properties);
			},
		},
	);
	assert.deepEqual(found, ["firefly-queued\0\x012"]);
});
