/** The device with the bridge loses its power at every millisecond of a QoS 2 exchange, with stored state. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VirtualClient, VirtualMachine, VirtualWorld } from "./virtual-world";

/** The exchanges of both sides, with 5 ms of latency, are over by then. */
const EXCHANGE_MS = 90;

function setUp(version: 4 | 5) {
	const world = new VirtualWorld();
	const hub = new VirtualMachine(world, "hub").start();
	const edge = new VirtualMachine(world, "edge", { persist: true, persistInterval: 0 });
	edge.bridge = {
		url: `mqtt://${hub.address}`,
		version,
		topics: [
			{ filter: "out/#", qos: 2 },
			{ filter: "in/#", direction: "in", qos: 2 },
		],
	};
	edge.start();
	world.advance(2000);
	const above = new VirtualClient(world, hub.address, "above");
	above.subscribe("out/#");
	return { world, hub, edge, above };
}

const lasting = { clean: false, properties: { sessionExpiryInterval: 1000 } };

for (const version of [4, 5] as const)
	describe(`power lost during QoS 2, MQTT ${version === 4 ? "3.1.1" : "5.0"}`, () => {
		test("out, at every millisecond: each message arrives once at the other broker, in order", () => {
			const { world, edge, above } = setUp(version);
			const expected: string[] = [];
			for (let ms = 0; ms < EXCHANGE_MS; ms++) {
				const publisher = new VirtualClient(world, edge.address, "publisher");
				// Each message is taken before the cut, from a client that does not repeat it
				publisher.publish("out/a", `${ms}`, 2);
				world.advance(11);
				expected.push(`out/a=${ms}`);
				world.advance(ms);
				edge.cutPower();
				world.advance(50);
				edge.start();
				world.advance(3000);
			}
			world.advance(60_000);
			assert.deepEqual(above.messages, expected);
			assert.equal(edge.broker.usage.queued, 0);
		});

		test("in, at every millisecond: each message arrives once at this broker, in order", () => {
			const { world, edge, hub } = setUp(version);
			const first = new VirtualClient(world, edge.address, "below", 5, lasting);
			first.subscribe("in/#");
			first.close();
			world.advance(100);
			const publisher = new VirtualClient(world, hub.address, "publisher");
			const expected: string[] = [];
			for (let ms = 0; ms < EXCHANGE_MS; ms++) {
				publisher.publish("in/b", `${ms}`, 2);
				expected.push(`in/b=${ms}`);
				world.advance(ms);
				edge.cutPower();
				world.advance(50);
				edge.start();
				world.advance(3000);
			}
			world.advance(60_000);
			// What arrived here waits for the client that was away all the time
			const below = new VirtualClient(world, edge.address, "below", 5, lasting);
			world.advance(5000);
			assert.deepEqual(below.messages, expected);
		});

		test("without stored state: nothing that goes on to be published is lost, nor doubled by old identifiers", () => {
			const world = new VirtualWorld();
			const hub = new VirtualMachine(world, "hub").start();
			const edge = new VirtualMachine(world, "edge");
			edge.bridge = { url: `mqtt://${hub.address}`, version, topics: [{ filter: "out/#", qos: 2 }] };
			edge.start();
			world.advance(2000);
			const above = new VirtualClient(world, hub.address, "above");
			above.subscribe("out/#");
			const expected: string[] = [];
			for (let ms = 0; ms < 40; ms += 2) {
				// Cut amid an exchange, whose identifier the next run uses again
				const early = new VirtualClient(world, edge.address, "publisher");
				early.publish("out/a", `cut ${ms}`, 2);
				world.advance(ms);
				edge.cutPower();
				world.advance(50);
				edge.start();
				world.advance(3000);
				const publisher = new VirtualClient(world, edge.address, "publisher");
				publisher.publish("out/a", `${ms}`, 2);
				expected.push(`out/a=${ms}`);
				world.advance(1000);
			}
			assert.deepEqual(
				above.messages.filter((message) => !message.includes("cut")),
				expected,
			);
			assert.equal(new Set(above.messages).size, above.messages.length);
		});
	});
