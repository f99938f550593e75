import assert from "node:assert/strict";
import { createHash, pbkdf2Sync } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Messages } from "../../src/broker/pool/messages";
import { SCRIPT, SCRIPT_SOURCE } from "../../src/broker/web/page-script";
import type { ListenSettings } from "../../src/config/settings";
import { pageScript } from "../../web/generate";
import { frame, request } from "../websocket/support/frames";
import { BrokerHarness } from "./support/broker-harness";
import { Browser, basicAuthorization, WEB_PORT } from "./support/browser";

function createHarness(settings: Partial<ListenSettings> = {}): BrokerHarness {
	return new BrokerHarness({ webSocket: WEB_PORT, ...settings });
}

function userSettings(name: string, password: string, iterations = 100) {
	const salt = Buffer.alloc(16, name);
	const base64 = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");
	return {
		name,
		hash: `$pbkdf2-sha256$i=${iterations}$${base64(salt)}$${base64(pbkdf2Sync(password, salt, iterations, 32, "sha256"))}`,
	};
}

/** An upgrade request, and a frame with CONNECT. */
function webSocketConnect(id: string, fields: Record<string, string | undefined> = {}): [Buffer, Buffer] {
	const name = Buffer.from(id);
	const body = Buffer.concat([
		Buffer.from([0, 4, ...Buffer.from("MQTT"), 4, 2, 0, 60, 0, name.length]),
		name,
	]);
	return [request(fields), frame(2, Buffer.concat([Buffer.from([0x10, body.length]), body]))];
}

const PINGREQ = frame(2, Buffer.from([0xc0, 0]));

describe("the status page", () => {
	test("two values: the page shows name, uptime, clients, and each topic with value and time", () => {
		const { host, client } = createWebHarness(createHarness());
		const a = client("a");
		a.publish("home/b", "21.5", { retain: true });
		host.advance(75_000);
		a.publish("home/a", "on");
		const browser = new Browser(host).get();
		assert.match(browser.answer, /^HTTP\/1.1 200 OK\r\n/);
		for (const field of [
			"Content-Type: text/html; charset=utf-8",
			"Cache-Control: no-store",
			"X-Content-Type-Options: nosniff",
			`Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src ${SCRIPT_SOURCE}; connect-src 'self'; img-src data:`,
		])
			assert.ok(browser.answer.includes(`\r\n${field}\r\n`), field);
		assert.equal(browser.closed, true);
		assert.match(browser.page, /^<!doctype html><html lang=en><meta charset=utf-8>/);
		assert.match(
			browser.page,
			/<title>Firefly<\/title>.*<h1>Firefly<\/h1><dl><div><dt>Up<dd>1 min<\/div><div><dt>Clients<dd>1 of 8<\/div>/s,
		);
		assert.match(
			browser.page,
			/<dt>Now<dd><time datetime=\d{4}-\d\d-\d\dT[\d:.]+Z>[\d-]+ [\d:]+ UTC<\/time>/,
		);
		assert.doesNotMatch(browser.page, /http-equiv/);
		const [first, second] = browser.rows;
		assert.deepEqual([first[0], first[1], second[0], second[1]], ["home/a", "on", "home/b", "21.5"]);
		assert.match(first[2], /^0 s ago \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC $/);
		assert.match(second[2], /^1 min ago /);
	});

	test("the script is the one that the policy allows, and the last thing on the page", () => {
		const { page } = new Browser(createHarness().host).get();
		const [, script] = /<\/footer><script>(.*)<\/script>$/s.exec(page)!;
		assert.equal(SCRIPT_SOURCE, `'sha256-${createHash("sha256").update(script!).digest("base64")}'`);
	});

	test("the page is 12 KB at most, header and a dozen values included", () => {
		const { host, client } = createWebHarness(createHarness());
		const a = client("a");
		for (let i = 0; i < 12; i++)
			a.publish(`home/greenhouse-02f1ef1f0001/sensor-${i}`, "21.5", { retain: true });
		const { answer, rows } = new Browser(host).get();
		assert.equal(rows.length, 12);
		assert.ok(Buffer.byteLength(answer) <= 12 * 1024, `${Buffer.byteLength(answer)} bytes`);
	});

	test("the script is what web/ makes of its sources", async () => {
		const { element, source } = await pageScript();
		assert.equal(Buffer.from(SCRIPT).toString(), element);
		assert.equal(SCRIPT_SOURCE, source);
	});

	test("no values: the table is empty, for which the page has a note", () => {
		const { page } = new Browser(createHarness().host).get();
		assert.match(page, /<tbody><\/table>/);
		assert.match(page, /tbody:empty:before\{content:"No values"/);
	});

	test("900 topics: shown in order, at a cost that does not grow quadratically", (context) => {
		const { host, client } = createWebHarness(createHarness({ retainedTopics: 1000, retainedBytes: 65_536 }));
		const a = client("a");
		const topics = Array.from(
			{ length: 900 },
			(_, i) => `home/${((i * 7919) % 900).toString().padStart(3, "0")}`,
		);
		for (const topic of topics) a.publish(topic, "1", { retain: true });
		const topicReads = context.mock.method(Messages.prototype, "topicStart");
		const browser = new Browser(host);
		browser.socket.frozen = true;
		browser.get();
		while (!browser.closed) browser.read();
		assert.deepEqual(
			browser.rows.map(([topic]) => topic),
			topics.sort(),
		);
		// A piece that ends within the header moves those after it, and some topics are looked at once more.
		assert.ok(topicReads.mock.callCount() < 300_000, `${topicReads.mock.callCount()} looks at topics`);
	});

	test("control characters of one or two bytes: replaced by spaces", () => {
		const { host, client } = createWebHarness(createHarness());
		client("a").publish("t", "a\u001bb\u009bc\u00a0d");
		assert.equal(new Browser(host).get().rows[0][1], "a b c\u00a0d");
	});

	test("GET /?live: the page refreshes itself", () => {
		const { page } = new Browser(createHarness().host).get("/?live");
		assert.match(page, /<\/style><meta http-equiv=refresh content=10><h1>/);
		assert.match(page, /<a href=\/>Stop<\/a><\/footer>$/);
	});

	test("the clock is not set: the page shows ages only", () => {
		const { host, client } = createWebHarness(createHarness(), { clockIsSet: false });
		client("a").publish("t", "1");
		for (const [ageMs, text] of [
			[5_000, "5 s"],
			[3_595_000, "1 h 0 min"],
			[90_000_000, "1 d 2 h"],
		] as const) {
			host.advance(ageMs);
			const browser = new Browser(host).get();
			assert.deepEqual(browser.rows, [["t", "1", `${text} ago`]]);
			assert.doesNotMatch(browser.page, /<time|Now/);
		}
	});

	test("long values: truncated; binary values: shown as hexadecimal bytes", () => {
		const { host, client } = createWebHarness(createHarness());
		const a = client("a");
		a.publish("a", "x".repeat(300));
		a.publish("b", "é".repeat(200));
		a.send({
			cmd: "publish",
			topic: "c",
			payload: Buffer.from([1, 2, 0xff]),
			qos: 0,
			retain: false,
			dup: false,
		});
		a.send({
			cmd: "publish",
			topic: "d",
			payload: Buffer.alloc(20, 0xfe),
			qos: 0,
			retain: false,
			dup: false,
		});
		a.publish(`e/${"level/".repeat(60)}`, "1");
		a.publish("f", "");
		a.publish("g", "one\r\ntwo\tthree\u001b[2J");
		const rows = new Browser(host).get().rows.map(([topic, value]) => [topic, value]);
		assert.match(rows[0][1], /^x{280,300}… {2}300 bytes $/);
		assert.match(rows[1][1], /^é{140,150}… {2}400 bytes $/);
		assert.equal(rows[2][1], "01 02 ff");
		assert.equal(rows[3][1], `${"fe ".repeat(16).trim()}…  20 bytes `);
		assert.match(rows[4][0], /^e\/(level\/)+[a-z]*…$/);
		assert.deepEqual(rows.slice(5), [
			["f", " empty "],
			["g", "one  two three [2J"],
		]);
	});

	test("arbitrary topics and payloads: never become markup", () => {
		const htmlFragment = fc.array(
			fc.constantFrom(
				"<",
				">",
				"&",
				'"',
				"'",
				"<script>",
				"</b>",
				"&lt;",
				"\u2028",
				"\u202e",
				"é",
				"😀",
				"a",
				" ",
				"\u007f",
				"-->",
			),
		);
		const words = fc.oneof(
			htmlFragment.map((parts) => parts.join("")),
			fc.string({ unit: "binary", maxLength: 30 }),
		);
		const row =
			/^<tr><th scope=row>[^<>]*<td><b>(?:<i>empty<\/i>|[^<>]*(?:… <i>\d+ bytes<\/i>)?)<\/b><td>[\w ]+ ago<time datetime=[\dTZ:.-]+>[\d :-]+ UTC<\/time>/;
		fc.assert(
			fc.property(
				words,
				fc.oneof(
					words.map((text) => Buffer.from(text)),
					fc.uint8Array({ maxLength: 40 }),
				),
				(name, payload) => {
					const topic = `t/${name.replace(/[#+\0]|\p{Cs}/gu, "")}`;
					const { host, client } = createWebHarness(createHarness());
					client("a").send({
						cmd: "publish",
						topic,
						payload: Buffer.from(payload),
						qos: 0,
						retain: false,
						dup: false,
					});
					const { page, rows } = new Browser(host).get();
					const rest = page.slice(page.indexOf("<tbody>") + 7);
					assert.match(rest, row);
					assert.match(rest.replace(row, ""), /^<\/table><footer>/);
					// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what becomes of them
					assert.equal(rows[0][0], topic.replace(/[\u0000-\u001f\u007f-\u009f]/g, " "));
				},
			),
			{ numRuns: 150 },
		);
	});

	test("values change during a slow read: the page stays consistent, and other clients are served", () => {
		const { host, client, broker } = createWebHarness(
			createHarness({ retainedTopics: 200, retainedBytes: 40_000 }),
		);
		const a = client("a");
		const b = client("b");
		b.subscribe("#");
		for (let i = 100; i < 200; i++) a.publish(`t/${i}`, "v".repeat(80), { retain: true });
		assert.equal(b.messages().length, 100);
		const browser = new Browser(host);
		browser.socket.frozen = true;
		browser.get();
		for (let round = 0; !browser.closed; round++) {
			browser.read();
			a.publish(
				`t/${100 + ((round * 37) % 100)}`,
				round % 3 === 0 ? "" : "w".repeat(1 + ((round * 13) % 120)),
				{ retain: true },
			);
			a.publish(`t/${100 + ((round * 7) % 100)}/more`, "new", { retain: true });
			assert.equal(b.messages().length, 2);
		}
		const topics = browser.rows.map(([topic]) => topic);
		assert.deepEqual(topics, [...new Set(topics)].sort());
		assert.ok(topics.length > 80);
		for (const [topic, value] of browser.rows)
			assert.match(value, topic.endsWith("more") ? /^new$/ : /^(v{80}|w+)$/);
		assert.match(browser.page, /<\/footer><script>.*<\/script>$/);
		assert.equal(broker.counters.internalErrors, 0);
	});

	test("a client that does not read the page: closed after connectTimeout", () => {
		const { host, client, broker } = createWebHarness(
			createHarness({ retainedTopics: 200, retainedBytes: 40_000, connectTimeout: 3000 }),
		);
		const a = client("a");
		for (let i = 0; i < 150; i++) a.publish(`t/${i}`, "v".repeat(80), { retain: true });
		const browser = new Browser(host);
		browser.socket.frozen = true;
		browser.get();
		host.advance(2900);
		assert.equal(broker.usage.sockets, 2);
		host.advance(200);
		assert.equal(broker.usage.sockets, 1);
		browser.socket.thaw();
		host.run();
		assert.ok(browser.closed);
		assert.equal(broker.counters.timeouts, 1);
	});

	test("an expired value: not shown", () => {
		const { host, client } = createWebHarness(createHarness());
		client("a").publish("t", "1", { properties: { messageExpiryInterval: 10 } });
		assert.equal(new Browser(host).get().rows.length, 1);
		host.advance(11_000);
		assert.equal(new Browser(host).get().rows.length, 0);
	});

	test("another path, another method or a malformed request: refused", () => {
		const { host, broker } = createHarness();
		for (const [line, status] of [
			["GET /favicon.ico HTTP/1.1", 404],
			["GET /?x=y HTTP/1.1", 200],
			["POST / HTTP/1.1", 405],
			["GET /", 400],
		] as const) {
			const browser = new Browser(host).send(Buffer.from(`${line}\r\nHost: localhost\r\n\r\n`));
			host.advance(20);
			assert.equal(browser.status, status, line);
			assert.equal(browser.closed, true);
		}
		assert.equal(broker.counters.requestsRefused, 3);
		assert.equal(broker.usage.sockets, 0);
	});
});

describe("access to the status page", () => {
	const users = [userSettings("ada", "secret"), userSettings("bob", "hidden")];

	test("anonymous off: user name and password are required", () => {
		const { host } = createHarness({ anonymous: false, users });
		const cases: [Record<string, string>, number][] = [
			[{}, 401],
			[basicAuthorization("ada", "wrong"), 401],
			[basicAuthorization("eve", "secret"), 401],
			[{ Authorization: "Bearer secret" }, 401],
			[basicAuthorization("ada", "secret"), 200],
			[basicAuthorization("bob", "hidden"), 200],
		];
		for (const [fields, status] of cases) {
			const browser = new Browser(host).get("/", fields);
			host.advance(2000);
			assert.equal(browser.status, status, JSON.stringify(fields));
			if (status === 401) assert.match(browser.answer, /\r\nWWW-Authenticate: Basic realm="Firefly"/);
		}
	});

	test("access rules: each user sees the topics that it may receive", () => {
		const { host, client } = createWebHarness(
			createHarness({
				users,
				acl: [
					{ effect: "deny", action: "subscribe", topic: "secret/#", user: "bob" },
					{ effect: "allow", action: "subscribe", topic: "own/{user}/#" },
					{ effect: "allow", action: "subscribe", topic: "secret/#", user: "ada" },
					{ effect: "allow", action: "subscribe", topic: "+/open" },
					{ effect: "allow", action: "publish", topic: "#" },
				],
			}),
		);
		const a = client("a");
		for (const topic of ["secret/open", "secret/plan", "own/ada/x", "own/bob/x", "hall/open", "hall/other"])
			a.publish(topic, "1", { retain: true });
		const topics = (fields: Record<string, string>) => {
			const browser = new Browser(host).get("/", fields);
			host.advance(1000);
			return browser.rows.map(([topic]) => topic);
		};
		assert.deepEqual(topics({}), ["hall/open", "secret/open"]);
		assert.deepEqual(topics(basicAuthorization("ada", "secret")), [
			"hall/open",
			"own/ada/x",
			"secret/open",
			"secret/plan",
		]);
		assert.deepEqual(topics(basicAuthorization("bob", "hidden")), ["hall/open", "own/bob/x"]);
	});

	test("several passwords: checked one after another, also if a client closes meanwhile", () => {
		const { host, broker } = createHarness({
			anonymous: false,
			users: [userSettings("ada", "secret", 5000)],
			connectTimeout: 100_000,
		});
		const waiting = ["secret", "wrong", "secret", "other"].map((password) =>
			new Browser(host).request("/", basicAuthorization("ada", password)),
		);
		assert.deepEqual(
			waiting.map(({ status }) => status),
			[0, 0, 0, 0],
		);
		waiting[0].socket.close();
		host.run();
		const fifth = new Browser(host).get("/", basicAuthorization("ada", "secret"));
		host.advance(60_000);
		assert.deepEqual(
			[...waiting, fifth].map(({ status }) => status),
			[0, 401, 200, 401, 200],
		);
		assert.equal(broker.usage.sockets, 0);
		assert.equal(broker.counters.internalErrors, 0);
	});

	test("a WebSocket client during another client's password check: its frames are handled later", () => {
		const { host, broker } = createHarness({ anonymous: true, users: [userSettings("ada", "secret", 5000)] });
		const page = new Browser(host).request("/", basicAuthorization("ada", "secret"));
		const browser = new Browser(host);
		const [upgrade, first] = webSocketConnect("ws");
		browser.send(upgrade).send(Buffer.concat([first, PINGREQ]));
		assert.equal(broker.usage.connections, 0);
		host.advance(20_000);
		assert.equal(page.status, 200);
		assert.equal(broker.usage.connections, 1);
		assert.deepEqual([...browser.packets], [0x20, 2, 0, 0, 0xd0, 0]); // CONNACK, PINGRESP
	});
});

describe("the WebSocket port", () => {
	const accepting = ({ host }: BrokerHarness) => [1883, WEB_PORT].filter((port) => host.accepts(port));

	test("webSocket: opened only if configured, and closed with the MQTT port", () => {
		const plain = new BrokerHarness();
		assert.deepEqual(accepting(plain), [1883]);
		assert.equal(plain.broker.webSocketPort, 0);
		const both = createHarness();
		assert.deepEqual(accepting(both), [1883, WEB_PORT]);
		assert.deepEqual([both.broker.port, both.broker.webSocketPort], [1883, WEB_PORT]);
		both.broker.stop();
		assert.deepEqual(accepting(both), []);
		both.broker.start();
		assert.equal(new Browser(both.host).get().status, 200);
	});

	test("the same number for both ports: start() throws", () => {
		assert.throws(() => new BrokerHarness({ port: 1883, webSocket: 1883 }), /socket bind/);
	});

	test("webSockets and one more in use: further connections wait, but not those of the MQTT port", () => {
		const { host, client, broker } = createWebHarness(createHarness({ webSockets: 1 }));
		const open = [new Browser(host), new Browser(host), new Browser(host)];
		assert.equal(broker.usage.sockets, 2);
		open[2].get();
		assert.equal(open[2].status, 0);
		client("a");
		open[0].socket.close();
		host.run();
		assert.equal(open[2].status, 200);
	});

	test("connections are shared with the MQTT port: CONNACK 3 when all are in use", () => {
		const { host, broker, client } = createWebHarness(
			createHarness({ connections: 2, handshakes: 1, webSockets: 8 }),
		);
		const [upgrade, first] = webSocketConnect("ws");
		new Browser(host).send(upgrade).send(first);
		client("tcp");
		assert.equal(broker.usage.connections, 2);
		const third = new Browser(host);
		const [again, more] = webSocketConnect("third");
		third.send(again).send(more);
		assert.deepEqual([...third.packets], [0x20, 2, 0, 3]); // CONNACK: server unavailable
		assert.equal(broker.usage.connections, 2);
		assert.equal(new Browser(host).get().status, 200);
	});

	test("an origin or a host name that is not listed: the upgrade is refused", () => {
		const { host, broker } = createHarness({ origins: ["https://panel.example"], hosts: ["firefly.local"] });
		for (const [fields, status] of [
			[{ Origin: "https://evil.example" }, 403],
			[{ Origin: "null" }, 403],
			[{ Origin: "http://192.168.1.10:8080" }, 101],
			[{ Origin: "https://panel.example" }, 101],
			[{ Host: "evil.example", Origin: "http://evil.example" }, 421],
			[{ Host: "firefly.local:8080", Origin: "http://firefly.local:8080" }, 101],
			[{}, 101],
		] as const) {
			const browser = new Browser(host).send(request(fields));
			assert.equal(browser.status, status, JSON.stringify(fields));
			browser.socket.close();
			host.run();
		}
		assert.equal(broker.counters.requestsRefused, 3);
		assert.equal(broker.usage.sockets, 0);
	});
});

/** Parts of a harness, with client() as a plain function. @param host properties to set on the host */
function createWebHarness(harness: BrokerHarness, host: { clockIsSet?: boolean } = {}) {
	Object.assign(harness.host, host);
	return { host: harness.host, broker: harness.broker, client: (id: string) => harness.client(id) };
}
