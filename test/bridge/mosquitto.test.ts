/** Our bridge over MQTT 3.1.1 and mosquitto, which knows bridges, and may have one of its own. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectAsync, type MqttClient } from "mqtt";
import { freePort, Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { BridgedBroker, bridgeSettings, until } from "./bridged-broker";

const MESSAGES = 5;

interface Side {
	readonly client: MqttClient;
	readonly received: string[];
}

async function subscriber(port: number): Promise<Side> {
	const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
	const received: string[] = [];
	client.on("message", (topic, payload, { retain }) => {
		received.push(`${topic}=${payload}${retain ? " retained" : ""}`);
	});
	await client.subscribeAsync("t/#", { qos: 1 });
	return { client, received };
}

/** Publishes on one side, waits for the messages on the other one, and for whatever comes after them. */
async function publishAndSettle(from: Side, to: Side, topic: string): Promise<void> {
	for (let i = 0; i < MESSAGES; i++) await from.client.publishAsync(topic, `${i}`, { qos: 1 });
	const last = `${topic}=${MESSAGES - 1}`;
	await until(
		() => to.received.includes(last),
		() => `${to.received}`,
	);
	// What circles passes a marker by: each one takes the ways that the messages took before it
	for (let i = 0; i < 3; i++)
		for (const [one, other] of [
			[from, to],
			[to, from],
		] as const) {
			const marker = `t/marker=${topic}${i}`;
			other.received.splice(0, other.received.length, ...other.received.filter((text) => text !== marker));
			await one.client.publishAsync("t/marker", `${topic}${i}`, { qos: 1 });
			await until(() => other.received.includes(marker));
		}
}

const count = ({ received }: Side, text: string): number => received.filter((one) => one === text).length;

describe("mosquitto", { skip: mosquittoInstalled ? false : "no mosquitto" }, () => {
	test("a bridge in both directions over MQTT 3.1.1: each message arrives once on either side, RETAIN as published", async () => {
		const mosquitto = await Mosquitto.start();
		const settings = bridgeSettings(mosquitto.port, {
			version: 4,
			topics: [{ filter: "t/#", direction: "both" }],
		});
		const ours = new BridgedBroker(settings);
		const port = await ours.start();
		await ours.connected();
		const here = await subscriber(port);
		const there = await subscriber(mosquitto.port);
		await publishAndSettle(here, there, "t/up");
		await publishAndSettle(there, here, "t/down");
		for (let i = 0; i < MESSAGES; i++)
			for (const side of [here, there])
				for (const topic of ["t/up", "t/down"])
					assert.equal(count(side, `${topic}=${i}`), 1, `${side.received}`);
		await there.client.publishAsync("t/stored", "1", { qos: 1, retain: true });
		await until(() => count(here, "t/stored=1") === 1);
		const later = await subscriber(port);
		await until(() => later.received.includes("t/stored=1 retained"));
		for (const { client } of [here, there, later]) await client.endAsync(true);
		ours.broker.stop();
		await mosquitto.stop();
	});

	for (const version of [4, 5] as const)
		test(`it has a bridge to this broker, whose bridge goes there over MQTT ${version === 4 ? "3.1.1" : "5.0"}: no message circles`, async () => {
			const port = await freePort();
			const mosquitto = await Mosquitto.start([
				"allow_anonymous true",
				"connection edge",
				`address 127.0.0.1:${port}`,
				"topic t/# both 1",
				"bridge_protocol_version mqttv311",
				"notifications false",
				"restart_timeout 1 1",
			]);
			const settings = bridgeSettings(mosquitto.port, {
				version,
				topics: [{ filter: "t/#", direction: "both" }],
			});
			const ours = new BridgedBroker(settings, { port });
			await ours.start();
			await ours.connected();
			await until(() => ours.broker.usage.connections >= 2);
			const here = await subscriber(port);
			const there = await subscriber(mosquitto.port);
			await publishAndSettle(here, there, "t/up");
			await publishAndSettle(there, here, "t/down");
			for (let i = 0; i < MESSAGES; i++)
				for (const side of [here, there])
					for (const topic of ["t/up", "t/down"]) {
						// Here, on the other side by two bridges, and back by that of the other one
						const copies = count(side, `${topic}=${i}`);
						assert.ok(copies >= 1 && copies <= 3, `${topic}=${i} ${copies} times: ${side.received}`);
					}
			for (const { client } of [here, there]) await client.endAsync(true);
			ours.broker.stop();
			await mosquitto.stop();
		});
});
