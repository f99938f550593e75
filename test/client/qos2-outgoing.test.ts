import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Packet } from "mqtt-packet";
import { BUSY, type ClientOptions, REJECTED, subscription } from "../../src/client/client";
import { DUP, QOS1, QOS2 } from "../../src/mqtt/constants";
import { VirtualNetwork } from "../support/virtual-network";
import { RecordingClient, topic } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

const LATENCY_MS = 10;
const payload = Uint8Array.of(0x31);

function setUp(script: BrokerScript = {}, options: Partial<ClientOptions> = {}) {
	const network = new VirtualNetwork({ latency: LATENCY_MS });
	const broker = new ScriptedBroker(network, 1883, { version: options.version ?? 5, ...script });
	const node = new RecordingClient(options, network.device);
	node.now = () => network.clock.now;
	const publish = (flags: number, packetId?: number): number =>
		node.client.publish(topic, payload, 1, flags, undefined, packetId);
	const open = (): void => {
		node.open();
		network.clock.advance(1000);
	};
	return { network, clock: network.clock, broker, node, publish, open };
}

const sent = (broker: ScriptedBroker): string[] =>
	broker.packets.flatMap((packet) =>
		packet.cmd === "publish" || packet.cmd === "pubrel" ? [`${packet.cmd} ${packet.messageId}`] : [],
	);

for (const version of [4, 5] as const)
	describe(`QoS 2 to the broker, MQTT ${version === 4 ? "3.1.1" : "5.0"}`, () => {
		// [MQTT-4.3.3-1] [MQTT-4.3.3-2] [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-3.1.1:4.3.3-1]
		test("PUBLISH, PUBREC, PUBREL, PUBCOMP: acknowledged at PUBCOMP, received at PUBREC", () => {
			const { clock, broker, node, publish, open } = setUp({}, { version });
			open();
			assert.equal(publish(QOS2), 1);
			assert.equal(node.client.inFlight.count, 1);
			clock.advance(3 * LATENCY_MS);
			assert.deepEqual(node.received, [1]);
			assert.deepEqual(node.acknowledged, []);
			clock.advance(1000);
			assert.deepEqual(
				node.acknowledged.map(({ packetId, reasonCode }) => [packetId, reasonCode]),
				[[1, 0]],
			);
			assert.deepEqual(sent(broker), ["publish 1", "pubrel 1"]);
			assert.ok(broker.packets.every((packet) => packet.cmd !== "publish" || !packet.dup));
			assert.equal(node.client.inFlight.count, 0);
		});

		// [MQTT-4.6.0-4]
		test("PUBRELs leave in the order of the PUBRECs, whatever the order of the PUBLISHes", () => {
			const { clock, broker, publish, open } = setUp({ answer: ({ cmd }) => cmd === "publish" }, { version });
			open();
			for (const id of [1, 2, 3]) assert.equal(publish(QOS2), id);
			clock.advance(100);
			for (const messageId of [2, 3, 1])
				broker.connections[0].send({ cmd: "pubrec", messageId, reasonCode: 0 });
			clock.advance(100);
			assert.deepEqual(sent(broker).slice(3), ["pubrel 2", "pubrel 3", "pubrel 1"]);
		});

		test("before CONNACK it is BUSY, and onWritable follows CONNACK", () => {
			const { clock, node, publish } = setUp({}, { version });
			node.open();
			clock.advance(2 * LATENCY_MS + 1);
			assert.equal(node.client.state, "handshake");
			assert.equal(publish(QOS2), BUSY);
			assert.equal(publish(QOS1), 1, "QoS 1 may leave early");
			const before = node.writable.length;
			clock.advance(1000);
			assert.equal(node.writable.length, before + 1);
			assert.equal(publish(QOS2), 2);
			clock.advance(1000);
			node.close();
			clock.advance(1000);
			node.open();
			clock.advance(2 * LATENCY_MS + 1);
			assert.equal(publish(QOS2), BUSY, "the CONNACK of an earlier connection does not count");
		});

		test("close() waits for PUBCOMP, as nothing may follow DISCONNECT", () => {
			const { clock, broker, node, publish, open } = setUp({}, { version });
			open();
			publish(QOS2);
			node.close();
			clock.run(60_000);
			assert.deepEqual(broker.commands, ["connect", "publish", "pubrel", "disconnect"]);
			assert.equal(node.error, undefined);
			assert.equal(node.acknowledged.length, 1);
		});

		test("close() while PINGREQ and PUBLISH wait for their answers: both arrive, no error", () => {
			const { clock, broker, node, publish, open } = setUp(
				{ answer: ({ cmd }) => cmd === "pingreq" || cmd === "publish" },
				{ version, keepAlive: 4, pingTimeout: 500 },
			);
			open();
			clock.advance(2400);
			assert.equal(broker.commands.at(-1), "pingreq");
			publish(QOS2);
			node.close();
			broker.connections[0].send({ cmd: "pingresp" });
			clock.advance(1000);
			broker.connections[0].send({ cmd: "pubrec", messageId: 1, reasonCode: 0 });
			clock.run(60_000);
			assert.deepEqual(broker.commands.slice(2), ["publish", "pubrel", "disconnect"]);
			assert.equal(node.error, undefined);
			assert.equal(node.acknowledged.length, 1);
		});

		test("close(), and the connection is lost before PUBCOMP: an error, nothing counts as acknowledged", () => {
			const { clock, node, publish, open } = setUp(
				{
					answer: ({ cmd }, connection) => {
						if (cmd === "pubrel") connection.end();
						return cmd === "pubrel";
					},
				},
				{ version },
			);
			open();
			publish(QOS2);
			node.close();
			clock.run(60_000);
			assert.equal(node.error?.fault, "transport");
			assert.deepEqual(node.acknowledged, []);
		});

		// [MQTT-4.4.0-1] [MQTT-3.1.1:4.4.0-1] [MQTT-4.3.3-6]
		test("the next connection sends PUBLISH with DUP, or PUBREL, by how far the exchange had come", () => {
			const dropped = new Set(["publish"]);
			const { clock, broker, node, publish, open } = setUp(
				{ connack: { sessionPresent: true }, answer: ({ cmd }) => dropped.has(cmd) },
				{ version, cleanStart: false },
			);
			open();
			assert.equal(publish(QOS2, 7), 7);
			node.abort();
			clock.advance(1000);
			open();
			dropped.clear();
			dropped.add("pubrel");
			assert.equal(publish(QOS2 | DUP, 7), 7);
			clock.advance(1000);
			assert.deepEqual(node.received, [7]);
			node.abort();
			clock.advance(1000);
			open();
			dropped.clear();
			assert.equal(node.client.release(7), 7);
			assert.equal(node.client.release(7), BUSY, "in use");
			clock.advance(1000);
			assert.deepEqual(sent(broker), ["publish 7", "publish 7", "pubrel 7", "pubrel 7"]);
			assert.deepEqual(
				broker.packets.flatMap((packet: Packet) => (packet.cmd === "publish" ? [packet.dup] : [])),
				[false, true],
			);
			assert.deepEqual(
				node.acknowledged.map(({ packetId }) => packetId),
				[7],
			);
		});

		// [MQTT-4.9.0-2] [MQTT-3.3.4-7]
		test("a message counts against the send quota until PUBCOMP", () => {
			const { clock, broker, node, publish, open } = setUp(
				{
					connack: version === 5 ? { properties: { receiveMaximum: 2 } } : {},
					answer: ({ cmd }) => cmd === "pubrel",
				},
				{ version, inFlight: 2 },
			);
			open();
			publish(QOS2);
			publish(QOS2);
			clock.advance(1000);
			assert.deepEqual(node.received, [1, 2]);
			assert.equal(publish(QOS2), BUSY);
			broker.connections[0].send({ cmd: "pubcomp", messageId: 1, reasonCode: 0 });
			clock.advance(100);
			assert.equal(publish(QOS2), 3);
		});

		test("without PUBREC, or without PUBCOMP, the connection ends after acknowledgeTimeout", () => {
			for (const silent of ["publish", "pubrel"]) {
				const { clock, node, publish, open } = setUp({ answer: ({ cmd }) => cmd === silent }, { version });
				open();
				const start = clock.now;
				publish(QOS2);
				clock.run(60_000);
				assert.equal(node.error?.fault, "peer", silent);
				const extra = silent === "pubrel" ? 2 * LATENCY_MS : 0;
				assert.ok(node.closed[0].at - start >= 3000 + extra, `${node.closed[0].at - start} ms`);
			}
		});

		// [MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1]
		for (const [first, name] of [
			[0x40, "PUBACK"],
			[0x70, "PUBCOMP before PUBREC"],
		] as const)
			test(`${name} for a QoS 2 message closes the connection`, () => {
				const { clock, broker, node, publish, open } = setUp(
					{
						answer: ({ cmd }, connection) => {
							if (cmd === "publish") connection.sendBytes(first, 2, 0, 1);
							return cmd === "publish";
						},
					},
					{ version },
				);
				open();
				publish(QOS2);
				clock.run(60_000);
				assert.equal(node.error?.reasonCode, 0x82);
				assert.deepEqual(node.acknowledged, []);
				assert.deepEqual(broker.commands.slice(2), version === 5 ? ["disconnect"] : []);
				// Brokers of MQTT 3.1.1 without QoS 2 answer it so
				const lacksQoS2 = version === 4 && name === "PUBACK";
				assert.equal(node.client.negotiated.maximumQoS, lacksQoS2 ? 1 : 2);
			});
	});

test("PUBCOMP 0x92, since the broker had completed the exchange before: acknowledged, not refused", () => {
	const { clock, node, publish, open } = setUp({
		answer: (packet, connection) => {
			if (packet.cmd === "pubrel")
				connection.send({ cmd: "pubcomp", messageId: packet.messageId as number, reasonCode: 0x92 });
			return packet.cmd === "pubrel";
		},
	});
	open();
	publish(QOS2);
	clock.advance(1000);
	assert.deepEqual(
		node.acknowledged.map(({ packetId, reasonCode }) => [packetId, reasonCode]),
		[[1, 0]],
	);
});

// [MQTT-4.3.3-3]
test("PUBREC with an error ends the exchange without PUBREL", () => {
	const { clock, broker, node, publish, open } = setUp({
		answer: (packet, connection) => {
			if (packet.cmd === "publish")
				connection.send({ cmd: "pubrec", messageId: packet.messageId as number, reasonCode: 0x97 });
			return packet.cmd === "publish";
		},
	});
	open();
	publish(QOS2);
	clock.advance(1000);
	assert.deepEqual(
		node.acknowledged.map(({ packetId, reasonCode }) => [packetId, reasonCode]),
		[[1, 0x97]],
	);
	assert.deepEqual(node.received, []);
	assert.deepEqual(sent(broker), ["publish 1"]);
});

test("a broker with Maximum QoS 1 gets no QoS 2", () => {
	const { node, publish, open } = setUp({ connack: { properties: { maximumQoS: 1 } } });
	open();
	assert.ok(publish(QOS2) < 0);
	assert.equal(node.client.inFlight.count, 0);
});

describe("a broker of MQTT 3.1.1 without QoS 2, which answers it with PUBACK", () => {
	const script: BrokerScript = {
		answer: (packet, connection) => {
			if (packet.cmd !== "publish" || packet.qos !== 2) return false;
			connection.send({ cmd: "puback", messageId: packet.messageId! });
			return true;
		},
	};

	test("the connection ends with an error that says so, and later ones take no QoS 2", () => {
		const { clock, broker, node, publish, open } = setUp(script, { version: 4 });
		open();
		publish(QOS2);
		clock.advance(1000);
		assert.equal(node.error?.message, "the broker answers QoS 2 with PUBACK: it has only QoS 1");
		assert.deepEqual(node.acknowledged, []);
		for (let i = 0; i < 2; i++) {
			open();
			assert.equal(node.client.negotiated.maximumQoS, 1);
			assert.equal(publish(QOS2), REJECTED);
			node.client.close();
			clock.advance(1000);
		}
		assert.deepEqual(sent(broker), ["publish 1"]);
	});

	test("PUBACK after PUBREC, or for a SUBSCRIBE, is no sign of that", () => {
		for (const kind of ["publish", "subscribe"] as const) {
			const { clock, node, publish, open } = setUp(
				{
					answer: (packet, connection) => {
						if (packet.cmd !== kind) return false;
						const { messageId } = packet as { messageId: number };
						if (kind === "publish") connection.send({ cmd: "pubrec", messageId });
						connection.send({ cmd: "puback", messageId });
						return true;
					},
				},
				{ version: 4 },
			);
			open();
			if (kind === "publish") publish(QOS2);
			else node.client.subscribe([subscription("t", { qos: 1 })]);
			clock.advance(1000);
			assert.equal(node.error?.message, "an acknowledgement of the wrong type");
			assert.equal(node.client.negotiated.maximumQoS, 2);
		}
	});
});
