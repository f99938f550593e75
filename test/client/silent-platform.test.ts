import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { QOS1 } from "../../src/mqtt/constants";
import { VirtualNetwork } from "../support/virtual-network";
import { LATENCY_MS, publishOnce } from "./publish-once";
import { RecordingClient } from "./recording-client";
import { ScriptedBroker } from "./scripted-broker";

describe("a platform that omits callbacks", () => {
	test("no onError: the PUBACK timeout ends the connection", () => {
		const { node, finished } = publishOnce(
			{
				answer: (packet, connection) => {
					if (packet.cmd === "publish") connection.end();
					return packet.cmd === "publish";
				},
			},
			{},
			{ suppressErrors: true },
		);
		assert.ok(finished);
		assert.equal(node.error?.fault, "peer");
	});

	for (const afterEnd of ["undefined", "throws"] as const)
		test(`a write on a dead connection (${afterEnd}) without onError ends with an error`, () => {
			const network = new VirtualNetwork({
				latency: LATENCY_MS,
				suppressErrors: true,
				writeAfterEnd: afterEnd,
			});
			const broker = new ScriptedBroker(network, 1883);
			const node = new RecordingClient({}, network.device);
			node.now = () => network.clock.now;
			node.open();
			network.clock.advance(1000);
			broker.connections[0].end();
			network.clock.advance(1000);
			assert.equal(node.publish("1", QOS1), 1);
			assert.equal(node.closed.length, 0);
			assert.ok(network.clock.run(60_000));
			assert.equal(node.error?.fault, "transport");
			assert.equal(node.closed[0].at, 2000 + 250);
			assert.equal(node.nestedCallbacks, 0);
		});

	test("close() on a dead connection ends with an error", () => {
		const network = new VirtualNetwork({ latency: LATENCY_MS, suppressErrors: true });
		const broker = new ScriptedBroker(network, 1883);
		const node = new RecordingClient({}, network.device);
		node.open();
		network.clock.advance(1000);
		broker.connections[0].end();
		network.clock.advance(1000);
		node.close();
		assert.ok(network.clock.run(60_000));
		assert.equal(node.error?.fault, "transport");
	});

	test("no second onWritable: close() ends by the broker's close or by a timeout", () => {
		for (const brokerCloses of [true, false]) {
			const network = new VirtualNetwork({ latency: LATENCY_MS, suppressWritable: true });
			new ScriptedBroker(network, 1883, { answer: (packet) => packet.cmd === "disconnect" && !brokerCloses });
			const node = new RecordingClient({}, network.device, {
				onWritable: () => node.publish("1", QOS1),
				onAcknowledged: () => node.client.close(),
			});
			node.now = () => network.clock.now;
			node.open();
			assert.ok(network.clock.run(60_000));
			assert.equal(node.error?.fault, brokerCloses ? undefined : "transport");
			assert.equal(node.closed[0].at, brokerCloses ? 6 * LATENCY_MS : 4 * LATENCY_MS + 3000);
		}
	});
});
