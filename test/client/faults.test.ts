import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { QOS1 } from "../../src/mqtt/constants";
import { VirtualNetwork } from "../support/virtual-network";
import { LATENCY_MS, publishOnce } from "./publish-once";
import { RecordingClient } from "./recording-client";
import { ScriptedBroker } from "./scripted-broker";

describe("after CONNACK", () => {
	test("PUBACK never arrives: timeout", () => {
		const { node, finished } = publishOnce({ answer: (packet) => packet.cmd === "publish" });
		assert.ok(finished);
		assert.equal(node.error?.fault, "peer");
		assert.equal(node.error?.message, "no PUBACK within 3000 ms");
		assert.equal(node.closed[0].at, 4 * LATENCY_MS + 3000, "counted from CONNACK");
		assert.equal(node.client.inFlight.count, 1, "until the next open()");
	});

	test("PUBACK never arrives for one of many messages: timeout", () => {
		const network = new VirtualNetwork({ latency: LATENCY_MS });
		new ScriptedBroker(network, 1883, {
			answer: (packet) => packet.cmd === "publish" && packet.messageId === 5,
		});
		const node = new RecordingClient({}, network.device);
		node.now = () => network.clock.now;
		node.open();
		network.clock.advance(1000);
		for (let i = 0; i < 12; i++) {
			if (node.client.state === "open") node.publish("1", QOS1);
			network.clock.advance(500);
		}
		assert.equal(node.error?.fault, "peer");
		assert.equal(node.closed[0].at, 1000 + 4 * 500 + 3000);
	});

	test("the broker closes without DISCONNECT: a transport fault", () => {
		const { node, finished } = publishOnce({
			answer: (packet, connection) => {
				if (packet.cmd === "publish") connection.end();
				return packet.cmd === "publish";
			},
		});
		assert.ok(finished);
		assert.equal(node.error?.fault, "transport");
		assert.equal(node.error?.pipelineRefused, false);
	});

	// [MQTT-4.13.2-1]
	for (const [reasonCode, fault] of [
		[0x00, "transport"],
		[0x81, "peer"],
		[0x8b, "resource"],
		[0x8d, "peer"],
		[0x8e, "configuration"],
		[0x93, "resource"],
		[0x97, "resource"],
		[0x98, "resource"],
		[0x9c, "configuration"],
	] as const)
		test(`DISCONNECT 0x${reasonCode.toString(16)}: ${fault}`, () => {
			const { node, finished, broker } = publishOnce({
				answer: (packet, connection) => {
					if (packet.cmd !== "publish") return false;
					connection.send({ cmd: "disconnect", reasonCode, properties: { reasonString: "so it is" } });
					connection.end();
					return true;
				},
			});
			assert.ok(finished);
			assert.equal(node.error?.fault, fault);
			assert.equal(node.error?.reasonCode, reasonCode);
			assert.match(node.error?.message ?? "", /so it is/);
			assert.ok(!broker.commands.includes("disconnect"));
		});

	// [MQTT-4.13.2-1]
	for (const [name, bytes, reasonCode] of [
		["CONNACK again", [0x20, 3, 0, 0, 0], 0x82],
		["SUBACK", [0x90, 4, 0, 1, 0, 0], 0x82],
		["UNSUBACK", [0xb0, 4, 0, 1, 0, 0], 0x82],
		["PUBREC", [0x50, 2, 0, 1], 0x82],
		["PUBCOMP", [0x70, 2, 0, 1], 0x82],
		["PINGRESP", [0xd0, 0], 0x82],
		["AUTH", [0xf0, 2, 0x18, 0], 0x82],
		["a topic alias", [0x30, 8, 0, 1, 0x61, 3, 0x23, 0, 1, 0x78], 0x94],
		["QoS 3", [0x36, 6, 0, 1, 0x61, 0, 1, 0], 0x81],
		["an overlong length", [0x30, 0xff, 0xff, 0xff, 0xff, 1], 0x81],
	] as const)
		test(`unexpected ${name}: DISCONNECT with the reason code`, () => {
			const { node, finished, broker } = publishOnce({
				answer: (packet, connection) => {
					if (packet.cmd !== "publish") return false;
					connection.sendBytes(...bytes);
					return true;
				},
			});
			assert.ok(finished);
			assert.equal(node.error?.fault, "peer");
			assert.equal(node.error?.reasonCode, reasonCode);
			const last = broker.packets.at(-1);
			assert.equal(last?.cmd, "disconnect");
			assert.equal(last?.cmd === "disconnect" && last.reasonCode, reasonCode);
			assert.equal(broker.endCount + broker.connections.filter(({ peer }) => peer.ended).length > 0, true);
		});

	// [MQTT-3.1.1:4.8.0-1]
	test("MQTT 3.1.1: a protocol error ends without DISCONNECT, so the will is published", () => {
		const { node, broker, finished } = publishOnce(
			{
				answer: (packet, connection) => {
					if (packet.cmd !== "publish") return false;
					connection.sendBytes(0x90, 3, 0, 1, 0);
					return true;
				},
			},
			{ version: 4 },
		);
		assert.ok(finished);
		assert.equal(node.error?.fault, "peer");
		assert.deepEqual(broker.commands, ["connect", "publish"]);
	});

	// Awaited: of the PUBLISH in flight
	for (const version of [4, 5] as const)
		for (const [state, packetId] of [
			["awaited", 1],
			["not in flight", 77],
		] as const)
			for (const [name, first, answer] of [
				["PUBACK", 0x40, undefined],
				["PUBREC", 0x50, "pubrel"],
				["PUBCOMP", 0x70, undefined],
				["PUBREL", 0x62, "pubcomp"],
			] as const) {
				const wrongType = state === "awaited" && (name === "PUBREC" || name === "PUBCOMP");
				const outcome = wrongType ? "closes" : "accepted";
				test(`[MQTT-4.13.1-1] MQTT ${version === 4 ? "3.1.1" : "5.0"}, ${name}, identifier ${state}: ${outcome}`, () => {
					const { node, broker } = publishOnce(
						{
							answer: (packet, connection) => {
								if (packet.cmd !== "publish") return false;
								connection.sendBytes(first, 2, 0, packetId);
								if (outcome === "accepted" && !(name === "PUBACK" && packetId === 1))
									connection.sendBytes(0x40, 2, 0, 1);
								return true;
							},
						},
						{ version },
					);
					const commands = broker.commands.slice(2).filter((command) => command !== "pingreq");
					if (outcome === "accepted") {
						assert.deepEqual(
							node.acknowledged.map(({ packetId: id }) => id),
							[1],
						);
						assert.equal(node.client.state, "open");
						assert.deepEqual(commands, answer === undefined ? [] : [answer]);
					} else {
						assert.equal(node.acknowledged.length, 0, "nothing counts as delivered");
						assert.equal(node.error?.reasonCode, 0x82);
						// The DISCONNECT of MQTT 3.1.1 would suppress the will.
						assert.deepEqual(commands, version === 5 ? ["disconnect"] : []);
					}
				});
			}

	test("AUTH for a configured method, and no onAuth: rejected with 0x8c", () => {
		for (const early of [true, false]) {
			const { node, broker } = publishOnce(
				{
					answer: (packet, connection) => {
						if (packet.cmd !== (early ? "connect" : "publish")) return false;
						connection.send({ cmd: "auth", reasonCode: 0x18, properties: { authenticationMethod: "SCRAM" } });
						return true;
					},
				},
				{ authenticationMethod: "SCRAM", authenticationData: Uint8Array.of(1, 2, 3) },
			);
			assert.equal(node.error?.fault, "configuration");
			assert.equal(broker.commands.includes("disconnect"), !early);
		}
	});

	test("a PUBACK for an unknown identifier is of an earlier connection and ignored", () => {
		const network = new VirtualNetwork();
		const broker = new ScriptedBroker(network, 1883);
		const node = new RecordingClient({}, network.device);
		node.open();
		network.clock.advance(1000);
		broker.connections[0].sendBytes(0x40, 2, 0, 77);
		network.clock.advance(1000);
		assert.equal(node.client.state, "open");
		assert.equal(node.acknowledged.length, 0);
	});
});
