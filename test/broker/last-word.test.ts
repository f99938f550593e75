import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ListenSettings } from "../../src/config/settings";
import { hashOf } from "../access/password-hash";
import { BrokerHarness } from "./support/broker-harness";
import { Browser } from "./support/browser";
import type { TestClient } from "./support/test-client";

/** Longest time that the broker discards input before it closes, ms. */
const DRAIN_MS = 500;
/** Time for a password check of `users`, ms. */
const AUTHENTICATION_MS = 60_000;

const users = [{ name: "anna", hash: hashOf("apple") }];
const more = new Uint8Array(600).fill(0x30);

/** A broker whose sockets reset the connection when they are closed with unread input. */
function strictHarness(settings: Partial<ListenSettings> = {}): BrokerHarness {
	const harness = new BrokerHarness(settings);
	harness.host.lingeringClose = false;
	return harness;
}

function concat(...parts: Uint8Array[]): Uint8Array {
	return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function publishOf(client: TestClient, messageId: number, topic = "t", payload = "x"): Uint8Array {
	return client.encode({ cmd: "publish", topic, payload, qos: 1, messageId, retain: false, dup: false });
}

/** Reason codes of DISCONNECT and CONNACK packets, and identifiers of PUBACKs, as they came. */
function answers(client: TestClient): (number | undefined)[] {
	return client.packets.map((packet) =>
		packet.cmd === "puback"
			? packet.messageId
			: packet.cmd === "connack"
				? (packet.reasonCode ?? packet.returnCode)
				: (packet as { reasonCode?: number }).reasonCode,
	);
}

describe("the last packet before a close arrives, although the peer goes on sending", () => {
	for (const [name, bad, reasonCode] of [
		["a packet above the maximum", [0x30, 0xff, 0x7f], 0x95],
		["a topic name with a wildcard", [0x30, 4, 0, 1, 0x23, 0], 0x90],
		["a second CONNECT", [0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 60, 0, 0, 0], 0x82],
		["a malformed packet", [0x36, 5, 0, 1, 0x74, 0, 1], 0x81],
	] as const)
		for (const version of [4, 5] as const)
			test(`${version === 5 ? "5.0" : "3.1.1"}: ${name}`, () => {
				const harness = strictHarness();
				const client = harness.client("c", version);
				const good = concat(publishOf(client, 1), publishOf(client, 2));
				client.sendRaw(concat(good, Uint8Array.from(bad), more));
				harness.host.advance(100);
				client.sendRaw(more);
				harness.host.advance(100);
				client.sendRaw(more);
				harness.host.advance(DRAIN_MS);
				assert.deepEqual(answers(client), version === 5 ? [1, 2, reasonCode] : [1, 2]);
				assert.ok(client.closed, "closed");
				assert.equal(harness.broker.usage.sockets, 0);
				assert.equal(harness.broker.counters.publishesReceived, 2);
			});

	test("a takeover: the old client learns of it", () => {
		const harness = strictHarness({ assemblyBytes: 0 });
		const old = harness.client("c");
		old.sendRaw(Uint8Array.from([0x30, 100, 0, 1, 0x74]));
		const taking = harness.peer();
		const connect = taking.encode({
			cmd: "connect",
			protocolId: "MQTT",
			protocolVersion: 5,
			clean: true,
			clientId: "c",
			keepalive: 60,
		});
		taking.sendRaw(concat(connect, publishOf(taking, 7)));
		assert.deepEqual(answers(old), [0x8e]);
		assert.deepEqual(answers(taking), [0, 7]);
		old.drop();
		assert.equal(harness.broker.usage.sockets, 1);
	});

	for (const [name, version, fields, code] of [
		["a wrong password", 5, { username: "anna", password: Buffer.from("pear") }, 0x86],
		["a wrong password", 4, { username: "anna", password: Buffer.from("pear") }, 4],
		["a client identifier that is too long", 5, { clientId: "x".repeat(300) }, 0x85],
		["a client identifier that is too long", 4, { clientId: "x".repeat(300) }, 2],
	] as const)
		test(`${version === 5 ? "5.0" : "3.1.1"}: ${name}, with PUBLISH in the same segment`, () => {
			const harness = strictHarness({ anonymous: false, users });
			const client = harness.peer(version);
			const connect = client.encode({
				cmd: "connect",
				protocolId: "MQTT",
				protocolVersion: version,
				clean: true,
				clientId: "c",
				keepalive: 60,
				...fields,
			});
			client.sendRaw(concat(connect, publishOf(client, 1), publishOf(client, 2)));
			while (client.packets.length === 0 && harness.host.now < AUTHENTICATION_MS) harness.host.advance(10);
			client.sendRaw(publishOf(client, 3));
			harness.host.advance(DRAIN_MS);
			assert.deepEqual(answers(client), [code]);
			assert.ok(client.closed, "closed");
			assert.equal(harness.broker.usage.sockets, 0);
		});

	test("DISCONNECT behind good packets: their acknowledgements arrive, and the connection ends at once", () => {
		const harness = strictHarness();
		const client = harness.client("c");
		client.sendRaw(concat(publishOf(client, 1), client.encode({ cmd: "disconnect" }), more));
		assert.deepEqual(answers(client), [1]);
		assert.ok(client.closed, "closed");
		assert.equal(harness.broker.usage.sockets, 0);
	});

	test("an HTTP request that is refused before its end: the refusal arrives", () => {
		const harness = strictHarness({ webSocket: 8080 });
		const browser = new Browser(harness.host);
		browser.send(
			Buffer.from(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n${"x".repeat(2000)}`),
		);
		browser.send(more).send(more);
		harness.host.advance(DRAIN_MS);
		assert.equal(browser.status, 405);
		assert.ok(browser.closed, "closed");
		assert.equal(harness.broker.usage.sockets, 0);
	});

	test("a WebSocket frame that is wrong: the status code arrives", () => {
		const harness = strictHarness({ webSocket: 8080 });
		const browser = new Browser(harness.host);
		browser.request("/", {
			Upgrade: "websocket",
			Connection: "Upgrade",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
			"Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Protocol": "mqtt",
		});
		assert.equal(browser.status, 101);
		browser.send(concat(Uint8Array.from([0x81, 0x81, 0, 0, 0, 0, 0x74]), more)).send(more);
		assert.ok(browser.answer.includes("\x02\x03"), "a Close frame with its status code");
		harness.host.advance(DRAIN_MS);
		assert.ok(browser.closed, "closed");
		assert.equal(harness.broker.usage.sockets, 0);
	});
});

describe("a connection that drains", () => {
	test("ends when the peer closes", () => {
		const harness = strictHarness();
		const client = harness.client("c");
		client.sendRaw(Uint8Array.from([0x30, 0xff, 0x7f]));
		assert.equal(harness.broker.usage.connections, 0);
		assert.equal(harness.broker.usage.sockets, 1);
		client.drop();
		assert.equal(harness.broker.usage.sockets, 0);
	});

	test("ends after a bounded number of bytes", () => {
		const harness = strictHarness();
		const client = harness.client("c");
		client.sendRaw(Uint8Array.from([0x30, 0xff, 0x7f]));
		let sent = 0;
		for (; !client.socket.ended && sent < 100_000; sent += more.length) client.sendRaw(more);
		assert.ok(sent >= 16_384 && sent < 20_000, `${sent} bytes`);
		assert.equal(harness.broker.usage.sockets, 0);
	});

	test("ends in time, also if its end was found when another connection ended", () => {
		const harness = strictHarness();
		const silent = harness.client("silent", 5, { keepalive: 10 });
		silent.freeze(); // it never closes
		const leaving = harness.client("leaving", 5, { keepalive: 0 });
		harness.host.stall(15_000);
		leaving.send({ cmd: "disconnect", reasonCode: 0 });
		assert.equal(harness.broker.usage.sockets, 1);
		harness.host.advance(DRAIN_MS);
		assert.equal(harness.broker.usage.sockets, 0);
	});

	test("gives its place to a stranger at once", () => {
		const harness = strictHarness({ connections: 4, handshakes: 1 });
		const clients = Array.from({ length: 4 }, (_, i) => harness.client(`c${i}`));
		for (const client of clients) client.sendRaw(Uint8Array.from([0x30, 0xff, 0x7f]));
		for (let i = 0; i < 4; i++) harness.client(`stranger${i}`);
		assert.equal(harness.broker.usage.connections, 4);
		for (const client of clients) assert.deepEqual(answers(client), [0x95]);
	});
});

describe("a 3.1.1 client that is cut cannot be told", () => {
	const tooLarge = Uint8Array.from([0x30, 0xff, 0x7f]);

	test("the console names it and the reason, and $SYS counts the reason", () => {
		const harness = strictHarness();
		harness.client("big\u0007one", 4).sendRaw(tooLarge);
		assert.deepEqual(harness.host.closings, ['broker: closed "big?one": Packet too large']);
		assert.equal(harness.broker.counters.endedSize, 1);
		harness.client("told", 5).sendRaw(tooLarge);
		assert.equal(harness.host.closings.length, 1);
		assert.equal(harness.broker.counters.endedSize, 2);
	});

	test("a client in a loop does not fill the console", () => {
		const harness = strictHarness();
		for (let i = 0; i < 100; i++) {
			harness.client("loop", 4).sendRaw(tooLarge);
			harness.host.advance(1000);
		}
		assert.equal(harness.host.closings.length, 20);
		assert.equal(
			harness.host.closings[1],
			'broker: closed "loop": Packet too large (and 4 more since the last such line)',
		);
	});
});
