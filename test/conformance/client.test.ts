import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BUSY } from "../../src/client/client";
import { QOS1 } from "../../src/mqtt/constants";
import { RecordingClient } from "../client/recording-client";
import { type BrokerScript, ScriptedBroker } from "../client/scripted-broker";
import { VirtualNetwork } from "../support/virtual-network";

function setUp(script: BrokerScript = {}) {
	const network = new VirtualNetwork({ latency: 10 });
	return { network, clock: network.clock, broker: new ScriptedBroker(network, 1883, script) };
}

const message = { cmd: "publish", topic: "set", dup: false, retain: false } as const;

describe("client requirements", () => {
	test("[MQTT-3.3.4-8] [MQTT-4.9.0-3] send quota used up: PUBACK, PINGREQ, DISCONNECT are sent", () => {
		const { network, clock, broker } = setUp({
			connack: { properties: { receiveMaximum: 1 } },
			answer: ({ cmd }) => cmd === "publish",
		});
		const node = new RecordingClient({ keepAlive: 2, acknowledgeTimeout: 600_000 }, network.device);
		node.open();
		clock.advance(1000);
		assert.equal(node.publish("1", QOS1), 1);
		assert.equal(node.publish("2", QOS1), BUSY);
		broker.connections[0].send({ ...message, payload: "x", qos: 1, messageId: 9 });
		clock.advance(3000);
		node.close();
		clock.advance(1000);
		assert.deepEqual(
			new Set(broker.commands),
			new Set(["connect", "publish", "puback", "pingreq", "disconnect"]),
		);
		assert.equal(broker.commands.at(-1), "disconnect");
	});

	test("[MQTT-4.3.2-5] the same identifier after PUBACK: a new message, whatever its DUP flag", () => {
		for (const version of [4, 5] as const) {
			const { network, clock, broker } = setUp({ version });
			const node = new RecordingClient({ version }, network.device);
			node.open();
			clock.advance(1000);
			for (const dup of [false, true])
				broker.connections[0].send({ ...message, payload: `${dup}`, qos: 1, messageId: 9, dup });
			clock.advance(1000);
			assert.deepEqual(
				node.messages.map(({ payload }) => payload),
				["false", "true"],
			);
			assert.equal(broker.commands.filter((command) => command === "puback").length, 2);
		}
	});

	test("[MQTT-3.2.2-5] [MQTT-3.1.2-4] [MQTT-3.1.1:3.1.2-6] Session Present 0: packet identifiers of the earlier session are discarded", () => {
		for (const version of [4, 5] as const) {
			for (const sessionPresent of [false, true]) {
				const connack = { sessionPresent: false };
				const { network, clock, broker } = setUp({ version, connack });
				const node = new RecordingClient(
					{ version, cleanStart: !sessionPresent, ...(sessionPresent && { sessionExpiry: 60 }) },
					network.device,
				);
				node.open();
				clock.advance(1000);
				broker.connections[0].send({ ...message, payload: "a", qos: 2, messageId: 9 });
				clock.advance(1000);
				node.abort();
				clock.advance(1000);
				connack.sessionPresent = sessionPresent;
				node.open();
				clock.advance(1000);
				broker.connections[1].send({ ...message, payload: "b", qos: 2, messageId: 9, dup: sessionPresent });
				clock.advance(1000);
				assert.deepEqual(
					node.messages.map(({ payload }) => payload),
					sessionPresent ? ["a"] : ["a", "b"],
					`${version} ${sessionPresent}`,
				);
			}
		}
	});

	test("[MQTT-4.1.0-1] [MQTT-3.1.1:4.1.0-2] no PUBACK: messages stay in flight until disconnected", () => {
		for (const version of [4, 5] as const) {
			const { network, clock } = setUp({ version, answer: ({ cmd }) => cmd === "publish" });
			const node = new RecordingClient({ version, acknowledgeTimeout: 600_000 }, network.device);
			node.open();
			clock.advance(1000);
			for (let i = 0; i < 3; i++) node.publish(`${i}`, QOS1);
			clock.advance(500_000);
			assert.equal(node.client.state, "open");
			assert.equal(node.client.inFlight.count, 3);
		}
	});
});
