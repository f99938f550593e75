import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BUSY } from "../../src/client/client";
import { QOS1 } from "../../src/mqtt/constants";
import { VirtualNetwork, type VirtualNetworkOptions } from "../support/virtual-network";
import { RecordingClient } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

const LATENCY_MS = 40;

function setUp(script: BrokerScript = {}, options: VirtualNetworkOptions = {}) {
	const network = new VirtualNetwork({ latency: LATENCY_MS, ...options });
	return { network, clock: network.clock, broker: new ScriptedBroker(network, 1883, script) };
}

describe("keep alive", () => {
	test("PINGREQ is sent after ¾ of the interval without traffic, repeatedly", () => {
		const { network, clock, broker } = setUp();
		const node = new RecordingClient({ keepAlive: 60 }, network.device);
		node.open();
		clock.advance(600_000);
		assert.equal(node.client.state, "open");
		const pings = broker.times.filter((_, index) => broker.commands[index] === "pingreq");
		// CONNACK arrives after 4 latencies; PINGREQ follows 45 s after the later of sending and receiving.
		assert.equal(pings[0], 4 * LATENCY_MS + 45_000 + LATENCY_MS);
		assert.equal(pings[1] - pings[0], 45_000);
		assert.equal(pings.length, 13);
	});

	for (const keepAlive of [0, 60])
		test(`ping() with keep alive ${keepAlive}: one PINGREQ at a time, its answer awaited`, () => {
			const { network, clock, broker } = setUp();
			let answers = 0;
			const node = new RecordingClient({ keepAlive, pingTimeout: 2000 }, network.device, {
				onPingresp: () => answers++,
			});
			assert.equal(node.client.ping(), BUSY);
			node.open();
			clock.advance(1000);
			assert.equal(node.client.ping(), 0);
			assert.equal(node.client.ping(), 0);
			clock.advance(3000);
			assert.equal(answers, 1);
			assert.deepEqual(broker.commands, ["connect", "pingreq"]);
			assert.equal(node.client.state, "open");
			broker.connections[0].peer.onData = () => {};
			node.client.ping();
			clock.advance(3000);
			assert.equal(node.error?.message, "no PINGRESP within 2000 ms");
		});

	test("a PINGRESP for a PINGREQ of the last connection: unexpected on the next one", () => {
		const { network, clock, broker } = setUp({ answer: ({ cmd }) => cmd === "pingreq" });
		const node = new RecordingClient({ keepAlive: 10 }, network.device);
		node.open();
		clock.advance(60_000);
		assert.equal(node.client.state, "closed", "no PINGRESP came");
		assert.ok(broker.commands.includes("pingreq"));
		node.open();
		clock.advance(1000);
		assert.equal(node.client.state, "open");
		broker.connections.at(-1)?.send({ cmd: "pingresp" });
		clock.advance(1000);
		assert.notEqual(node.client.state, "open");
		const last = broker.packets.at(-1);
		assert.equal(last?.cmd === "disconnect" && last.reasonCode, 0x82);
	});

	test("sending alone does not postpone PINGREQ: nothing was received", () => {
		const { network, clock, broker } = setUp();
		const node = new RecordingClient({ keepAlive: 10 }, network.device);
		node.open();
		clock.advance(1000);
		for (let i = 0; i < 20; i++) {
			node.publish("1", 0);
			clock.advance(1000);
		}
		assert.equal(node.client.state, "open");
		assert.ok(broker.commands.includes("pingreq"));
	});

	test("receiving alone does not postpone PINGREQ: nothing was sent", () => {
		const { network, clock, broker } = setUp();
		const node = new RecordingClient({ keepAlive: 10 }, network.device);
		node.open();
		clock.advance(1000);
		for (let i = 0; i < 20; i++) {
			broker.connections[0].send({
				cmd: "publish",
				topic: "a",
				payload: "1",
				qos: 0,
				dup: false,
				retain: false,
			});
			clock.advance(1000);
		}
		assert.equal(node.messages.length, 20);
		assert.ok(broker.commands.includes("pingreq"));
	});

	test("traffic in both directions makes PINGREQ unnecessary", () => {
		const { network, clock, broker } = setUp();
		const node = new RecordingClient({ keepAlive: 10 }, network.device);
		node.open();
		clock.advance(1000);
		for (let i = 0; i < 60; i++) {
			node.publish("1", QOS1);
			clock.advance(1000);
		}
		assert.equal(node.acknowledged.length, 60);
		assert.ok(!broker.commands.includes("pingreq"));
	});

	test("no PINGRESP: the connection ends after pingTimeout", () => {
		const { network, clock } = setUp({ answer: (packet) => packet.cmd === "pingreq" });
		const node = new RecordingClient({ keepAlive: 60, pingTimeout: 2000 }, network.device);
		node.now = () => clock.now;
		node.open();
		clock.advance(600_000);
		assert.equal(node.error?.fault, "peer");
		assert.equal(node.error?.reasonCode, 0x8d);
		assert.equal(node.closed[0].at, 4 * LATENCY_MS + 45_000 + 2000);
		assert.equal(network.openSockets, 0);
	});

	test("[MQTT-3.1.2-20] [MQTT-3.1.1:3.1.2-23] a pingTimeout above keepAlive is cut to it: nothing else is sent meanwhile", () => {
		const { network, clock } = setUp({ answer: (packet) => packet.cmd === "pingreq" });
		const node = new RecordingClient({ keepAlive: 10, pingTimeout: 60_000 }, network.device);
		node.now = () => clock.now;
		node.open();
		clock.advance(600_000);
		assert.equal(node.closed[0].at, 4 * LATENCY_MS + 7500 + 10_000);
	});

	test("a connection that cannot send is detected by the ping as well", () => {
		const { network, clock } = setUp({}, { capacity: 100, suppressWritable: true });
		const node = new RecordingClient({ keepAlive: 60, clientId: "x".repeat(60) }, network.device);
		node.now = () => clock.now;
		node.open();
		clock.advance(1000);
		assert.equal(node.client.state, "open");
		node.publish("x".repeat(60), 0);
		clock.advance(600_000);
		assert.equal(node.error?.reasonCode, 0x8d);
	});

	// [MQTT-3.1.2-21] [MQTT-3.2.2-21]
	test("Server Keep Alive replaces the configured interval", () => {
		for (const [serverKeepAlive, first] of [
			[20, 15_000],
			[0, undefined],
		] as const) {
			const { network, clock, broker } = setUp({ connack: { properties: { serverKeepAlive } } });
			const node = new RecordingClient({ keepAlive: 60 }, network.device);
			node.open();
			clock.advance(600_000);
			const index = broker.commands.indexOf("pingreq");
			assert.equal(broker.times[index], first === undefined ? undefined : 5 * LATENCY_MS + first);
		}
	});

	test("keepAlive 0: the broker's Server Keep Alive is honoured all the same", () => {
		const { network, clock, broker } = setUp({ connack: { properties: { serverKeepAlive: 20 } } });
		const node = new RecordingClient({ keepAlive: 0 }, network.device);
		node.open();
		clock.advance(600_000);
		assert.equal(node.client.state, "open");
		const pings = broker.times.filter((_, index) => broker.commands[index] === "pingreq");
		assert.equal(pings[0], 5 * LATENCY_MS + 15_000);
		assert.ok(pings.every((time, i) => i === 0 || time - pings[i - 1] <= 20_000));
		assert.ok(pings.length >= 30);
	});

	test("a PINGREQ that the last connection left unanswered is not awaited on the next", () => {
		const { network, clock, broker } = setUp({ answer: (packet) => packet.cmd === "pingreq" });
		const node = new RecordingClient({ keepAlive: 60, pingTimeout: 5000 }, network.device);
		node.open();
		clock.advance(4 * LATENCY_MS + 45_000 + 2 * LATENCY_MS);
		assert.equal(broker.commands.at(-1), "pingreq");
		broker.connections[0].end();
		clock.advance(1000);
		assert.equal(node.closed.length, 1);
		const openedAt = clock.now;
		node.open();
		clock.advance(30_000);
		assert.equal(node.client.state, "open", "no PINGRESP is missing");
		broker.connections[1].send({ cmd: "pingresp" });
		clock.advance(1000);
		assert.equal(node.closed.length, 2);
		assert.equal(node.closed[1].error?.message, "PINGRESP without PINGREQ");
		assert.ok(clock.now < openedAt + 45_000);
	});

	test("keepAlive 0: no PINGREQ", () => {
		const { network, clock, broker } = setUp();
		const node = new RecordingClient({ keepAlive: 0 }, network.device);
		node.open();
		assert.ok(clock.run(600_000), "no timer is left running");
		assert.deepEqual(broker.commands, ["connect"]);
		assert.equal(node.client.state, "open");
		assert.equal(node.publish("1", QOS1), 1);
		clock.advance(1000);
		assert.equal(node.acknowledged.length, 1);
	});

	test("a wrap of the tick counter changes nothing", () => {
		for (const before of [0, 50, 100, 1000, 30_000, 45_170, 46_000]) {
			const { network, clock, broker } = setUp();
			clock.ticksOffset = 2 ** 31 - before;
			const node = new RecordingClient({ keepAlive: 60 }, network.device, {
				onWritable: () => node.publish("1", QOS1),
			});
			node.open();
			clock.advance(600_000);
			assert.equal(node.client.state, "open");
			assert.equal(broker.times[broker.commands.indexOf("pingreq")], 4 * LATENCY_MS + 45_000 + LATENCY_MS);
			assert.equal(node.closed.length, 0);
		}
	});
});

describe("the timer", () => {
	test("one timer for each connection; steady traffic moves it only when a deadline has passed", () => {
		const { network, clock } = setUp();
		const node = new RecordingClient({ keepAlive: 60, acknowledgeTimeout: 5000 }, network.device);
		node.open();
		clock.advance(1000);
		const moved = clock.timersMoved;
		for (let i = 0; i < 1000; i++) {
			node.publish("1", QOS1);
			clock.advance(100);
		}
		assert.equal(node.acknowledged.length, 1000);
		assert.equal(clock.timersCreated, 1);
		assert.ok(
			clock.timersMoved - moved <= (2 * 100_000) / 5000 + 4,
			`${clock.timersMoved - moved} moves for 1000 messages`,
		);
	});

	test("the timer is removed when the connection is closed", () => {
		const { network, clock } = setUp();
		const node = new RecordingClient({}, network.device);
		node.open();
		clock.advance(1000);
		node.close();
		clock.advance(1000);
		assert.equal(node.closed.length, 1);
		assert.ok(clock.isIdle);
	});
});
