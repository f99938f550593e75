import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClientFault } from "../../src/fault";
import { VirtualNetwork } from "../support/virtual-network";
import { publishOnce } from "./publish-once";
import { RecordingClient } from "./recording-client";
import { ScriptedBroker } from "./scripted-broker";

describe("CONNACK with an error", () => {
	const v5Errors: [number, ClientFault][] = [
		[0x80, "peer"],
		[0x81, "peer"],
		[0x82, "peer"],
		[0x83, "peer"],
		[0x84, "configuration"],
		[0x85, "configuration"],
		[0x86, "configuration"],
		[0x87, "configuration"],
		[0x88, "resource"],
		[0x89, "resource"],
		[0x8a, "configuration"],
		[0x8c, "configuration"],
		[0x90, "configuration"],
		[0x95, "resource"],
		[0x97, "resource"],
		[0x99, "configuration"],
		[0x9a, "configuration"],
		[0x9b, "configuration"],
		[0x9c, "configuration"],
		[0x9d, "configuration"],
		[0x9f, "resource"],
	];
	// [MQTT-4.13.2-1]
	for (const [reasonCode, fault] of v5Errors)
		test(`MQTT 5.0, 0x${reasonCode.toString(16)}: ${fault}`, () => {
			const { node, finished, network } = publishOnce({ connack: { reasonCode } });
			assert.ok(finished);
			assert.equal(node.error?.fault, fault);
			assert.equal(node.error?.reasonCode, reasonCode);
			assert.equal(node.error?.pipelineRefused, false);
			assert.equal(node.opened.length, 0);
			assert.equal(network.openSockets, 0);
		});

	const v4Errors: [number, number, ClientFault][] = [
		[1, 0x84, "configuration"],
		[2, 0x85, "configuration"],
		[3, 0x88, "resource"],
		[4, 0x86, "configuration"],
		[5, 0x87, "configuration"],
	];
	for (const [returnCode, reasonCode, fault] of v4Errors)
		test(`MQTT 3.1.1, ${returnCode}: ${fault}`, () => {
			const { node, finished } = publishOnce({ connack: { returnCode } }, { version: 4 });
			assert.ok(finished);
			assert.equal(node.error?.fault, fault);
			assert.equal(node.error?.reasonCode, reasonCode);
		});

	test("reason string and server reference are passed on", () => {
		const { node } = publishOnce({
			connack: {
				reasonCode: 0x9d,
				properties: { reasonString: "moved", serverReference: "other.example:1883" },
			},
		});
		assert.equal(node.error?.serverReference, "other.example:1883");
		assert.equal(
			node.error?.message,
			"the broker refused the connection: Server moved (moved), see other.example:1883",
		);
	});

	// [MQTT-3.2.2-4] [MQTT-3.1.2-4]
	test("Session Present after Clean Start is a protocol error", () => {
		for (const version of [4, 5] as const) {
			const { node } = publishOnce({ connack: { sessionPresent: true } }, { version });
			assert.equal(node.error?.fault, "peer");
			assert.equal(node.error?.reasonCode, 0x82);
		}
	});

	test("Session Present is passed to onOpen", () => {
		const network = new VirtualNetwork();
		new ScriptedBroker(network, 1883, { connack: { sessionPresent: true } });
		const node = new RecordingClient({ cleanStart: false, sessionExpiry: 3600 }, network.device);
		node.open();
		network.clock.advance(1000);
		assert.equal(node.opened[0].sessionPresent, true);
		assert.equal(node.client.negotiated.sessionPresent, true);
	});
});
