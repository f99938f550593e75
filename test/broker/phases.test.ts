import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IDisconnectPacket } from "mqtt-packet";
import { AWAITING_CONNECT, brokerPhaseAfter, CONNECTED } from "../../src/session/broker-phase";
import { ALL_PACKETS, VIOLATION } from "../../src/session/phase";
import { BrokerHarness } from "./support/broker-harness";

/** Flags that Table 2-2 asks for. */
const flags = (type: number): number => (type === 6 || type === 8 || type === 10 ? 2 : 0);

// [MQTT-3.1.0-1] [MQTT-3.1.0-2] [MQTT-4.13.1-1] [MQTT-3.1.1:3.1.0-1] [MQTT-3.1.1:3.1.0-2]
// [MQTT-3.1.1:4.8.0-1]
describe("a packet that the table of phases forbids: closed at its first byte, others are served", () => {
	for (const version of [4, 5] as const) {
		test(`version ${version}, before CONNECT: without an answer`, () => {
			const harness = new BrokerHarness();
			const other = harness.client("other");
			for (const type of ALL_PACKETS) {
				const peer = harness.peer(version).sendRaw(Uint8Array.of((type << 4) | flags(type)));
				assert.equal(peer.closed, brokerPhaseAfter(AWAITING_CONNECT, type) === VIOLATION, `type ${type}`);
				assert.deepEqual(peer.packets, []);
				peer.drop();
			}
			assert.ok(!other.closed);
		});

		test(`version ${version}, after CONNACK: DISCONNECT in 5.0 says why`, () => {
			const harness = new BrokerHarness();
			for (const type of ALL_PACKETS) {
				const peer = harness.client("a", version).sendRaw(Uint8Array.of((type << 4) | flags(type)));
				const violation = brokerPhaseAfter(CONNECTED, type) === VIOLATION;
				assert.equal(peer.closed, violation, `type ${type}`);
				const disconnect = peer.shift("disconnect") as IDisconnectPacket | undefined;
				const reason = violation && version === 5 ? (type === 0 ? 0x81 : 0x82) : undefined;
				assert.equal(disconnect?.reasonCode, reason, `type ${type}`);
				peer.drop();
			}
			assert.equal(harness.broker.usage.connections, 0);
		});
	}
});
