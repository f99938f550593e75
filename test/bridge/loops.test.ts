/** Loops that are configured on purpose: nothing is doubled, and nothing circles. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VirtualClient, VirtualMachine, VirtualWorld } from "./virtual-world";

const MESSAGES = 10;

/** Publishes on one device, and returns what a subscriber of each has got. */
function exchange(
	world: VirtualWorld,
	from: VirtualMachine,
	machines: readonly VirtualMachine[],
	topic = "t/a",
): string[][] {
	const subscribers = machines.map(({ address }, index) => {
		const client = new VirtualClient(world, address, `subscriber-${index}`);
		client.subscribe("#");
		return client;
	});
	const publisher = new VirtualClient(world, from.address, "publisher");
	const before = machines.map(({ broker }) => broker.counters.publishesReceived);
	for (let i = 0; i < MESSAGES; i++) {
		publisher.publish(topic, `${i}`, 2);
		world.advance(100);
	}
	world.advance(10_000);
	for (const [index, { broker }] of machines.entries()) {
		const count = broker.counters.publishesReceived - before[index]!;
		assert.ok(count <= 3 * MESSAGES, `broker ${index} has received ${count} messages`);
		assert.equal(broker.usage.queued, 0);
		assert.equal(broker.counters.internalErrors, 0);
	}
	return subscribers.map(({ messages }) => messages);
}

const once = (topic = "t/a"): string[] => Array.from({ length: MESSAGES }, (_, i) => `${topic}=${i}`);

/** Ways in which a message of one broker comes to the other one by a bridge at each of them. */
const pairs = [
	["both", "both"],
	["out", "out"],
	["in", "in"],
	["out", "in"],
	["in", "out"],
] as const;

function waysThere(first: string, second: string): number {
	return (first === "in" ? 0 : 1) + (second === "out" ? 0 : 1);
}

function bridge(to: VirtualMachine, topics: readonly object[], version = 5): object {
	return { url: `mqtt://${to.address}`, version, retryMaximum: "2s", topics };
}

describe("a loop", () => {
	for (const version of [4, 5] as const)
		test(`both directions of the same topics over MQTT ${version === 4 ? "3.1.1" : "5.0"}: each message arrives once on either side`, () => {
			const world = new VirtualWorld();
			const hub = new VirtualMachine(world, "hub").start();
			const edge = new VirtualMachine(world, "edge");
			edge.bridge = bridge(hub, [{ filter: "#", direction: "both", qos: 2 }], version);
			edge.start();
			world.advance(1000);
			assert.deepEqual(exchange(world, edge, [edge, hub]), [once(), once()]);
			assert.deepEqual(exchange(world, hub, [edge, hub]), [once(), once()]);
		});

	for (const [first, second] of pairs)
		test(`two brokers bridge each other, ${first} and ${second}: each message arrives at most once on either side`, () => {
			const world = new VirtualWorld();
			const hub = new VirtualMachine(world, "hub");
			const edge = new VirtualMachine(world, "edge");
			hub.bridge = bridge(edge, [{ filter: "t/#", direction: second, qos: 2 }]);
			edge.bridge = bridge(hub, [{ filter: "t/#", direction: first, qos: 2 }]);
			hub.start();
			edge.start();
			world.advance(5000);
			assert.equal(hub.sys("bridge/connected"), "1");
			assert.equal(edge.sys("bridge/connected"), "1");
			const [here, there] = exchange(world, edge, [edge, hub]);
			assert.deepEqual(here, once());
			// Two bridges that say the same, one on each side, are two ways: each has its own copy
			const ways = waysThere(first, second);
			assert.deepEqual([...new Set(there)], ways === 0 ? [] : once());
			assert.equal(there!.length, ways * MESSAGES);
		});

	for (const [first, second] of pairs)
		for (const versions of [
			[4, 4],
			[4, 5],
			[5, 4],
		] as const)
			test(`two brokers bridge each other, one at least over MQTT 3.1.1, ${versions}, ${first} and ${second}: no message circles`, () => {
				const world = new VirtualWorld();
				const hub = new VirtualMachine(world, "hub");
				const edge = new VirtualMachine(world, "edge");
				hub.bridge = bridge(edge, [{ filter: "t/#", direction: second, qos: 2 }], versions[1]);
				edge.bridge = bridge(hub, [{ filter: "t/#", direction: first, qos: 2 }], versions[0]);
				hub.start();
				edge.start();
				world.advance(5000);
				const [here, there] = exchange(world, edge, [edge, hub]);
				assert.deepEqual([...new Set(here)], once());
				const ways = waysThere(first, second);
				assert.deepEqual([...new Set(there)], ways === 0 ? [] : once());
				// One of each way there, and what comes back by the other bridge
				assert.ok(here!.length <= 3 * MESSAGES && there!.length <= 2 * MESSAGES, `${here} ${there}`);
			});

	test("three brokers in a chain over MQTT 3.1.1: the bridge below is not that of the other broker, and all go through", () => {
		const world = new VirtualWorld();
		const hub = new VirtualMachine(world, "hub").start();
		const [edge, leaf] = ["edge", "leaf"].map((id) => new VirtualMachine(world, id));
		edge!.bridge = bridge(hub, [{ filter: "t/#", direction: "both", qos: 2 }], 4);
		leaf!.bridge = bridge(edge!, [{ filter: "t/#", direction: "both", qos: 2 }], 4);
		edge!.start();
		leaf!.start();
		world.advance(5000);
		const chain = [hub, edge!, leaf!];
		for (const machine of chain) assert.deepEqual(exchange(world, machine, chain), [once(), once(), once()]);
	});

	test("a client on the machine of the other broker is no bridge of it: it gets what comes over the bridge", () => {
		const world = new VirtualWorld();
		const hub = new VirtualMachine(world, "hub").start();
		const edge = new VirtualMachine(world, "edge");
		edge.bridge = bridge(hub, [{ filter: "t/#", direction: "both", qos: 2 }], 4);
		edge.start();
		world.advance(5000);
		const panel = new VirtualClient(world, edge.address, "panel", 5, {}, hub.host);
		panel.subscribe("#");
		panel.publish("t/a", "from the panel", 1);
		world.advance(1000);
		const above = new VirtualClient(world, hub.address, "above");
		above.subscribe("#");
		above.publish("t/a", "from above", 1);
		world.advance(1000);
		assert.deepEqual(panel.messages, ["t/a=from the panel", "t/a=from above"]);
		assert.deepEqual(above.messages, ["t/a=from above"]);
		assert.equal(hub.broker.counters.publishesReceived, 2);
	});

	test("three brokers in a ring: each message arrives once everywhere", () => {
		const world = new VirtualWorld();
		const ring = ["a", "b", "c"].map((id) => new VirtualMachine(world, id));
		for (const [index, machine] of ring.entries()) {
			machine.bridge = bridge(ring[(index + 1) % 3]!, [{ filter: "t/#", qos: 2 }]);
			machine.start();
		}
		world.advance(5000);
		for (const machine of ring) assert.deepEqual(exchange(world, machine, ring), [once(), once(), once()]);
	});

	for (const version of [4, 5] as const)
		test(`a bridge to its own broker, MQTT ${version === 4 ? "3.1.1" : "5.0"}: refused, and the broker serves`, () => {
			const world = new VirtualWorld();
			const alone = new VirtualMachine(world, "alone");
			alone.bridge = bridge(alone, [{ filter: "t/#", qos: 2 }], version);
			alone.start();
			world.advance(60_000);
			assert.equal(alone.sys("bridge/connected"), "0");
			assert.match(alone.traces.join("\n"), /bridge: .*refused/);
			const subscriber = new VirtualClient(world, alone.address, "s");
			subscriber.subscribe("#");
			const publisher = new VirtualClient(world, alone.address, "p");
			for (let i = 0; i < MESSAGES; i++) {
				publisher.publish("t/a", `${i}`, 2);
				world.advance(100);
			}
			assert.deepEqual(subscriber.messages, once());
		});
});
