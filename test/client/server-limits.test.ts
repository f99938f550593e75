import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BUSY, REJECTED } from "../../src/client/client";
import { publishSize } from "../../src/client/limits";
import { QOS1, RETAIN } from "../../src/mqtt/constants";
import { Encoder } from "../../src/mqtt/encoder";
import { PropertyWriter } from "../../src/mqtt/property-writer";
import { VirtualNetwork } from "../support/virtual-network";
import { RecordingClient } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

const LATENCY_MS = 40;

function setUp(script: BrokerScript = {}) {
	const network = new VirtualNetwork({ latency: LATENCY_MS });
	return { network, clock: network.clock, broker: new ScriptedBroker(network, 1883, script) };
}

describe("limits of CONNACK", () => {
	// [MQTT-3.3.4-7] [MQTT-4.9.0-1] [MQTT-4.9.0-2]
	test("receive maximum 1: one message at a time, onWritable after each PUBACK", () => {
		const { network, clock, broker } = setUp({ connack: { properties: { receiveMaximum: 1 } } });
		let sent = 0;
		let highest = 0;
		const node: RecordingClient = new RecordingClient({ pipeline: false }, network.device, {
			onWritable: () => {
				while (sent < 5 && node.publish(`${sent}`, QOS1) > 0) sent++;
				highest = Math.max(highest, node.client.inFlight.count);
				assert.equal(node.publish("more", QOS1), BUSY);
			},
		});
		node.now = () => clock.now;
		node.open();
		clock.advance(4 * LATENCY_MS + 5 * 2 * LATENCY_MS);
		assert.equal(highest, 1);
		assert.deepEqual(
			node.acknowledged.map(({ at }) => at),
			[6, 8, 10, 12, 14].map((n) => n * LATENCY_MS),
		);
		assert.equal(broker.commands.filter((command) => command === "publish").length, 5);
	});

	// [MQTT-4.9.0-2]
	test("QoS 0 is not subject to receive maximum", () => {
		const { network, clock } = setUp({ connack: { properties: { receiveMaximum: 1 } } });
		const node = new RecordingClient({ pipeline: false }, network.device);
		node.open();
		clock.advance(1000);
		assert.equal(node.publish("1", QOS1), 1);
		assert.equal(node.publish("2", QOS1), BUSY);
		assert.equal(node.publish("3", 0), 0);
	});

	test("the option inFlight bounds MQTT 3.1.1 too", () => {
		const { network, clock } = setUp({ version: 4, answer: (packet) => packet.cmd === "publish" });
		const node = new RecordingClient({ version: 4, inFlight: 2 }, network.device);
		node.open();
		clock.advance(1000);
		assert.deepEqual(
			[node.publish("1", QOS1), node.publish("2", QOS1), node.publish("3", QOS1)],
			[1, 2, BUSY],
		);
	});

	// [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-15]
	test("maximum packet size, maximum QoS, and retain available are respected", () => {
		const { network, clock, broker } = setUp({
			connack: { properties: { maximumPacketSize: 60, maximumQoS: 0, retainAvailable: false } },
		});
		const node = new RecordingClient({}, network.device);
		node.open();
		clock.advance(1000);
		assert.equal(node.publish("1", QOS1), REJECTED);
		// Fixed header 2, topic 2 + 27, properties 1
		assert.equal(node.publish("x".repeat(28), RETAIN), 0);
		assert.equal(node.publish("x".repeat(29), RETAIN), REJECTED);
		clock.advance(1000);
		const last = broker.packets.at(-1);
		assert.equal(last?.cmd === "publish" && last.retain, false);
		const { maximumPacketSize, maximumQoS, retainAvailable } = node.client.negotiated;
		assert.deepEqual([maximumPacketSize, maximumQoS, retainAvailable], [60, 0, false]);
	});

	test("the first flight of the next connection respects them", () => {
		const { network, clock, broker } = setUp({
			connack: { properties: { receiveMaximum: 2, retainAvailable: false } },
		});
		const results: number[] = [];
		const node: RecordingClient = new RecordingClient({}, network.device, {
			onWritable: () => {
				for (let i = 0; i < 3; i++) results.push(node.publish("1", QOS1 | RETAIN));
			},
		});
		node.open();
		clock.advance(2 * LATENCY_MS);
		assert.deepEqual(results, [1, 2, 3], "nothing is known yet");
		clock.advance(1000);
		results.length = 0;
		node.close();
		assert.ok(clock.run(10_000));
		node.open();
		clock.advance(2 * LATENCY_MS);
		assert.deepEqual(results, [4, 5, BUSY]);
		clock.advance(1000);
		const last = broker.packets.at(-1);
		assert.equal(last?.cmd === "publish" && last.retain, false);
	});

	test("open() accepts limits that were stored during sleep", () => {
		const { network, clock } = setUp();
		const results: number[] = [];
		const node: RecordingClient = new RecordingClient({}, network.device, {
			onWritable: () => {
				if (results.length === 0)
					results.push(node.publish("x".repeat(100), QOS1), node.publish("1", QOS1), node.publish("2", QOS1));
			},
		});
		node.open({ limits: { receiveMaximum: 1, maximumPacketSize: 100 } });
		clock.advance(2 * LATENCY_MS);
		assert.deepEqual(results, [BUSY, 1, BUSY]);
		clock.advance(1000);
		assert.equal(node.client.negotiated.receiveMaximum, 65_535, "this CONNACK says nothing of it");
		assert.equal(node.writable.length, 2, "and the one who was BUSY is asked again");
	});

	test("a stored limit that is outdated only delays", () => {
		const { network, clock, broker } = setUp();
		const node: RecordingClient = new RecordingClient({}, network.device, {
			onWritable: () => void node.publish("1", QOS1),
		});
		node.open({ limits: { maximumQoS: 0, maximumPacketSize: 10 } });
		clock.advance(1000);
		assert.equal(node.acknowledged.length, 1);
		assert.deepEqual(broker.times, [3 * LATENCY_MS, 5 * LATENCY_MS]);
	});

	test("topic aliases are unknown before CONNACK, and after the next open()", () => {
		const { network, clock } = setUp({ connack: { properties: { topicAliasMaximum: 10 } } });
		const node = new RecordingClient({}, network.device);
		node.open();
		clock.advance(2 * LATENCY_MS);
		assert.equal(node.client.negotiated.topicAliasMaximum, 0);
		clock.advance(2 * LATENCY_MS);
		assert.equal(node.client.negotiated.topicAliasMaximum, 10);
		node.close();
		clock.run(1000);
		node.open();
		assert.equal(node.client.negotiated.topicAliasMaximum, 0);
	});

	test("assigned client identifier and session expiry are reported", () => {
		const { network, clock } = setUp({
			connack: { properties: { assignedClientIdentifier: "auto-ä", sessionExpiryInterval: 77 } },
		});
		const node = new RecordingClient({ clientId: "" }, network.device);
		node.open();
		clock.advance(1000);
		assert.equal(Buffer.from(node.client.negotiated.assignedClientId ?? []).toString(), "auto-ä");
		assert.equal(node.client.negotiated.sessionExpirySeconds, 77);
	});
});

describe("CONNECT", () => {
	test("CONNECT carries everything that is configured", () => {
		const { network, clock, broker } = setUp();
		const node = new RecordingClient(
			{
				username: "ü",
				password: "secret",
				cleanStart: false,
				sessionExpiry: 3600,
				keepAlive: 33,
				receiveMaximum: 5,
				maximumPacketSize: 2000,
				requestResponseInformation: true,
				requestProblemInformation: false,
				userProperties: [
					["firefly-time", ""],
					["a", "ß"],
				],
				authenticationMethod: "plain",
				authenticationData: Uint8Array.of(1, 2),
				will: {
					topic: "home/greenhouse/status",
					payload: "lost",
					qos: 1,
					retain: true,
					delay: 30,
					payloadFormatIndicator: true,
					messageExpiry: 60,
					contentType: "text/plain",
					responseTopic: "r",
					correlationData: Uint8Array.of(9),
					userProperties: [["w", "1"]],
				},
			},
			network.device,
		);
		node.open();
		clock.advance(1000);
		const [connect] = broker.packets;
		assert.ok(connect.cmd === "connect");
		assert.equal(connect.clientId, "firefly-1");
		assert.equal(connect.clean, false);
		assert.equal(connect.keepalive, 33);
		assert.equal(connect.username, "ü");
		assert.equal(connect.password?.toString(), "secret");
		assert.deepEqual(JSON.parse(JSON.stringify(connect.properties)), {
			sessionExpiryInterval: 3600,
			receiveMaximum: 5,
			maximumPacketSize: 2000,
			requestResponseInformation: true,
			requestProblemInformation: false,
			userProperties: { "firefly-time": "", a: "ß" },
			authenticationMethod: "plain",
			authenticationData: { type: "Buffer", data: [1, 2] },
		});
		const { will } = connect;
		assert.equal(will?.topic, "home/greenhouse/status");
		assert.equal(will?.payload.toString(), "lost");
		assert.equal(will?.qos, 1);
		assert.equal(will?.retain, true);
		assert.deepEqual(JSON.parse(JSON.stringify(will?.properties)), {
			willDelayInterval: 30,
			payloadFormatIndicator: true,
			messageExpiryInterval: 60,
			contentType: "text/plain",
			responseTopic: "r",
			correlationData: { type: "Buffer", data: [9] },
			userProperties: { w: "1" },
		});
	});

	test("[MQTT-3.1.2-30] with an authentication method nothing is sent before CONNACK", () => {
		const { network, clock, broker } = setUp({});
		const node = new RecordingClient(
			{ authenticationMethod: "plain", authenticationData: Uint8Array.of(1) },
			network.device,
		);
		node.open({ pipeline: true });
		let early = 0;
		for (let i = 0; i < 3 * LATENCY_MS; i++) {
			clock.advance(1);
			if (node.client.state === "handshake") early = node.publish("t", QOS1);
		}
		assert.equal(early, BUSY);
		assert.deepEqual(broker.commands, ["connect"]);
		node.client.abort();
	});

	test("MQTT 3.1.1 omits the properties", () => {
		const { network, clock, broker } = setUp({ version: 4 });
		const will = { topic: "s", payload: "lost", qos: 0, retain: false, delay: 30 } as const;
		const node = new RecordingClient(
			{ version: 4, sessionExpiry: 10, userProperties: [["a", "b"]], username: "u", password: "p", will },
			network.device,
		);
		node.open();
		clock.advance(1000);
		assert.equal(node.client.state, "open");
		const [connect] = broker.packets;
		assert.ok(connect.cmd === "connect");
		assert.equal(connect.protocolVersion, 4);
		assert.equal(connect.properties, undefined);
		assert.equal(connect.will?.topic, "s");
	});

	test("text that MQTT does not allow throws in the constructor", () => {
		const { network } = setUp();
		assert.throws(() => new RecordingClient({ clientId: "a\0b" }, network.device), RangeError);
		assert.throws(() => new RecordingClient({ username: "\ud800" }, network.device), RangeError);
		assert.throws(() => new RecordingClient({ receiveMaximum: 0 }, network.device));
	});
});

test("publishSize equals the bytes that the encoder stages", () => {
	const properties = new PropertyWriter(200).contentType(new Uint8Array(150).fill(97));
	for (const version of [4, 5] as const)
		for (const length of [0, 1, 90, 91, 92, 93, 94, 95, 96, 97, 127, 128, 300, 16_340, 16_350, 16_383])
			for (const qos of [0, 1]) {
				const encoder = new Encoder({ size: 20_000, version });
				const topic = new Uint8Array(28).fill(97);
				const payload = new Uint8Array(length);
				assert.equal(
					encoder.publish(topic, payload, length, qos << 1, 1),
					publishSize(version, 28, length, qos, 0),
				);
				encoder.reset();
				if (version === 5)
					assert.equal(
						encoder.publish(topic, payload, length, qos << 1, 1, properties),
						publishSize(5, 28, length, qos, properties.length),
					);
			}
});
