import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClientHandler, ClientOptions } from "../../src/client/client";
import { QOS1 } from "../../src/mqtt/constants";
import { VirtualNetwork, type VirtualNetworkOptions } from "../support/virtual-network";
import { RecordingClient } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

const LATENCY_MS = 40;

function openConnection(
	script: BrokerScript = {},
	options: Partial<ClientOptions> = {},
	network: VirtualNetworkOptions = {},
	hooks: Partial<ClientHandler> = {},
) {
	const virtualNetwork = new VirtualNetwork({ latency: LATENCY_MS, ...network });
	const broker = new ScriptedBroker(virtualNetwork, 1883, { version: options.version ?? 5, ...script });
	const node = new RecordingClient(options, virtualNetwork.device, hooks);
	node.open();
	virtualNetwork.clock.advance(1000);
	return { network: virtualNetwork, clock: virtualNetwork.clock, broker, node };
}

const message = { cmd: "publish", topic: "set", dup: false, retain: false } as const;

for (const version of [4, 5] as const)
	describe(`messages from the broker, MQTT ${version === 4 ? "3.1.1" : "5.0"}`, () => {
		// [MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-4.5.0-2] [MQTT-4.6.0-2] [MQTT-3.1.1:4.3.2-2]
		test("QoS 0 is delivered, QoS 1 also acknowledged, in order", () => {
			const { clock, broker, node } = openConnection({}, { version });
			const [connection] = broker.connections;
			connection.send({ ...message, payload: "0", qos: 0 });
			connection.send({ ...message, payload: "1", qos: 1, messageId: 7 });
			connection.send({ ...message, payload: "", qos: 1, messageId: 8 });
			clock.advance(1000);
			assert.deepEqual(node.messages, [
				{ topic: "set", payload: "0", pieces: 1, qos: 0 },
				{ topic: "set", payload: "1", pieces: 1, qos: 1 },
				{ topic: "set", payload: "", pieces: 1, qos: 1 },
			]);
			assert.deepEqual(
				broker.packets.slice(1).map(({ cmd, messageId }) => [cmd, messageId]),
				[
					["puback", 7],
					["puback", 8],
				],
			);
		});

		// [MQTT-4.3.3-8] [MQTT-4.3.3-10] [MQTT-4.3.3-11] [MQTT-4.3.3-12] [MQTT-4.6.0-3] [MQTT-3.1.1:4.3.3-2]
		test("QoS 2 is delivered once, however often it is repeated before PUBREL", () => {
			const { clock, broker, node } = openConnection({}, { version });
			const [connection] = broker.connections;
			connection.send({ ...message, payload: "a", qos: 2, messageId: 7 });
			connection.send({ ...message, payload: "a", qos: 2, messageId: 7, dup: true });
			connection.send({ cmd: "pubrel", messageId: 7, reasonCode: 0 });
			connection.send({ ...message, payload: "b", qos: 2, messageId: 7 });
			connection.send({ cmd: "pubrel", messageId: 7, reasonCode: 0 });
			connection.send({ cmd: "pubrel", messageId: 9, reasonCode: 0 });
			clock.advance(1000);
			assert.deepEqual(
				node.messages.map(({ payload }) => payload),
				["a", "b"],
			);
			const answers = broker.packets.slice(1);
			assert.deepEqual(
				answers.map(({ cmd, messageId }) => [cmd, messageId]),
				[
					["pubrec", 7],
					["pubrec", 7],
					["pubcomp", 7],
					["pubrec", 7],
					["pubcomp", 7],
					["pubcomp", 9],
				],
			);
			const last = answers.at(-1);
			if (version === 5) assert.equal(last?.cmd === "pubcomp" && last.reasonCode, 0x92);
		});

		test("a payload larger than the buffer is delivered in pieces and acknowledged at its end", () => {
			const { clock, broker, node } = openConnection({}, { version, receiveBuffer: 128 });
			const payload = "0123456789".repeat(200);
			broker.connections[0].send({ ...message, payload, qos: 1, messageId: 1 });
			clock.advance(1000);
			assert.equal(node.messages[0].payload, payload);
			assert.ok(node.messages[0].pieces > 1);
			assert.deepEqual(broker.commands, ["connect", "puback"]);
		});

		test("the stream may be split anywhere, even after every byte", () => {
			const { clock, broker, node } = openConnection({}, { version });
			const [connection] = broker.connections;
			const bytes =
				version === 5 ? [0x32, 9, 0, 1, 0x61, 0, 5, 0, 1, 2, 3] : [0x32, 8, 0, 1, 0x61, 0, 5, 1, 2, 3];
			for (const byte of bytes) connection.sendBytes(byte);
			clock.advance(1000);
			for (let at = 1; at < bytes.length; at++) {
				connection.sendBytes(...bytes.slice(0, at));
				clock.advance(1000);
				connection.sendBytes(...bytes.slice(at));
				clock.advance(1000);
			}
			assert.equal(node.messages.length, bytes.length);
			assert.ok(node.messages.every(({ payload }) => payload === "\x01\x02\x03"));
			assert.equal(broker.commands.filter((command) => command === "puback").length, bytes.length);
		});

		// [MQTT-3.14.4-1] [MQTT-3.1.1:3.14.4-2]
		test("close() while a message is delivered: it is acknowledged, DISCONNECT follows, then nothing", () => {
			const { clock, broker, node } = openConnection(
				{ answer: (packet) => packet.cmd === "disconnect" },
				{ version },
				{},
				{ onMessage: () => node.client.close() },
			);
			const [connection] = broker.connections;
			connection.send({ ...message, payload: "1", qos: 1, messageId: 7 });
			clock.advance(2 * LATENCY_MS);
			connection.send({ ...message, payload: "2", qos: 1, messageId: 8 });
			connection.send({ ...message, payload: "3", qos: 2, messageId: 9 });
			connection.send({ cmd: "pubrel", messageId: 9, reasonCode: 0 });
			assert.ok(clock.run(10_000));
			assert.deepEqual(broker.commands, ["connect", "puback", "disconnect"]);
			assert.equal(node.messages.length, 1);
			assert.equal(node.error, undefined);
		});

		test("abort() while a message is delivered: it is not acknowledged", () => {
			const { clock, broker, node } = openConnection(
				{},
				{ version },
				{},
				{ onMessage: () => node.client.abort() },
			);
			broker.connections[0].send({ ...message, payload: "1", qos: 1, messageId: 7 });
			assert.ok(clock.run(10_000));
			assert.deepEqual(broker.commands, ["connect"]);
			assert.equal(node.messages.length, 0);
			assert.equal(node.error, undefined);
		});

		test("acknowledgements that arrive after close() are reported", () => {
			const { clock, node } = openConnection({}, { version });
			node.publish("1", QOS1);
			node.close();
			assert.ok(clock.run(10_000));
			assert.equal(node.acknowledged.length, 1);
			assert.equal(node.error, undefined);
		});
	});

describe("limits for incoming messages", () => {
	for (const [version, fault] of [
		[4, "resource"],
		[5, "peer"],
	] as const)
		test(`more QoS 2 messages than the receive maximum, MQTT ${version}: ${fault}`, () => {
			const { clock, broker, node } = openConnection({}, { version, receiveMaximum: 3 });
			for (let id = 1; id <= 4; id++)
				broker.connections[0].send({ ...message, payload: "1", qos: 2, messageId: id });
			assert.ok(clock.run(10_000));
			assert.equal(node.messages.length, 3);
			assert.equal(node.error?.fault, fault);
			assert.equal(node.error?.reasonCode, 0x93);
		});

	test("a packet above the announced maximum size is rejected with 0x95", () => {
		const { clock, broker, node } = openConnection({}, { maximumPacketSize: 64 });
		broker.connections[0].send({ ...message, payload: "x".repeat(100), qos: 0 });
		assert.ok(clock.run(10_000));
		assert.equal(node.error?.reasonCode, 0x95);
	});

	test("a broker that does not read is not read from; every message is acknowledged in the end", () => {
		const { clock, broker, node } = openConnection({}, { sendBuffer: 64, keepAlive: 0 }, { capacity: 64 });
		const [connection] = broker.connections;
		for (let id = 1; id <= 200; id++)
			connection.send({ ...message, topic: "a", payload: "", qos: 1, messageId: id });
		clock.advance(60_000);
		assert.equal(node.messages.length, 200);
		assert.deepEqual(
			broker.packets.slice(1).map(({ messageId }) => messageId),
			Array.from({ length: 200 }, (_, index) => index + 1),
		);
		assert.equal(node.client.state, "open");
	});

	test("a burst of PUBRELs with unknown identifiers: every one is answered", () => {
		const { clock, broker, node } = openConnection({}, { sendBuffer: 64, keepAlive: 0 }, { capacity: 64 });
		const burst: number[] = [];
		for (let id = 1; id <= 200; id++) burst.push(0x62, 2, 0, id);
		broker.connections[0].sendBytes(...burst);
		clock.advance(60_000);
		assert.equal(node.client.state, "open");
		assert.equal(broker.commands.filter((command) => command === "pubcomp").length, 200);
	});

	test("publishing while messages arrive leaves room for acknowledgements", () => {
		const { clock, broker, node } = openConnection(
			{},
			{ sendBuffer: 100, keepAlive: 0, inFlight: 100 },
			{ capacity: 100 },
			{ onMessage: () => void node.publish("x".repeat(20), QOS1) },
		);
		for (let id = 1; id <= 100; id++)
			broker.connections[0].send({ ...message, topic: "a", payload: "", qos: 1, messageId: id });
		clock.advance(60_000);
		assert.equal(node.client.state, "open");
		assert.equal(broker.commands.filter((command) => command === "puback").length, 100);
		assert.equal(broker.commands.filter((command) => command === "publish").length, node.acknowledged.length);
	});
});

describe("a socket with less room than the send buffer", () => {
	for (const capacity of [1, 7, 64, 127, 128, 129, 200])
		test(`${capacity} bytes: everything is sent in slices, in order`, () => {
			const network = new VirtualNetwork({ latency: 5, capacity });
			const broker = new ScriptedBroker(network, 1883);
			let sent = 0;
			const node: RecordingClient = new RecordingClient(
				{ keepAlive: 0, acknowledgeTimeout: 60_000, connectTimeout: 60_000 },
				network.device,
				{
					onWritable: () => {
						while (sent < 20 && node.publish(`${sent}`.padEnd(50, "."), QOS1) > 0) sent++;
					},
					onAcknowledged: () => {
						if (node.acknowledged.length === 20) node.client.close();
					},
				},
			);
			node.open();
			assert.ok(network.clock.run(3_600_000));
			assert.equal(node.error, undefined);
			assert.deepEqual(
				broker.packets
					.filter(({ cmd }) => cmd === "publish")
					.map((packet) => packet.cmd === "publish" && Number.parseInt(packet.payload.toString(), 10)),
				Array.from({ length: 20 }, (_, index) => index),
			);
			assert.ok(network.log.every(({ from, bytes }) => from === "server" || bytes.length <= capacity));
		});
});
