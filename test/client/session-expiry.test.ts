import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClientOptions } from "../../src/client/client";
import { QOS2 } from "../../src/mqtt/constants";
import { nodeDevice } from "../support/node-device";
import { VirtualNetwork } from "../support/virtual-network";
import { liveBrokers } from "./live-brokers";
import { RecordingClient } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

function setUp(options: Partial<ClientOptions>, script: BrokerScript = {}) {
	const network = new VirtualNetwork({ latency: 10 });
	const broker = new ScriptedBroker(network, 1883, { version: options.version ?? 5, ...script });
	const node = new RecordingClient({ cleanStart: false, ...options }, network.device);
	node.open();
	network.clock.advance(1000);
	const disconnected = (): number | undefined | "missing" => {
		const packet = broker.packets.at(-1);
		return packet?.cmd === "disconnect" ? packet.properties?.sessionExpiryInterval : "missing";
	};
	return { clock: network.clock, broker, node, disconnected };
}

describe("session expiry", () => {
	test("of CONNACK, if it says so, otherwise of CONNECT: in `negotiated`", () => {
		assert.equal(setUp({ sessionExpiry: 600 }).node.client.negotiated.sessionExpirySeconds, 600);
		const shorter = setUp({ sessionExpiry: 600 }, { connack: { properties: { sessionExpiryInterval: 60 } } });
		assert.equal(shorter.node.client.negotiated.sessionExpirySeconds, 60);
	});

	test("close() without one: DISCONNECT has none; with one: DISCONNECT has it, then the connection ends", () => {
		for (const seconds of [undefined, 0, 60, 0xffff_ffff]) {
			const { clock, node, disconnected } = setUp({ sessionExpiry: 600 });
			node.client.close(seconds);
			clock.advance(1000);
			assert.equal(disconnected(), seconds);
			assert.equal(node.error, undefined);
		}
	});

	test("close() with one, and the send buffer full or a QoS 2 message in flight: DISCONNECT comes last", () => {
		const { clock, broker, node, disconnected } = setUp({ sessionExpiry: 600, sendBuffer: 100 });
		assert.ok(node.publish("x".repeat(40), QOS2) > 0);
		node.client.close(0);
		clock.advance(1000);
		assert.deepEqual(broker.commands.slice(1), ["publish", "pubrel", "disconnect"]);
		assert.equal(disconnected(), 0);

		const network = new VirtualNetwork({ latency: 10, capacity: 150 });
		const other = new ScriptedBroker(network, 1883);
		const full: RecordingClient = new RecordingClient(
			{ sendBuffer: 100, sessionExpiry: 600, clientId: "c" },
			network.device,
		);
		full.open();
		network.clock.advance(1000);
		// What is left is the reserve, in which a DISCONNECT without properties has room.
		for (const length of [40, 4, 0])
			while (full.client.publish(Buffer.from("a/b/c"), Buffer.alloc(40), length, 0) === 0);
		assert.equal(full.client.room, 0);
		full.client.close(5);
		network.clock.advance(1000);
		assert.equal(full.error, undefined);
		const last = other.packets.at(-1);
		assert.equal(last?.cmd === "disconnect" && last.properties?.sessionExpiryInterval, 5);
	});

	test("out of range, or not 0 where CONNECT asked for 0: RangeError, and the connection stays", () => {
		const { clock, node, disconnected } = setUp({ sessionExpiry: 600 });
		for (const seconds of [-1, 1.5, 2 ** 32, Number.NaN])
			assert.throws(() => node.client.close(seconds), RangeError);
		const none = setUp({ sessionExpiry: 0 });
		assert.throws(() => none.node.client.close(1), RangeError);
		none.node.client.close(0);
		none.clock.advance(1000);
		assert.equal(none.disconnected(), 0);
		assert.equal(node.client.state, "open");
		node.close();
		clock.advance(1000);
		assert.equal(disconnected(), undefined);
	});

	test("close() with one, and nothing leaves any more: the connection ends after acknowledgeTimeout", () => {
		// Half open: the socket never has room again, and tells of no end.
		const network = new VirtualNetwork({ capacity: 150, suppressWritable: true, suppressErrors: true });
		new ScriptedBroker(network, 1883);
		const node: RecordingClient = new RecordingClient(
			{ sendBuffer: 100, keepAlive: 0, sessionExpiry: 600, clientId: "c" },
			network.device,
		);
		node.open();
		network.clock.advance(1000);
		assert.equal(node.client.state, "open");
		for (const length of [40, 4, 0])
			while (node.client.publish(Buffer.from("a/b/c"), Buffer.alloc(40), length, 0) === 0);
		node.client.close(5);
		network.clock.advance(60_000);
		assert.equal(node.client.state, "closed");
		assert.match(node.error?.message ?? "", /DISCONNECT did not leave/);
	});

	test("MQTT 3.1.1 ignores it; the next connection closes without", () => {
		const old = setUp({ version: 4, sessionExpiry: 600 });
		old.node.client.close(60);
		old.clock.advance(1000);
		assert.equal(old.broker.commands.at(-1), "disconnect");
		const { clock, node, disconnected } = setUp({ sessionExpiry: 600 });
		node.client.close(60);
		clock.advance(1000);
		node.open();
		clock.advance(1000);
		node.close();
		clock.advance(1000);
		assert.equal(disconnected(), undefined);
	});

	test("an error after close(): DISCONNECT has the reason, not the expiry", () => {
		const { clock, broker, node } = setUp({ sessionExpiry: 600 }, { answer: ({ cmd }) => cmd === "publish" });
		node.publish("1", QOS2);
		node.client.close(60);
		broker.connections[0].sendBytes(0xd0, 0);
		clock.advance(1000);
		const last = broker.packets.at(-1);
		assert.equal(last?.cmd, "disconnect");
		assert.equal(last?.cmd === "disconnect" && last.reasonCode, 0x82);
		assert.equal(last?.cmd === "disconnect" && last.properties?.sessionExpiryInterval, undefined);
	});
});

for (const kind of liveBrokers)
	if (kind.versions.includes(5))
		test(`${kind.name}: a session ends with the DISCONNECT that says so, and is kept without`, {
			skip: kind.skip,
		}, async () => {
			const broker = await kind.start();
			const present: boolean[] = [];
			for (const seconds of [undefined, 0, undefined]) {
				await new Promise<void>((resolve) => {
					const node: RecordingClient = new RecordingClient(
						{ port: broker.port, clientId: "leaving", cleanStart: false, sessionExpiry: 600 },
						nodeDevice(),
						{
							onOpen: (sessionPresent) => {
								present.push(sessionPresent);
								node.client.close(seconds);
							},
							onClosed: () => resolve(),
						},
					);
					node.open();
				});
			}
			assert.deepEqual(present, [false, true, false]);
			await broker.stop();
		});
