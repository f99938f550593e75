import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { QOS1, QOS2 } from "../../src/mqtt/constants";
import { packetOfEachType } from "../support/packet-of-each-type";
import { VirtualNetwork } from "../support/virtual-network";
import { RecordingClient } from "./recording-client";
import { ScriptedBroker } from "./scripted-broker";

const LATENCY_MS = 10;

type PhaseName = "before CONNACK" | "connected" | "closing" | "after DISCONNECT";

/** Brings a client into a phase, sends it one packet, and tells what it does. */
function outcome(version: 4 | 5, phase: PhaseName, packet: readonly number[]): string {
	const network = new VirtualNetwork({ latency: LATENCY_MS });
	const broker = new ScriptedBroker(network, 1883, { version, answer: () => true });
	const node = new RecordingClient({ version, keepAlive: 4 }, network.device);
	const advance = (ms: number): void => network.clock.advance(ms);
	node.open();
	advance(100);
	const [connection] = broker.connections;
	if (phase !== "before CONNACK") {
		connection.sendBytes(...packetOfEachType(version).CONNACK);
		// A PINGREQ waits for its answer.
		advance(3050);
		assert.equal(broker.commands.at(-1), "pingreq");
		if (phase !== "connected") {
			// DISCONNECT waits for PUBCOMP; the broker's close for PUBACK
			assert.ok(node.publish("1", phase === "closing" ? QOS2 : QOS1) > 0);
			node.close();
			advance(50);
			assert.equal(broker.commands.at(-1), phase === "closing" ? "publish" : "disconnect");
		}
	}
	assert.equal(node.closed.length, 0);
	const before = broker.packets.length;
	const opened = node.opened.length;
	const delivered = node.messages.length;
	connection.sendBytes(...packet);
	advance(300);
	const words: string[] = broker.packets
		.slice(before)
		.map((sent) =>
			sent.cmd === "disconnect" && sent.reasonCode
				? `disconnect 0x${sent.reasonCode.toString(16)}`
				: sent.cmd,
		);
	if (node.opened.length > opened) words.unshift("opened");
	if (node.messages.length > delivered) words.unshift("delivered");
	if (node.closed.length > 0) words.push("closed");
	node.client.abort();
	advance(1);
	return words.join(", ") || "nothing";
}

const phases = ["before CONNACK", "connected", "closing", "after DISCONNECT"] as const;

function rows(version: 4 | 5): string {
	return Object.entries(packetOfEachType(version))
		.map(([name, packet]) => {
			const cells = phases.map((phase) => outcome(version, phase, packet).padEnd(25));
			return `${name.padEnd(13)}${cells.join("")}`.trimEnd();
		})
		.join("\n");
}

describe("each packet in each phase of a client", () => {
	// Columns: before CONNACK, connected, closing (DISCONNECT waits), after DISCONNECT. [MQTT-3.2.0-1]
	// [MQTT-3.2.0-2] [MQTT-3.14.0-1] [MQTT-3.14.4-1] [MQTT-4.12.0-6] [MQTT-4.13.1-1]
	test("MQTT 5.0: an illegal packet is answered with DISCONNECT 0x82 where one may be sent", () => {
		const golden = `
CONNECT      closed                   disconnect 0x82, closed  disconnect 0x82, closed  closed
CONNACK      opened                   disconnect 0x82, closed  disconnect 0x82, closed  closed
PUBLISH      closed                   delivered, puback        delivered, puback        nothing
PUBACK       closed                   nothing                  nothing                  nothing
PUBREC       closed                   pubrel                   pubrel                   nothing
PUBREL       closed                   pubcomp                  pubcomp                  nothing
PUBCOMP      closed                   nothing                  nothing                  nothing
SUBSCRIBE    closed                   disconnect 0x82, closed  disconnect 0x82, closed  closed
SUBACK       closed                   disconnect 0x82, closed  disconnect 0x82, closed  closed
UNSUBSCRIBE  closed                   disconnect 0x82, closed  disconnect 0x82, closed  closed
UNSUBACK     closed                   disconnect 0x82, closed  disconnect 0x82, closed  closed
PINGREQ      closed                   disconnect 0x82, closed  disconnect 0x82, closed  closed
PINGRESP     closed                   nothing                  nothing                  nothing
DISCONNECT   closed                   closed                   nothing                  nothing
AUTH         closed                   disconnect 0x82, closed  disconnect 0x82, closed  closed`;
		assert.equal(`\n${rows(5)}`, golden);
	});

	// The DISCONNECT of MQTT 3.1.1 would suppress the will. [MQTT-3.1.1:3.2.0-1] [MQTT-3.1.1:4.8.0-1]
	test("MQTT 3.1.1: an illegal packet closes the connection", () => {
		const golden = `
CONNECT      closed                   closed                   closed                   closed
CONNACK      opened                   closed                   closed                   closed
PUBLISH      closed                   delivered, puback        delivered, puback        nothing
PUBACK       closed                   nothing                  nothing                  nothing
PUBREC       closed                   pubrel                   pubrel                   nothing
PUBREL       closed                   pubcomp                  pubcomp                  nothing
PUBCOMP      closed                   nothing                  nothing                  nothing
SUBSCRIBE    closed                   closed                   closed                   closed
SUBACK       closed                   closed                   closed                   closed
UNSUBSCRIBE  closed                   closed                   closed                   closed
UNSUBACK     closed                   closed                   closed                   closed
PINGREQ      closed                   closed                   closed                   closed
PINGRESP     closed                   nothing                  nothing                  nothing
DISCONNECT   closed                   closed                   closed                   closed
AUTH         closed                   closed                   closed                   closed`;
		assert.equal(`\n${rows(4)}`, golden);
	});
});
