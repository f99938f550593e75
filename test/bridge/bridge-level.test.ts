/** Protocol level 0x84, by which a bridge says over MQTT 3.1.1 that it is one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnectPacket, ISubscribePacket, Packet } from "mqtt-packet";
import { ScriptedHub } from "./scripted-hub";
import { VirtualClient, VirtualMachine, VirtualWorld } from "./virtual-world";

const BOTH = [{ filter: "t/#", direction: "both" }];

function setUp(bridge: object = {}) {
	const world = new VirtualWorld();
	const hub = new ScriptedHub(world, 4);
	const edge = new VirtualMachine(world, "edge");
	edge.bridge = {
		url: `mqtt://${hub.address}`,
		version: 4,
		keepAlive: "0s",
		connectTimeout: "1s",
		topics: BOTH,
		...bridge,
	};
	return { world, hub, edge };
}

/** Whether a CONNECT has the level of bridges; mqtt-packet's types lack the field. */
function isBridge(packet: Packet): boolean {
	return (packet as IConnectPacket & { bridgeMode?: boolean }).bridgeMode === true;
}

/** Each CONNECT and SUBSCRIBE since the last call: "bridge" or "client", or the filter. */
function taken(hub: ScriptedHub): string[] {
	return hub.packets.splice(0).flatMap((packet) => {
		if (packet.cmd === "connect") return isBridge(packet) ? "bridge" : "client";
		return packet.cmd === "subscribe" ? (packet as ISubscribePacket).subscriptions[0]!.topic : [];
	});
}

type Refusal = (hub: ScriptedHub) => void;

const refusals: Record<string, Refusal> = {
	"CONNACK 1": (hub) => hub.send({ cmd: "connack", sessionPresent: false, returnCode: 1 }),
	"a close without CONNACK": (hub) => hub.peer.end(),
	"no answer at all": () => {},
};

/** Has the hub refuse the level in that way, and accept any other CONNECT. */
function refuse(hub: ScriptedHub, refusal: Refusal): void {
	hub.answersConnect = false;
	hub.onPacket = (packet) => {
		if (packet.cmd !== "connect") return;
		if (isBridge(packet)) refusal(hub);
		else hub.send({ cmd: "connack", sessionPresent: false, returnCode: 0 });
	};
}

describe("the other broker knows bridges over MQTT 3.1.1", () => {
	test("CONNECT has the level on every connection, and topics in both directions come in", () => {
		const { world, hub, edge } = setUp();
		edge.start();
		world.advance(1000);
		assert.deepEqual(taken(hub), ["bridge", "t/#"]);
		hub.peer.end();
		world.advance(5000);
		assert.deepEqual(taken(hub), ["bridge", "t/#"]);
	});

	test("a live message has RETAIN as published, also in a session that lasts: it is stored here", () => {
		const { world, hub, edge } = setUp();
		hub.connack = { sessionPresent: true };
		edge.start();
		world.advance(1000);
		hub.peer.end();
		world.advance(5000);
		const retained = {
			cmd: "publish",
			topic: "t/a",
			payload: "1",
			qos: 1,
			messageId: 7,
			dup: false,
			retain: true,
		};
		hub.send(retained);
		world.advance(1000);
		const below = new VirtualClient(world, edge.address, "below");
		below.subscribe("#");
		assert.deepEqual(below.messages, ["t/a=1"]);
	});

	test("it accepted the level, and closes a later connection before CONNACK: the level stays", () => {
		const { world, hub, edge } = setUp();
		edge.start();
		world.advance(1000);
		refuse(hub, refusals["a close without CONNACK"]!);
		hub.peer.end();
		world.advance(10_000);
		assert.ok(!taken(hub).includes("client"));
	});
});

for (const [how, refusal] of Object.entries(refusals))
	describe(`the other broker refuses the level by ${how}`, () => {
		test("the bridge connects as any client, at once, and from then on", () => {
			const { world, hub, edge } = setUp({ topics: [{ filter: "t/#" }] });
			refuse(hub, refusal);
			edge.start();
			world.advance(1100);
			assert.deepEqual(taken(hub), ["bridge", "client"]);
			assert.equal(edge.sys("bridge/connected"), "1");
			assert.match(edge.traces.at(-1) ?? "", /: connected$/);
			hub.peer.end();
			world.advance(5000);
			assert.deepEqual(taken(hub), ["client"]);
		});

		test("topics that would come back bring nothing in, which is said; other ones do", () => {
			const { world, hub, edge } = setUp({
				topics: [
					{ filter: "in/#", direction: "in" },
					{ filter: "t/#", direction: "both" },
					{ filter: "a/b", direction: "out" },
					{ filter: "a/#", direction: "in" },
				],
			});
			refuse(hub, refusal);
			edge.start();
			world.advance(2000);
			assert.deepEqual(taken(hub), ["bridge", "client", "in/#"]);
			assert.match(edge.traces.at(-1) ?? "", /connected; it knows no bridges/);
			hub.connack = {};
			hub.peer.end();
			world.advance(5000);
			assert.deepEqual(taken(hub), ["client", "in/#"]);
		});
	});

test("the other broker stops as the bridge connects, and comes back: the level is tried again", () => {
	const { world, hub, edge } = setUp();
	hub.answersConnect = false;
	hub.onPacket = (packet) => {
		if (packet.cmd !== "connect") return;
		hub.peer.end();
		hub.isReachable = false;
	};
	edge.start();
	world.advance(10_000);
	assert.deepEqual(taken(hub), ["bridge"]);
	hub.onPacket = () => {};
	hub.answersConnect = true;
	hub.isReachable = true;
	world.advance(120_000);
	assert.deepEqual(taken(hub), ["bridge", "t/#"]);
});

for (const [how, answer] of [
	["CONNACK 1", refusals["CONNACK 1"]!],
	["a close without CONNACK", refusals["a close without CONNACK"]!],
] as const)
	test(`the other broker answers any CONNECT with ${how}: the bridge tries again after pauses`, () => {
		const { world, hub, edge } = setUp({ retryMinimum: "10s", retryMaximum: "10s" });
		hub.answersConnect = false;
		hub.onPacket = (packet) => packet.cmd === "connect" && answer(hub);
		edge.start();
		world.advance(60_000);
		const connects = taken(hub).length;
		// Two at once, where another level may help, and pauses of five to ten seconds
		assert.ok(connects >= 6 && connects <= 26, `${connects}`);
		assert.equal(edge.sys("bridge/connected"), "0");
	});

test("a broker takes the place of the one that knew bridges, and refuses the level: the bridge connects to it", () => {
	const { world, hub, edge } = setUp();
	edge.start();
	world.advance(1000);
	assert.deepEqual(taken(hub), ["bridge", "t/#"]);
	refuse(hub, refusals["CONNACK 1"]!);
	hub.peer.end();
	world.advance(5000);
	assert.deepEqual(taken(hub), ["bridge", "client"]);
});

for (const [version, tryPrivate] of [
	[4, false],
	[5, true],
] as const)
	test(`version ${version}, tryPrivate ${tryPrivate}: CONNECT is that of any client`, () => {
		const { world, hub, edge } = setUp({ version, tryPrivate, topics: [{ filter: "t/#" }] });
		hub.answersConnect = version === 4;
		edge.start();
		world.advance(900);
		assert.deepEqual(taken(hub), ["client"]);
	});
