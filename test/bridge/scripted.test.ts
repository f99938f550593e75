/** An other broker that allows less than others, or loses what it had. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IPublishPacket } from "mqtt-packet";
import { ScriptedHub } from "./scripted-hub";
import { VirtualClient, VirtualMachine, VirtualWorld } from "./virtual-world";

function setUp(topics: readonly object[]) {
	const world = new VirtualWorld();
	const hub = new ScriptedHub(world);
	const edge = new VirtualMachine(world, "edge");
	edge.bridge = { url: `mqtt://${hub.address}`, keepAlive: "0s", topics };
	return { world, hub, edge };
}

describe("the other broker allows less QoS than the messages have that wait", () => {
	for (const maximumQoS of [0, 1] as const)
		test(`QoS ${maximumQoS} at most: they are sent with that, once and in order`, () => {
			const { world, hub, edge } = setUp([{ filter: "#", qos: 2 }]);
			hub.connack = { properties: { maximumQoS } };
			hub.onPacket = (packet) => {
				if (packet.cmd === "publish" && packet.qos > 0)
					hub.send({ cmd: "puback", messageId: packet.messageId });
			};
			hub.isReachable = false;
			edge.start();
			const below = new VirtualClient(world, edge.address, "below");
			for (let i = 0; i < 20; i++) {
				below.publish("a", `${i}`, i % 2 === 0 ? 2 : 1);
				world.advance(50);
			}
			hub.isReachable = true;
			world.advance(60_000);
			const messages = hub.packets.filter((packet): packet is IPublishPacket => packet.cmd === "publish");
			assert.deepEqual(
				messages.map(({ payload, qos, dup }) => ({ payload: String(payload), qos, dup })),
				Array.from({ length: 20 }, (_, i) => ({ payload: String(i), qos: maximumQoS, dup: false })),
			);
			assert.equal(edge.broker.usage.queued, 0);
			assert.equal(edge.sys("bridge/dropped/out"), "0");
			assert.equal(edge.sys("bridge/messages/out"), "20");
		});
});

test("a broker of MQTT 3.1.1 answers QoS 2 with PUBACK: its messages are sent with QoS 1 from then on", () => {
	const world = new VirtualWorld();
	const hub = new ScriptedHub(world, 4);
	const edge = new VirtualMachine(world, "edge");
	edge.bridge = {
		url: `mqtt://${hub.address}`,
		version: 4,
		keepAlive: "0s",
		topics: [{ filter: "#", qos: 2 }],
	};
	hub.onPacket = (packet) => {
		if (packet.cmd === "publish" && packet.qos > 0) hub.send({ cmd: "puback", messageId: packet.messageId });
	};
	edge.start();
	world.advance(1000);
	const below = new VirtualClient(world, edge.address, "below");
	for (let i = 0; i < 5; i++) below.publish("a", `${i}`, 2);
	world.advance(60_000);
	const messages = hub.packets.filter((packet): packet is IPublishPacket => packet.cmd === "publish");
	assert.deepEqual(
		messages.filter(({ qos }) => qos === 1).map(({ payload }) => String(payload)),
		["0", "1", "2", "3", "4"],
	);
	assert.equal(edge.broker.usage.queued, 0);
	assert.equal(edge.sys("bridge/messages/out"), "5");
});

describe("the other broker loses its session", () => {
	test("after PUBREC: the message is not published again, only released", () => {
		const { world, hub, edge } = setUp([{ filter: "#", qos: 2 }]);
		edge.start();
		world.advance(1000);
		hub.takeTypes();
		hub.onPacket = (packet) => {
			if (packet.cmd === "publish") {
				hub.send({ cmd: "pubrec", messageId: packet.messageId });
				hub.peer.end();
			} else if (packet.cmd === "pubrel")
				hub.send({ cmd: "pubcomp", messageId: packet.messageId, reasonCode: 0x92 });
		};
		new VirtualClient(world, edge.address, "below").publish("a", "1", 2);
		world.advance(10_000);
		assert.deepEqual(hub.takeTypes(), ["publish", "connect", "pubrel"]);
		assert.equal(edge.broker.usage.queued, 0);
	});

	test("after PUBACK: the message is not published again", () => {
		const { world, hub, edge } = setUp([{ filter: "#", qos: 1 }]);
		edge.start();
		world.advance(1000);
		hub.takeTypes();
		hub.onPacket = (packet) => {
			if (packet.cmd !== "publish") return;
			hub.send({ cmd: "puback", messageId: packet.messageId });
			hub.peer.end();
		};
		new VirtualClient(world, edge.address, "below").publish("a", "1", 1);
		world.advance(10_000);
		assert.deepEqual(hub.takeTypes(), ["publish", "connect"]);
		assert.equal(edge.broker.usage.queued, 0);
	});
});

test("a subscription is refused: the next connection tries again, also in the same session", () => {
	const { world, hub, edge } = setUp([{ filter: "in", direction: "in" }]);
	hub.granted = 0x87;
	edge.start();
	world.advance(1000);
	assert.deepEqual(hub.takeTypes(), ["connect", "subscribe"]);
	hub.granted = 1;
	hub.connack = { sessionPresent: true };
	for (const expected of [["connect", "subscribe"], ["connect"]]) {
		hub.peer.end();
		world.advance(5000);
		assert.deepEqual(hub.takeTypes(), expected);
	}
});

test("stop() amid QoS 2, and a message arrives: it is left to the other broker, and the connection ends", () => {
	const { world, hub, edge } = setUp([{ filter: "#", direction: "both", qos: 2 }]);
	edge.start();
	world.advance(1000);
	new VirtualClient(world, edge.address, "below").publish("a", "1", 2);
	world.advance(100);
	hub.takeTypes();
	edge.broker.stop();
	hub.send({ cmd: "publish", topic: "b", payload: "2", qos: 1, messageId: 7, dup: false, retain: false });
	world.advance(60_000);
	assert.ok(hub.peer.ended);
	assert.deepEqual(hub.takeTypes(), []);
	hub.onPacket = (packet) => {
		if (packet.cmd === "publish") hub.send({ cmd: "pubrec", messageId: packet.messageId });
	};
	edge.broker.start();
	world.advance(5000);
	const anew = ["connect", "disconnect", "connect", "subscribe", "publish"];
	assert.deepEqual(hub.takeTypes().slice(0, 5), anew);
});

for (const [length, added] of [
	[40, true],
	[300, false],
] as const)
	test(`the other broker tells a name of ${length} bytes: its messages ${added ? "carry it" : "come without it, and fit"}`, () => {
		const { world, hub, edge } = setUp([{ filter: "#", direction: "in", qos: 1 }]);
		const name = "n".repeat(length);
		hub.connack = { properties: { userProperties: { "firefly-bridge": name } } };
		edge.start();
		const below = new VirtualClient(world, edge.address, "below");
		below.subscribe("#");
		world.advance(5000);
		const payload = "p".repeat(300);
		hub.send({ cmd: "publish", topic: "a", payload, qos: 1, messageId: 7, dup: false, retain: false });
		world.advance(1000);
		assert.deepEqual(below.messages, [`a=${payload}`]);
		const passed = [below.publishes[0]!.properties!.userProperties!["firefly-bridge"]].flat();
		assert.equal(passed.includes(name), added);
		assert.equal(edge.sys("bridge/dropped/in"), "0");
	});
