import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { Broker } from "../../src/broker/broker";
import { defaults } from "../../src/config/defaults";
import { nodeHost } from "../broker/support/node-host";
import { Chromium, skipWithoutChromium } from "../support/chromium";
import { mosquittoInstalled } from "../support/mosquitto";

const skipWithoutMosquitto =
	mosquittoInstalled || process.env.FIREFLY_REQUIRE_PEERS ? false : "mosquitto is not installed";
const versions = [4, 5] as const;

let pages: Server;
/** Origin of the page server, which is in the list of allowed origins. */
let listed = "";
let broker: Broker;
let tcp = "";
let web = "";

before(async () => {
	const script = readFileSync(new URL("../../node_modules/mqtt/dist/mqtt.min.js", import.meta.url));
	pages = createServer(({ url }, response) => {
		if (url === "/mqtt.js") response.setHeader("Content-Type", "text/javascript").end(script);
		else
			response
				.setHeader("Content-Type", "text/html")
				.end("<!doctype html><meta charset=utf-8><title>panel</title><script src=/mqtt.js></script>");
	}).listen(0, "127.0.0.1");
	await once(pages, "listening");
	const { port } = pages.address() as AddressInfo;
	listed = `http://127.0.0.1:${port}`;
	broker = new Broker(
		nodeHost(),
		{
			...defaults.listen,
			anonymous: true,
			port: 0,
			webSocket: 0,
			origins: [listed],
			connections: 12,
			queuedPerClient: 300,
			queuedMessages: 600,
			queuedBytes: 65_536,
		},
		"panel & <co>",
	);
	broker.start();
	while (broker.port === 0 || broker.webSocketPort === 0) await new Promise(setImmediate);
	tcp = `mqtt://127.0.0.1:${broker.port}`;
	web = `127.0.0.1:${broker.webSocketPort}`;
});

after(() => {
	broker.stop();
	pages.close();
	assert.equal(broker.counters.internalErrors, 0);
});

function client(url: string, protocolVersion: 4 | 5, options: IClientOptions = {}): Promise<MqttClient> {
	return mqtt.connectAsync(url, { protocolVersion, reconnectPeriod: 0, ...options });
}

/** Collects `count` messages: topic, payload. */
function receiveMessages(from: MqttClient, count: number): Promise<string[]> {
	return new Promise((resolve) => {
		const got: string[] = [];
		from.on("message", (topic, payload) => {
			if (got.push(`${topic} ${payload}`) === count) resolve(got);
		});
	});
}

for (const version of versions) {
	describe(`MQTT.js ${version} over WebSocket and TCP on one broker`, () => {
		test("messages of any size pass whole between both transports", async () => {
			const socket = await client(`ws://${web}/mqtt`, version, { clientId: `ws${version}` });
			const plain = await client(tcp, version === 4 ? 5 : 4, { clientId: `tcp${version}` });
			const fromSocket = receiveMessages(plain, 100);
			const fromTcp = receiveMessages(socket, 100);
			await plain.subscribeAsync("ws/#", { qos: 1 });
			await socket.subscribeAsync("tcp/#", { qos: 1 });
			const sent = Array.from({ length: 100 }, (_, i) => "x".repeat((i * 37) % 450));
			await Promise.all(
				sent.flatMap((text, i) => [
					socket.publishAsync(`ws/${i}`, text, { qos: (i & 1) as 0 | 1 }),
					plain.publishAsync(`tcp/${i}`, text, { qos: (i & 1) as 0 | 1 }),
				]),
			);
			assert.deepEqual((await fromSocket).sort(), sent.map((text, i) => `ws/${i} ${text}`).sort());
			assert.deepEqual((await fromTcp).sort(), sent.map((text, i) => `tcp/${i} ${text}`).sort());
			await socket.endAsync();
			await plain.endAsync();
		});

		test("reconnecting over the other transport ends the first connection; wills are sent", async () => {
			const watcher = await client(tcp, version);
			const will = receiveMessages(watcher, 1);
			await watcher.subscribeAsync("gone");
			const first = await client(`ws://${web}/`, version, { clientId: "same" });
			const closed = once(first as never, "close");
			const second = await client(tcp, version, { clientId: "same" });
			await closed;
			const fields = { topic: "gone", payload: Buffer.from("ws"), qos: 1 as const, retain: false };
			const clientWithWill = await client(`ws://${web}/`, version, { clientId: "mortal", will: fields });
			clientWithWill.stream.destroy();
			assert.deepEqual(await will, ["gone ws"]);
			await Promise.all([second.endAsync(), watcher.endAsync()]);
		});

		test("mosquitto receives messages published over WebSocket", { skip: skipWithoutMosquitto }, async () => {
			const topic = `heard/${version}`;
			const args = [
				"-h",
				"127.0.0.1",
				"-p",
				`${broker.port}`,
				"-V",
				version === 4 ? "mqttv311" : "mqttv5",
				"-t",
				topic,
				"-q",
				"1",
			];
			const socket = await client(`ws://${web}`, version);
			await socket.publishAsync(topic, "kept", { retain: true, qos: 1 });
			const listener = spawn("mosquitto_sub", [...args, "-C", "1", "-W", "120"]);
			let output = "";
			listener.stdout.on("data", (data) => {
				output += data;
			});
			await once(listener, "close");
			assert.equal(output, "kept\n");
			const received = receiveMessages(socket, 2);
			await socket.subscribeAsync(topic, { qos: 1 });
			await once(spawn("mosquitto_pub", [...args, "-m", "back"]), "close");
			assert.deepEqual(await received, [`${topic} kept`, `${topic} back`]);
			await socket.publishAsync(topic, "", { retain: true });
			await socket.endAsync();
		});
	});
}

describe("Chromium", { skip: skipWithoutChromium }, () => {
	let chromium: Chromium;
	before(async () => {
		chromium = await Chromium.start();
	});
	after(() => chromium?.stop());

	for (const version of versions) {
		test(`MQTT.js ${version} in a page exchanges messages with a client over TCP`, async () => {
			const plain = await client(tcp, version);
			const received = receiveMessages(plain, 2);
			await plain.subscribeAsync("page/#", { qos: 1 });
			await chromium.open(`${listed}/`);
			const options = { protocolVersion: version, clientId: `page${version}`, reconnectPeriod: 0 };
			await chromium.evaluate(`(async () => {
				globalThis.client = await mqtt.connectAsync("ws://${web}/mqtt", ${JSON.stringify(options)});
				globalThis.got = new Promise((resolve) => client.on("message", (topic, payload) => resolve(topic + " " + payload)));
				await client.subscribeAsync("to/page", { qos: 1 });
				await client.publishAsync("page/small", "1", { qos: 1 });
				await client.publishAsync("page/large", "x".repeat(400), { qos: 1 });
			})()`);
			assert.deepEqual(await received, ["page/small 1", `page/large ${"x".repeat(400)}`]);
			await plain.publishAsync("to/page", "é😀", { qos: 1 });
			assert.equal(await chromium.evaluate("got"), "to/page é😀");
			await chromium.evaluate("client.endAsync()");
			await plain.endAsync();
		});
	}

	test("a page whose origin is not listed cannot connect", async () => {
		await chromium.open(listed.replace("127.0.0.1", "localhost").replace(/$/, "/"));
		const connect = `new Promise((resolve) => {
			const socket = new WebSocket("ws://${web}/", "mqtt");
			socket.onopen = () => resolve("open");
			socket.onclose = ({ code }) => resolve(code);
		})`;
		const refused = broker.counters.requestsRefused;
		assert.equal(await chromium.evaluate(connect), 1006);
		assert.equal(broker.counters.requestsRefused, refused + 1);
		assert.match(await chromium.evaluate(`fetch("http://${web}/").then(() => "read", String)`), /TypeError/);
	});

	test("the status page shows published values as text, never as HTML", async () => {
		const plain = await client(tcp, 5);
		const htmlPayload =
			'<script>document.title="owned"</script><img src=x onerror="document.title=1">&lt;"\'';
		await plain.publishAsync(`nasty/${htmlPayload.replaceAll("/", "")}`, htmlPayload, {
			retain: true,
			qos: 1,
		});
		await plain.publishAsync("nasty/plain", "21.5 °C", { retain: true, qos: 1 });
		chromium.console.length = 0;
		await chromium.open(`http://${web}/`);
		const page = await chromium.evaluate<{
			title: string;
			heading: string;
			mode: string;
			elements: string[];
			scripts: number;
			rows: string[][];
			times: string[];
		}>(`({
			title: document.title,
			heading: document.querySelector("h1").textContent,
			mode: document.compatMode,
			elements: [...new Set([...document.querySelectorAll("*")].map(({ localName }) => localName))].sort(),
			scripts: document.scripts.length,
			rows: [...document.querySelectorAll("tbody tr")].map((row) => [...row.cells].slice(0, 2).map((cell) => cell.textContent)),
			times: [...document.querySelectorAll("time")].map(({ dateTime }) => dateTime),
		})`);
		const { rows, times, elements, ...rest } = page;
		const known =
			"a b body dd div dl dt footer h1 head html i link meta script style table tbody td th thead time title tr".split(
				" ",
			);
		assert.deepEqual(rest, {
			title: "panel & <co>",
			heading: "panel & <co>",
			mode: "CSS1Compat",
			// The page's own
			scripts: 1,
		});
		assert.deepEqual(
			elements.filter((element) => !known.includes(element)),
			[],
		);
		const shown = rows.filter(([topic]) => topic.startsWith("nasty"));
		assert.deepEqual(shown, [
			[`nasty/${htmlPayload.replaceAll("/", "")}`, htmlPayload],
			["nasty/plain", "21.5 °C"],
		]);
		for (const time of times) assert.ok(Math.abs(Date.parse(time) - Date.now()) < 3_600_000);
		assert.equal(
			await chromium.evaluate("getComputedStyle(document.querySelector('table')).borderSpacing"),
			"0px",
		);
		assert.doesNotMatch(chromium.console.join(), /exception|dialog/i);
		await plain.endAsync();
	});
});
