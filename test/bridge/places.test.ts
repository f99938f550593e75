import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ListenSettings } from "../../src/config/types";
import { hashOf } from "../access/password-hash";
import { VirtualClient, VirtualMachine, VirtualWorld } from "./virtual-world";

function setUp(listen: Partial<ListenSettings>, topics: readonly object[] = [{ filter: "#" }]) {
	const world = new VirtualWorld();
	const hub = new VirtualMachine(world, "hub").start();
	const edge = new VirtualMachine(world, "edge", listen);
	edge.bridge = { url: `mqtt://${hub.address}`, topics };
	edge.start();
	world.advance(2000);
	return { world, hub, edge };
}

describe("the bridge among the clients of its broker", () => {
	test("all connections and sessions in use by others while the other broker is away: it keeps its session and finds its place", () => {
		const { world, hub, edge } = setUp({ connections: 3, sessions: 4, handshakes: 2 });
		const above = new VirtualClient(world, hub.address, "above");
		above.subscribe("#");
		hub.isReachable = false;
		world.advance(300_000);
		const publisher = new VirtualClient(world, edge.address, "publisher");
		publisher.publish("kept", "1", 1);
		world.advance(100);
		for (let i = 0; i < 20; i++)
			new VirtualClient(world, edge.address, `greedy-${i}`, 5, {
				clean: false,
				properties: { sessionExpiryInterval: 9999 },
			});
		assert.equal(edge.broker.usage.sessions, 5, "that of the bridge is one more than configured");
		hub.isReachable = true;
		world.advance(120_000);
		assert.equal(edge.broker.counters.internalErrors, 0);
		assert.ok(above.messages.includes("kept=1"), above.messages.join());
	});

	test("users and rules: they do not apply to the bridge, and nobody can have its session", () => {
		const { world, hub, edge } = setUp(
			{
				anonymous: false,
				users: [{ name: "anna", hash: hashOf("secret") }],
				acl: [{ effect: "allow", action: "all", topic: "mine/#", user: "anna" }],
			},
			[
				{ filter: "mine/#", direction: "out", qos: 2 },
				{ filter: "news/#", direction: "in", qos: 2, localPrefix: "mine/" },
			],
		);
		const above = new VirtualClient(world, hub.address, "above");
		above.subscribe("mine/#");
		const login = { username: "anna", password: Buffer.from("secret") };
		const anna = new VirtualClient(world, edge.address, "anna", 5, login);
		world.advance(5000);
		anna.subscribe("mine/#");
		anna.publish("mine/a", "1", 2);
		above.publish("news/b", "2", 2);
		world.advance(1000);
		assert.deepEqual(above.messages, ["mine/a=1"]);
		assert.deepEqual(anna.messages, ["mine/a=1", "mine/news/b=2"]);
		const thief = new VirtualClient(world, edge.address, "edge-bridge", 5, login);
		world.advance(5000);
		assert.equal((thief.connacks[0] as { reasonCode?: number } | undefined)?.reasonCode, 0x85);
		anna.publish("mine/a", "3", 2);
		world.advance(1000);
		assert.deepEqual(above.messages, ["mine/a=1", "mine/a=3"]);
	});

	test("one turn for one packet, and packets of the smallest size: messages pass in both directions", () => {
		const { world, hub, edge } = setUp({ turnPackets: 1, turnBytes: 1, packetSize: 128, assemblyBytes: 0 }, [
			{ filter: "out", direction: "out", qos: 2 },
			{ filter: "in", direction: "in", qos: 2 },
		]);
		const above = new VirtualClient(world, hub.address, "above");
		above.subscribe("out");
		const below = new VirtualClient(world, edge.address, "below");
		below.subscribe("in");
		for (let i = 0; i < 30; i++) {
			above.publish("in", `${i}`, 2);
			below.publish("out", `${i}`, 2);
			world.advance(60);
		}
		world.advance(5000);
		const numbers = Array.from({ length: 30 }, (_, i) => i);
		assert.deepEqual(
			above.messages,
			numbers.map((i) => `out=${i}`),
		);
		assert.deepEqual(
			below.messages,
			numbers.map((i) => `in=${i}`),
		);
	});

	test("a flood of QoS 0 in both directions: QoS 1 amid it arrives, and no side holds the other up", () => {
		const { world, hub, edge } = setUp({}, [{ filter: "#", direction: "both", qos: 1 }]);
		const above = new VirtualClient(world, hub.address, "above");
		above.subscribe("sure/out", 1);
		const below = new VirtualClient(world, edge.address, "below");
		below.subscribe("sure/in", 1);
		const floods = [hub, edge].map(({ address }) => new VirtualClient(world, address, "flood"));
		for (let i = 0; i < 50; i++) {
			for (const flood of floods)
				for (let j = 0; j < 20; j++) flood.publish(`noise/${j}`, "x".repeat(300), 0);
			above.publish("sure/in", `${i}`, 1);
			below.publish("sure/out", `${i}`, 1);
			world.advance(50);
		}
		world.advance(30_000);
		assert.equal(new Set(above.messages).size, 50);
		assert.equal(new Set(below.messages).size, 50);
		assert.equal(edge.sys("bridge/connected"), "1");
	});

	test("retained values: RETAIN stays, and they are sent once, not again after a reconnect", () => {
		const { world, hub, edge } = setUp({}, [{ filter: "v/#", direction: "both", qos: 1 }]);
		const below = new VirtualClient(world, edge.address, "below");
		below.publish("v/out", "1", 1, { retain: true });
		const above = new VirtualClient(world, hub.address, "above");
		above.publish("v/in", "2", 1, { retain: true });
		world.advance(1000);
		const late = [edge, hub].map(({ address }) => {
			const client = new VirtualClient(world, address, "late");
			client.subscribe("v/#");
			return client;
		});
		for (const { messages, publishes } of late) {
			assert.deepEqual([...messages].sort(), ["v/in=2", "v/out=1"]);
			assert.ok(publishes.every(({ retain }) => retain));
		}
		hub.isReachable = false;
		world.advance(200_000);
		hub.isReachable = true;
		world.advance(120_000);
		for (const { messages } of late) assert.equal(messages.length, 2);
	});

	test("a message longer than the other broker allows: dropped and counted, and one that is not passes", () => {
		const world = new VirtualWorld();
		const hub = new VirtualMachine(world, "hub", { packetSize: 128 }).start();
		const edge = new VirtualMachine(world, "edge");
		edge.bridge = {
			url: `mqtt://${hub.address}`,
			topics: [
				{ filter: "out", qos: 2 },
				{ filter: "far", qos: 2, remotePrefix: "p".repeat(50) },
				{ filter: "in", direction: "in", qos: 2, localPrefix: "p".repeat(64) },
			],
		};
		edge.start();
		world.advance(2000);
		const above = new VirtualClient(world, hub.address, "above");
		above.subscribe("out");
		const below = new VirtualClient(world, edge.address, "below");
		for (const payload of ["x".repeat(200), "y".repeat(60)]) below.publish("out", payload, 2);
		world.advance(1000);
		assert.deepEqual(above.messages, [`out=${"y".repeat(60)}`]);
		assert.equal(edge.sys("bridge/dropped/out"), "1");
		assert.equal(edge.broker.usage.queued, 0);
	});
});
