import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import mqtt, { type MqttClient } from "mqtt";
import { hashPassword } from "../../cli/passwd/hash";
import { Broker } from "../../src/broker/broker";
import { defaults } from "../../src/config/defaults";
import type { ListenSettings } from "../../src/config/settings";
import { basicAuthorization } from "../broker/support/browser";
import { nodeHost } from "../broker/support/node-host";
import { Chromium, skipWithoutChromium } from "../support/chromium";
import { freePort } from "../support/mosquitto";

/** Longest wait for what a page shows, ms: far above what a machine with much other work needs. */
const TIMEOUT_MS = 120_000;

const users = [{ name: "anna", hash: hashPassword("apple", 100) }];

async function start(settings: Partial<ListenSettings>): Promise<Broker> {
	const listen = { ...defaults.listen, anonymous: true, port: 0, webSocket: 0, ...settings };
	const broker = new Broker(nodeHost(), listen, "greenhouse");
	broker.start();
	while (broker.port === 0 || broker.webSocketPort === 0) await new Promise(setImmediate);
	return broker;
}

describe("the status page in Chromium", { skip: skipWithoutChromium }, () => {
	let browser: Chromium;
	before(async () => {
		browser = await Chromium.start();
	});
	after(() => browser.stop());

	const open = (broker: Broker): Promise<void> => browser.open(`http://127.0.0.1:${broker.webSocketPort}/`);
	const publisher = (broker: Broker, options = {}): Promise<MqttClient> =>
		mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0, ...options });
	/** Waits until an expression is true in the page. */
	const until = async (expression: string): Promise<void> => {
		const end = performance.now() + TIMEOUT_MS;
		while (!(await browser.evaluate<boolean>(expression))) {
			assert.ok(performance.now() < end, `never true: ${expression}`);
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	};
	const rows = (): Promise<string[][]> =>
		browser.evaluate(
			"[...document.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText.trim()))",
		);
	/** Topic and value of each row. */
	const values = async (): Promise<string[][]> => (await rows()).map(([topic, value]) => [topic!, value!]);
	/** Waits for these rows: what the broker has acknowledged may still be on its way to the page. */
	const untilThereAre = async (expected: readonly (readonly string[])[]): Promise<void> => {
		const end = performance.now() + TIMEOUT_MS;
		while (!isDeepStrictEqual(await values(), expected) && performance.now() < end)
			await new Promise((resolve) => setTimeout(resolve, 20));
		assert.deepEqual(await values(), expected);
	};
	const isLive = "document.querySelector('footer').textContent === 'Live'";

	test("values change, come and go by themselves, each with a line of its numbers", async () => {
		const broker = await start({});
		const client = await publisher(broker);
		const publish = (topic: string, payload: string | Buffer) =>
			client.publishAsync(topic, payload, { qos: 1, retain: true });
		await publish("home/b", "1");
		await publish("home/d", "on");
		await publish("gone", "x");
		await open(broker);
		await until(isLive);
		for (const value of ["2", "4.5", "3"]) await publish("home/b", value);
		await publish("home/c", Buffer.from([0xff, 1]));
		await publish("home/a", "<b>&");
		await publish("gone", "");
		await untilThereAre([
			["home/a", "<b>&"],
			["home/b", "3"],
			["home/c", "ff 01"],
			["home/d", "on"],
		]);
		for (const [, , age] of await rows()) assert.match(age!, /^\d+ s ago/);
		const points = await browser.evaluate<string[]>(
			"[...document.querySelectorAll('polyline')].map((line) => line.getAttribute('points'))",
		);
		assert.deepEqual(points, ["0.0,19.0 32.0,13.9 64.0,1.0 96.0,8.7"]);
		await until("/^2 of /.test(document.querySelectorAll('dd')[1].textContent)");
		assert.deepEqual(browser.console, [], "the Content-Security-Policy forbids something");
		await client.endAsync();
		broker.stop();
	});

	test("discovery passes through the broker: values have their units, also those that are there before", async () => {
		const broker = await start({ packetSize: 2048, retainedBytes: 8192 });
		const client = await publisher(broker);
		const publish = (topic: string, payload: string) =>
			client.publishAsync(topic, payload, { qos: 1, retain: true });
		await publish("home/shed/t", "21.5");
		await publish("home/shed/all", '{"seq":1,"hum":48,"t":21.5}');
		await open(broker);
		await until(isLive);
		const component = (topic: string, unit: string, template?: string): object => ({
			p: "sensor",
			stat_t: topic,
			unit_of_meas: unit,
			...(template === undefined ? {} : { val_tpl: template }),
		});
		const config = "homeassistant/device/shed/config";
		const cmps = {
			t: component("home/shed/t", "°C"),
			hum: component("home/shed/all", "%", "{{value_json['hum']|default('')}}"),
			late: component("home/shed/late", "<b>Pa"),
			door: { p: "binary_sensor", stat_t: "home/shed/door", pl_on: "1", pl_off: "0" },
			"a long name that makes the message longer than the page's limit": { p: "sensor", ic: "x".repeat(300) },
		};
		await publish(config, JSON.stringify({ dev: {}, cmps }));
		await publish("home/shed/late", "101325");
		await publish("home/shed/door", "1");
		const expected = [
			["home/shed/all", '{"seq":1,"hum":48,"t":21.5} hum 48 %'],
			["home/shed/door", "1 on"],
			["home/shed/late", "101325 <b>Pa"],
			["home/shed/t", "21.5 °C"],
			[config, "describes others, units: 4"],
		];
		await untilThereAre(expected);
		await publish("home/shed/t", "22");
		await publish("home/shed/t", "unavailable");
		await publish("home/shed/door", "0");
		await until("/0 off/.test(document.body.textContent) && /unavailable/.test(document.body.textContent)");
		assert.deepEqual((await values())[3], ["home/shed/t", "unavailable"]);
		await publish("home/shed/door", "1");
		await publish("home/shed/t", "21.5");
		await until("/1 on/.test(document.body.textContent) && !/unavailable/.test(document.body.textContent)");
		// A page that is opened later: the broker has written the rows, the description in part.
		await open(broker);
		await until(isLive);
		await untilThereAre(expected);
		await publish(config, "");
		await until("document.querySelectorAll('tbody tr').length === 4");
		assert.deepEqual((await values())[1], ["home/shed/door", "1"]);
		assert.deepEqual((await values())[3], ["home/shed/t", "21.5"]);
		assert.deepEqual(browser.console, []);
		await client.endAsync();
		broker.stop();
	});

	test("no values: the table says so, also after the last one has gone", async () => {
		const broker = await start({});
		const client = await publisher(broker);
		const note = "getComputedStyle(document.querySelector('tbody'), ':before').content";
		await open(broker);
		await until(isLive);
		assert.equal(await browser.evaluate(note), '"No values"');
		await client.publishAsync("a", "1", { qos: 1, retain: true });
		await until("document.querySelectorAll('tbody tr').length === 1");
		assert.equal(await browser.evaluate(note), "none");
		await client.publishAsync("a", "", { qos: 1, retain: true });
		await until("document.querySelectorAll('tbody tr').length === 0");
		assert.equal(await browser.evaluate(note), '"No values"');
		await client.endAsync();
		broker.stop();
	});

	test("the broker goes and comes: the page says so, and is live again", async () => {
		// No connection of this machine takes them meanwhile.
		const ports = { port: await freePort(), webSocket: await freePort() };
		const broker = await start(ports);
		await open(broker);
		await until(isLive);
		const dot = "getComputedStyle(document.querySelector('h1'), ':before').backgroundColor";
		const dim = await browser.evaluate("getComputedStyle(document.querySelector('dt')).color");
		assert.notEqual(await browser.evaluate(dot), dim);
		broker.stop();
		await until("document.querySelector('footer').textContent === 'Not live: no connection'");
		assert.equal(await browser.evaluate(dot), dim);
		await browser.evaluate("void document.querySelector('table').style.setProperty('height', '3000px')");
		assert.ok(
			await browser.evaluate(
				"document.querySelector('footer').getBoundingClientRect().bottom <= innerHeight && scrollY === 0",
			),
			"the footer is out of view",
		);
		// As if the page had been open for two hours
		await browser.evaluate("{ const before = Date.now; Date.now = () => before() + 7200000; }");
		const up = "document.querySelector('dd').textContent";
		const next = await start(ports);
		await until(isLive);
		await until(`/^\\d+ s$/.test(${up})`);
		next.stop();
		browser.console.length = 0;
	});

	test("a login is needed: the page can be read, asks for it, and shows what the user may read", async () => {
		const broker = await start({ anonymous: false, users });
		const login = { username: "anna", password: "apple" };
		const client = await publisher(broker, login);
		await client.publishAsync("home/a", "1", { qos: 1, retain: true });
		await browser.sendHeaders(basicAuthorization("anna", "apple"));
		await open(broker);
		assert.deepEqual(
			(await rows()).map(([topic]) => topic),
			["home/a"],
		);
		const enter = async (user: string, password: string): Promise<void> => {
			await until("document.querySelector('footer form') !== null");
			await browser.evaluate(
				`{ const [user, password] = document.querySelectorAll("input"); user.value = ${JSON.stringify(user)}; password.value = ${JSON.stringify(password)}; document.querySelector("button").click(); }`,
			);
		};
		await enter("anna", "pear");
		await until("document.querySelector('footer').textContent.startsWith('Not accepted')");
		await enter("anna", "apple");
		await until(isLive);
		await client.publishAsync("home/a", "2", { qos: 1, retain: true });
		await until("document.querySelector('tbody b').textContent === '2'");
		await browser.sendHeaders({});
		assert.deepEqual(browser.console, []);
		await client.endAsync();
		broker.stop();
	});

	test("wide and narrow, light and dark: nothing is wider than the screen, and text stands out", async () => {
		const broker = await start({});
		const client = await publisher(broker);
		await client.publishAsync(`home/${"long/".repeat(25)}end`, "x".repeat(250), { qos: 1, retain: true });
		await client.publishAsync("home/temperature", "21.5", { qos: 1, retain: true });
		await open(broker);
		await until(isLive);
		for (const width of [1280, 390])
			for (const scheme of ["light", "dark"] as const) {
				await browser.emulate(width, 800, scheme);
				await until(`innerWidth === ${width} && matchMedia("(prefers-color-scheme: ${scheme})").matches`);
				assert.equal(await browser.evaluate("document.documentElement.scrollWidth"), width);
				const [text, ground] = await browser.evaluate<[number, number]>(
					"['color', 'backgroundColor'].map((key) => getComputedStyle(document.body)[key].match(/\\d+/g).reduce((sum, part) => sum + Number(part), 0))",
				);
				assert.equal(text! > ground!, scheme === "dark");
				assert.ok(Math.abs(text! - ground!) > 400);
				assert.equal((await browser.screenshot()).readUInt32BE(16), width);
			}
		await client.endAsync();
		broker.stop();
	});
});
