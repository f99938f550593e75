/** What is as large as a side allows, or larger. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VirtualClient, VirtualMachine, VirtualWorld } from "./virtual-world";

describe("the size of a message", () => {
	for (const qos of [0, 1, 2] as const)
		test(`QoS ${qos}, each length up to the largest packet of this broker: all pass, in order`, () => {
			const world = new VirtualWorld();
			const hub = new VirtualMachine(world, "hub", { packetSize: 2048 }).start();
			const edge = new VirtualMachine(world, "edge", { packetSize: 1024 });
			edge.bridge = { url: `mqtt://${hub.address}`, topics: [{ filter: "t", qos, remotePrefix: "far/" }] };
			edge.start();
			world.advance(2000);
			const above = new VirtualClient(world, hub.address, "above");
			above.subscribe("#");
			const below = new VirtualClient(world, edge.address, "below");
			const expected: number[] = [];
			// Type and length, topic, packet identifier, properties
			for (let size = 1024 - 16; size <= 1024; size++) {
				const length = size - 3 - 3 - (qos === 0 ? 0 : 2) - 1;
				below.publish("t", "x".repeat(length), qos);
				world.advance(200);
				expected.push(length);
			}
			world.advance(1000);
			assert.deepEqual(
				above.publishes.map(({ payload }) => payload.length),
				expected,
			);
			assert.equal(edge.broker.counters.droppedSize, 0);
		});

	test("MQTT 3.1.1, a message from the other broker that is too long: dropped and counted, the next one passes", () => {
		const world = new VirtualWorld();
		const hub = new VirtualMachine(world, "hub", { packetSize: 2048 }).start();
		const edge = new VirtualMachine(world, "edge", { packetSize: 512 });
		edge.bridge = {
			url: `mqtt://${hub.address}`,
			version: 4,
			topics: [{ filter: "in", direction: "in", qos: 2 }],
		};
		edge.start();
		world.advance(2000);
		const below = new VirtualClient(world, edge.address, "below");
		below.subscribe("in");
		const above = new VirtualClient(world, hub.address, "above");
		for (const payload of ["x".repeat(1000), "short"]) above.publish("in", payload, 2);
		world.advance(5000);
		assert.deepEqual(below.messages, ["in=short"]);
		assert.equal(edge.sys("bridge/dropped/in"), "1");
		assert.equal(edge.traces.filter((line) => line.endsWith(": connected")).length, 1);
	});
});
