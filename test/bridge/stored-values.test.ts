/** Values that were stored before a bridge, or a device, began. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VirtualClient, VirtualMachine, VirtualWorld } from "./virtual-world";

describe("retained values that were there first", () => {
	test("a bridge is added to a broker with stored values of QoS 0: the other broker gets them", () => {
		const world = new VirtualWorld();
		const hub = new VirtualMachine(world, "hub").start();
		const edge = new VirtualMachine(world, "edge", { persist: true, persistInterval: 0 }).start();
		const below = new VirtualClient(world, edge.address, "below");
		for (let i = 0; i < 5; i++) below.publish(`v/${i}`, "1", 0, { retain: true });
		world.advance(1000);
		edge.cutPower();
		edge.bridge = { url: `mqtt://${hub.address}`, topics: [{ filter: "v/#", qos: 1 }] };
		edge.start();
		world.advance(5000);
		const above = new VirtualClient(world, hub.address, "above");
		above.subscribe("v/#");
		assert.deepEqual(
			above.messages.sort(),
			[0, 1, 2, 3, 4].map((i) => `v/${i}=1`),
		);
	});

	test("a broker that keeps nothing starts again: it gets the stored values of the other one again", () => {
		const world = new VirtualWorld();
		const hub = new VirtualMachine(world, "hub").start();
		const edge = new VirtualMachine(world, "edge");
		edge.bridge = { url: `mqtt://${hub.address}`, topics: [{ filter: "v/#", direction: "in", qos: 1 }] };
		edge.start();
		const above = new VirtualClient(world, hub.address, "above");
		above.publish("v/a", "1", 1, { retain: true });
		world.advance(2000);
		edge.cutPower();
		world.advance(1000);
		edge.start();
		world.advance(5000);
		const below = new VirtualClient(world, edge.address, "below");
		below.subscribe("v/#");
		assert.deepEqual(below.messages, ["v/a=1"]);
	});

	for (const [version, tryPrivate] of [
		[4, false],
		[4, true],
		[5, true],
	] as const)
		test(`a broker that keeps its state starts again, MQTT ${version === 4 ? "3.1.1" : "5.0"}, tryPrivate ${tryPrivate}: stored values that it has ${version === 4 && tryPrivate ? "come once more" : "do not come again"}`, () => {
			const world = new VirtualWorld();
			const hub = new VirtualMachine(world, "hub").start();
			const edge = new VirtualMachine(world, "edge", { persist: true, persistInterval: 0 });
			const topics = [{ filter: "v/#", direction: "in", qos: 2 }];
			edge.bridge = { url: `mqtt://${hub.address}`, version, tryPrivate, topics };
			const above = new VirtualClient(world, hub.address, "above");
			above.publish("v/first", "1", 2, { retain: true });
			world.advance(1000);
			edge.start();
			const lasting = { clean: false, properties: { sessionExpiryInterval: 1000 } };
			const below = new VirtualClient(world, edge.address, "below", 5, lasting);
			below.subscribe("v/#");
			world.advance(2000);
			above.publish("v/a", "1", 2, { retain: true });
			world.advance(2000);
			assert.deepEqual(below.messages, ["v/first=1", "v/a=1"]);
			edge.cutPower();
			above.publish("v/b", "1", 2, { retain: true });
			world.advance(1000);
			edge.start();
			world.advance(90_000);
			above.publish("v/a", "2", 2, { retain: true });
			const again = new VirtualClient(world, edge.address, "below", 5, lasting);
			world.advance(2000);
			// What waited there meanwhile, what came then, and nothing else: where RETAIN is as published, stored
			// values look like new ones
			const stored = version === 4 && tryPrivate ? ["v/a=1", "v/b=1", "v/first=1"] : [];
			assert.deepEqual(again.messages.slice(1, -1).sort(), stored);
			assert.deepEqual([again.messages[0], again.messages.at(-1)], ["v/b=1", "v/a=2"]);
			assert.equal(hub.broker.usage.queued, 0);
		});
});
