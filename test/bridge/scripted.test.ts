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
