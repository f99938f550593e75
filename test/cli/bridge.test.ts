import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import mqtt, { type MqttClient } from "mqtt";
import { until } from "../bridge/bridged-broker";
import { freePort, Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { selfSigned } from "../support/self-signed";
import { BrokerProcess } from "./broker-process";
import { Project } from "./project";

const firmware = fileURLToPath(new URL("../../firmware/manifest.json", import.meta.url));
const MESSAGES = 20;

function connect(port: number): Promise<MqttClient> {
	return mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
}

describe("firefly broker with a bridge", { skip: mosquittoInstalled ? false : "no mosquitto" }, () => {
	const { certificate, key } = selfSigned();
	const project = new Project({ "ca.pem": certificate, "key.pem": key });
	// mosquitto reads them as another user
	chmodSync(project.directory, 0o755);
	after(() => project.remove());

	for (const [engine, scheme] of [
		["node", "mqtt"],
		["xs", "mqtt"],
		["node", "wss"],
		["xs", "mqtts"],
		["xs", "wss"],
	] as const)
		test(`--engine ${engine}: QoS 2 to mosquitto by ${scheme}:// and back, its address from firefly.local.json`, async (t) => {
			const upstreamPort = await freePort();
			const mosquitto = await Mosquitto.start([
				"allow_anonymous true",
				`listener ${upstreamPort} 127.0.0.1`,
				...(scheme === "wss" ? ["protocol websockets"] : []),
				...(scheme === "mqtt"
					? []
					: [`certfile ${project.directory}/ca.pem`, `keyfile ${project.directory}/key.pem`]),
			]);
			t.after(() => mosquitto.stop());
			const topics = [
				{ filter: "up/#", qos: 2, remotePrefix: "sites/{id}/" },
				{ filter: "down/#", direction: "in", qos: 2, remotePrefix: "sites/{id}/", localPrefix: "from/" },
			];
			const file = `${project.directory}/bridged.json`;
			project.write(
				"bridged.json",
				JSON.stringify({
					include: [firmware],
					config: {
						firefly: {
							role: "broker",
							id: "edge",
							listen: { anonymous: true, connections: 3 },
							bridge: {
								topics,
								...(scheme === "mqtt" ? {} : { tls: { ca: "ca.pem", serverName: "localhost" } }),
							},
						},
					},
				}),
			);
			project.write(
				"firefly.local.json",
				JSON.stringify({ bridge: { url: `${scheme}://127.0.0.1:${upstreamPort}` } }),
			);
			const broker = await BrokerProcess.start(["--config", file, "--port", "0", "--engine", engine]);
			const above = await connect(mosquitto.port);
			const below = await connect(broker.ports.mqtt!);
			const received = new Map<MqttClient, string[]>([
				[above, []],
				[below, []],
			]);
			for (const [client, messages] of received)
				client.on("message", (topic, payload) => messages.push(`${topic}=${payload}`));
			await above.subscribeAsync("sites/edge/up/#", { qos: 2 });
			await below.subscribeAsync("from/#", { qos: 2 });
			await below.subscribeAsync("$SYS/bridge/connected");
			await until(() => received.get(below)!.includes("$SYS/bridge/connected=1"));
			await below.unsubscribeAsync("$SYS/bridge/connected");
			received.get(below)!.length = 0;
			for (let i = 0; i < MESSAGES; i++) {
				await below.publishAsync("up/a", `${i}`, { qos: 2 });
				await above.publishAsync("sites/edge/down/b", `${i}`, { qos: 2 });
			}
			await until(() => [...received.values()].every(({ length }) => length >= MESSAGES));
			const numbers = Array.from({ length: MESSAGES }, (_, i) => i);
			assert.deepEqual(
				received.get(above),
				numbers.map((i) => `sites/edge/up/a=${i}`),
			);
			assert.deepEqual(
				received.get(below),
				numbers.map((i) => `from/down/b=${i}`),
			);
			await Promise.all([above.endAsync(), below.endAsync()]);
			await broker.stop();
		});

	for (const engine of ["node", "xs"] as const)
		test(`--engine ${engine} --verbose: each try of the bridge, with the wait, the reason once, and that it connects`, async (t) => {
			const port = await freePort();
			const bridge = {
				url: `mqtt://127.0.0.1:${port}`,
				topics: [{ filter: "a" }],
				retryMinimum: "100ms",
				retryMaximum: "200ms",
			};
			project.write(
				"verbose.json",
				JSON.stringify({
					include: [firmware],
					config: { firefly: { role: "broker", listen: { anonymous: true }, bridge } },
				}),
			);
			project.write("firefly.local.json", "{}");
			const file = `${project.directory}/verbose.json`;
			const broker = await BrokerProcess.start([
				"--config",
				file,
				"--port",
				"0",
				"--engine",
				engine,
				"--verbose",
			]);
			const tries = / {2}bridge: (a try|[2-9] tries in a row) failed, the next one in 0\.[12] s$/gm;
			await until(() => [...broker.output.matchAll(tries)].length >= 3);
			const mosquitto = await Mosquitto.start(undefined, port);
			t.after(() => mosquitto.stop());
			await until(() => / {2}bridge connected$/m.test(broker.output));
			const [, errors] = await broker.stop();
			const lines = errors.split("\n").filter((line) => line.startsWith("bridge: "));
			assert.equal(lines.length, 2, errors);
			assert.match(lines[0]!, /: no TCP connection: refused or unreachable; next try in 0\.1 s$/);
			assert.match(lines[1]!, /: connected$/);
		});
});
