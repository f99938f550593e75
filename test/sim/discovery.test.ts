/** The firmware on a simulated board, announced to a real broker, and what a late subscriber finds there. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connectAsync } from "mqtt";
import { runSimulation } from "../../sim/run";
import { HomieDevice, readDeviceConfig, SensorEntity } from "../sensor/discovery/rules";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));

interface Retained {
	readonly topic: string;
	readonly payload: string;
	readonly retain: boolean;
}

/** What the broker has retained. */
async function retainedAt(port: number): Promise<Retained[]> {
	const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, protocolVersion: 5 });
	const messages: Retained[] = [];
	const done = new Promise<void>((resolve) => {
		client.on("message", (topic, payload, { retain }) => {
			if (topic === "end") resolve();
			else messages.push({ topic, payload: payload.toString(), retain });
		});
	});
	await client.subscribeAsync("#", { qos: 1 });
	await client.publishAsync("end", "", { qos: 1 });
	await done;
	await client.endAsync(true);
	return messages;
}

/** Runs the repository's manifest with more sensors, announced in both forms. */
async function run(port: number, discovery: unknown, names: readonly string[]): Promise<string[]> {
	const json = JSON.parse(readFileSync(MANIFEST, "utf8"));
	const { firefly } = json.config;
	delete firefly.topic;
	firefly.discovery = discovery;
	firefly.id = "shed";
	firefly.broker.url = `mqtt://127.0.0.1:${port}`;
	firefly.sensors = names.map((name) => ({ ...firefly.sensors[0], name }));
	const traces: string[] = [];
	await runSimulation({
		manifest: { path: MANIFEST, json, overrides: {} },
		duration: 120_000,
		speed: "max",
		seed: 1,
		broker: new URL(firefly.broker.url),
		engine: "xs",
		listener: {
			event(event) {
				assert.notEqual(event.type, "crash");
				if (event.type === "trace") traces.push(event.message);
			},
		},
	});
	return traces;
}

describe("a node announced to mosquitto", {
	skip: mosquittoInstalled || process.env.FIREFLY_REQUIRE_PEERS ? false : "mosquitto is not installed",
}, () => {
	test("a subscriber that comes later finds device, entities and values, as the rules want them", async () => {
		const broker = await Mosquitto.start();
		try {
			const names = Array.from({ length: 16 }, (_, i) => `thermometer-${i}`);
			const both = { formats: ["homeassistant", "homie"], name: "Gewächshaus", area: "Garten" };
			assert.deepEqual(await run(broker.port, both, names), ["announced: homeassistant and homie"]);
			const messages = await retainedAt(broker.port);
			assert.ok(messages.every(({ retain }) => retain));
			const topic = "homeassistant/device/shed/config";
			const config = messages.find((message) => message.topic === topic)!;
			assert.ok(config.payload.length > 3000);
			const { device, components } = readDeviceConfig(topic, config.payload);
			assert.deepEqual([device.name, device.suggested_area], ["Gewächshaus", "Garten"]);
			assert.deepEqual(Object.keys(components), names);
			for (const component of Object.values(components)) {
				const { unit_of_measurement, device_class, suggested_display_precision } = component;
				assert.deepEqual(
					[unit_of_measurement, device_class, suggested_display_precision],
					["°C", "temperature", 1],
				);
				const entity = new SensorEntity(component);
				entity.receive(0, messages.find((message) => message.topic === component.state_topic)!.payload);
				assert.match(entity.value!, /^-?\d+\.\d$/);
			}
			const homie = new HomieDevice("homie/5/shed");
			// The order of retained messages is the broker's.
			for (const message of messages.filter(({ topic }) => topic.endsWith("/$state"))) {
				assert.equal(message.payload, "sleeping");
				homie.state = "init";
			}
			for (const { topic, payload, retain } of messages)
				if (topic.startsWith("homie/") && !topic.endsWith("$state")) homie.receive(topic, payload, retain);
			homie.checkValues();
			assert.equal(homie.values.size, 16);
		} finally {
			await broker.stop();
		}
	});
});
