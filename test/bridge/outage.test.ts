import assert from "node:assert/strict";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connectAsync } from "mqtt";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { BridgedBroker, bridgeSettings, until } from "./bridged-broker";
import { VirtualClient, VirtualMachine, VirtualWorld } from "./virtual-world";

const HOUR_MS = 3_600_000;

describe("the other broker is away for an hour", () => {
	for (const version of [4, 5] as const)
		for (const qos of [1, 2] as const)
			test(`MQTT ${version === 4 ? "3.1.1" : "5.0"}, QoS ${qos}: what was published meanwhile arrives, once and in order`, () => {
				const world = new VirtualWorld();
				const hub = new VirtualMachine(world, "hub").start();
				const edge = new VirtualMachine(world, "edge");
				edge.bridge = {
					url: `mqtt://${hub.address}`,
					version,
					topics: [
						{ filter: "out/#", qos },
						{ filter: "in/#", direction: "in", qos },
					],
				};
				edge.start();
				world.advance(1000);
				assert.equal(edge.sys("bridge/connected"), "1");
				const above = new VirtualClient(world, hub.address, "above");
				above.subscribe("out/#");
				const below = new VirtualClient(world, edge.address, "below");
				below.subscribe("in/#");
				hub.isReachable = false;
				const expected: string[] = [];
				for (let minute = 0; minute < 60; minute++) {
					world.advance(HOUR_MS / 60);
					below.publish("out/a", `${minute}`, qos);
					below.publish("out/zero", `${minute}`, 0);
					expected.push(`out/a=${minute}`);
				}
				world.advance(1000);
				assert.equal(edge.sys("bridge/connected"), "0");
				assert.equal(edge.sys("bridge/queued"), "60");
				hub.isReachable = true;
				// Within the longest wait between two tries, and TCP's for its SYN
				world.advance(120_000);
				assert.equal(edge.sys("bridge/connected"), "1");
				assert.deepEqual(
					above.messages.filter((message) => !message.startsWith("out/zero")),
					expected,
				);
				above.publish("in/b", "back", qos);
				world.advance(1000);
				assert.deepEqual(below.messages, ["in/b=back"]);
				assert.equal(edge.sys("bridge/queued"), "0");
				assert.equal(edge.sys("bridge/dropped/out"), "0");
				assert.equal(edge.sys("bridge/messages/out"), String(above.messages.length));
				assert.equal(edge.sys("bridge/messages/in"), "1");
				const failures = edge.traces.filter((line) => line.startsWith("bridge: "));
				assert.ok(failures.length < 10, `a line for each change, not for each try: ${failures.length}`);
			});

	test("more than the queue holds: the newest are lost for the bridge alone, and counted", () => {
		const world = new VirtualWorld();
		const hub = new VirtualMachine(world, "hub").start();
		const edge = new VirtualMachine(world, "edge", { queuedPerClient: 10 });
		edge.bridge = { url: `mqtt://${hub.address}`, topics: [{ filter: "#" }] };
		edge.start();
		world.advance(1000);
		const below = new VirtualClient(world, edge.address, "below");
		below.subscribe("#");
		hub.isReachable = false;
		world.advance(HOUR_MS);
		for (let i = 0; i < 25; i++) {
			below.publish("t", `${i}`, 1);
			world.advance(50);
		}
		world.advance(1000);
		assert.equal(below.messages.length, 25);
		assert.equal(edge.sys("bridge/dropped/queue"), "15");
		const above = new VirtualClient(world, hub.address, "above");
		above.close();
		hub.isReachable = true;
		const later = new VirtualClient(world, hub.address, "later");
		later.subscribe("#");
		world.advance(120_000);
		assert.deepEqual(
			later.messages,
			Array.from({ length: 10 }, (_, i) => `t=${i}`),
		);
	});
});

describe("mosquitto stops and starts again", { skip: mosquittoInstalled ? false : "no mosquitto" }, () => {
	for (const version of [4, 5] as const)
		test(`MQTT ${version === 4 ? "3.1.1" : "5.0"}: stopped amid messages of QoS 2, all arrive once`, async (t) => {
			const directory = `${await mkdtemp(join(tmpdir(), "bridge-"))}/`;
			// Started by root, mosquitto becomes a user of its own.
			await chmod(directory, 0o777);
			const settings = ["allow_anonymous true", "persistence true", `persistence_location ${directory}`];
			let mosquitto = await Mosquitto.start(settings);
			const { port } = mosquitto;
			const bridged = new BridgedBroker(
				bridgeSettings(port, { version, topics: [{ filter: "out/#", qos: 2 }] }),
			);
			const localPort = await bridged.start();
			await bridged.connected();
			const publisher = await connectAsync(`mqtt://127.0.0.1:${localPort}`);
			const received: string[] = [];
			const subscriber = await connectAsync(`mqtt://127.0.0.1:${port}`, {
				clientId: "above",
				clean: false,
				reconnectPeriod: 20,
			});
			subscriber.on("message", (_, payload) => received.push(payload.toString()));
			subscriber.on("error", () => {});
			await subscriber.subscribeAsync("out/#", { qos: 2 });
			t.after(async () => {
				subscriber.end(true);
				publisher.end(true);
				bridged.broker.stop();
				await mosquitto.stop();
				await rm(directory, { recursive: true, force: true });
			});
			for (let round = 0; round < 3; round++) {
				for (let i = 0; i < 20; i++) publisher.publish("out/a", `${round * 40 + i}`, { qos: 2 });
				await until(() => received.length > round * 40);
				await mosquitto.stop("SIGTERM");
				for (let i = 20; i < 40; i++) await publisher.publishAsync("out/a", `${round * 40 + i}`, { qos: 2 });
				mosquitto = await Mosquitto.start(settings, port);
				await bridged.connected(round + 2);
				await until(
					() => received.length >= (round + 1) * 40 && bridged.broker.usage.queued === 0,
					() => `${received.length} of ${(round + 1) * 40}`,
				);
			}
			assert.deepEqual(
				received.map(Number),
				Array.from({ length: 120 }, (_, i) => i),
			);
		});
});
