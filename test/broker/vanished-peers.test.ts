import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ListenSettings } from "../../src/config/settings";
import { golden } from "../mqtt/golden";
import { bytes as toBytes } from "../mqtt/notation";
import { BrokerHarness } from "./support/broker-harness";
import { Browser } from "./support/browser";
import type { TestClient } from "./support/test-client";

/** Time within which the broker must notice that a peer is gone, ms. */
const NOTICE_MS = 1000;

const will = { topic: "will", payload: Buffer.from("gone"), qos: 0, retain: false };

/** Packets of clients: name, version, bytes. */
const packets = golden
	.filter(({ from }) => from === "client")
	.map(({ version, name, bytes }) => ({ version, name: `${version}, ${name}`, bytes: toBytes(bytes) }));

/** Fails unless the vanished peer's place is free. */
function assertGone(harness: BrokerHarness, watcher: TestClient, expectsWill: boolean, name: string): void {
	harness.host.advance(NOTICE_MS);
	assert.equal(harness.broker.usage.sockets, 1, name);
	assert.deepEqual(watcher.messages(), expectsWill ? ["will=gone"] : [], name);
}

function harnessWithWatcher(settings: Partial<ListenSettings>): {
	harness: BrokerHarness;
	watcher: TestClient;
} {
	const harness = new BrokerHarness({ keepAliveLimit: 0, ...settings });
	const watcher = harness.client("watcher", 5, { keepalive: 0 });
	watcher.subscribe("will");
	return { harness, watcher };
}

for (const [name, settings] of [
	["with room for incomplete packets", {}],
	["without room for incomplete packets", { assemblyBytes: 0 }],
] as const)
	describe(`a peer that vanishes ${name}`, () => {
		test("after any byte of any packet: its will is sent and its place free within a second", () => {
			const { harness, watcher } = harnessWithWatcher(settings);
			for (const { version, name, bytes } of packets) {
				if (bytes[0]! >> 4 === 1) continue;
				for (let cut = 1; cut < bytes.length; cut++) {
					const client = harness.client("c", version, { keepalive: 0, will });
					client.sendRaw(bytes.subarray(0, cut));
					if (client.closed) {
						watcher.messages();
						harness.host.advance(NOTICE_MS);
						continue;
					}
					client.drop();
					assertGone(harness, watcher, true, `${name}, cut at ${cut}`);
				}
			}
			assert.equal(harness.broker.counters.internalErrors, 0);
		});

		test("after any byte of CONNECT: its place is free within a second", () => {
			const { harness, watcher } = harnessWithWatcher(settings);
			for (const { version, name, bytes } of packets) {
				if (bytes[0]! >> 4 !== 1) continue;
				for (let cut = 0; cut < bytes.length; cut++) {
					const client = harness.peer(version);
					if (cut > 0) client.sendRaw(bytes.subarray(0, cut));
					client.drop();
					assertGone(harness, watcher, false, `${name}, cut at ${cut}`);
				}
			}
		});

		test("that did not read its answers: noticed although its packets were not read", () => {
			for (const version of [4, 5] as const) {
				const { harness, watcher } = harnessWithWatcher(settings);
				const deaf = harness.client("deaf", version, { keepalive: 0, will });
				deaf.freeze();
				for (let i = 0; i < 4000; i++)
					deaf.publish("t", "x".repeat(200), { qos: 1, messageId: (i % 60_000) + 1 });
				assert.ok(harness.broker.counters.publishesReceived < 4000);
				deaf.drop();
				assertGone(harness, watcher, true, `version ${version}`);
			}
		});
	});

test("over WebSocket, after any byte of a frame: the will is sent and the place free within a second", () => {
	const { harness, watcher } = harnessWithWatcher({ webSocket: 8080 });
	const frames = [
		clientFrame(0x82, toBytes("32 { s't' 0001 'hi' }")),
		clientFrame(0x82, toBytes("32 { s't' 0001 00 }").subarray(0, 3)),
		clientFrame(0x82, new Uint8Array(300).fill(0xc0)),
		clientFrame(0x89, new Uint8Array(20)),
	];
	for (const frame of frames)
		for (let cut = 1; cut < frame.length; cut++) {
			const browser = new Browser(harness.host).request("/", {
				Upgrade: "websocket",
				Connection: "Upgrade",
				"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
				"Sec-WebSocket-Version": "13",
				"Sec-WebSocket-Protocol": "mqtt",
			});
			browser.send(
				clientFrame(
					0x82,
					watcher.encode({
						cmd: "connect",
						protocolId: "MQTT",
						protocolVersion: 5,
						clean: true,
						clientId: "web",
						keepalive: 0,
						will,
					}),
				),
			);
			browser.send(frame.subarray(0, cut));
			browser.socket.close();
			harness.host.run();
			if (frame.length > 300) {
				// whole packets precede the cut: a malformed one may have ended the connection before
				harness.host.advance(NOTICE_MS);
				watcher.messages();
				assert.equal(harness.broker.usage.sockets, 1, `cut at ${cut}`);
			} else assertGone(harness, watcher, true, `${frame[0]}, cut at ${cut}`);
		}
	assert.equal(harness.broker.counters.internalErrors, 0);
});

test("HTTP requests cut at any byte: the place is free within a second", () => {
	const { harness, watcher } = harnessWithWatcher({ webSocket: 8080 });
	const request = Buffer.from("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	for (let cut = 1; cut < request.length; cut++) {
		const browser = new Browser(harness.host).send(request.subarray(0, cut));
		browser.socket.close();
		assertGone(harness, watcher, false, `cut at ${cut}`);
	}
});

/** A masked frame. */
function clientFrame(first: number, payload: Uint8Array): Uint8Array {
	const { length } = payload;
	const key = [1, 2, 3, 4];
	return Uint8Array.from([
		first,
		...(length < 126 ? [0x80 | length] : [0xfe, length >> 8, length & 0xff]),
		...key,
		...[...payload].map((byte, i) => byte ^ key[i & 3]!),
	]);
}

test("half packets of eight clients: strangers find a place as soon as these are gone", () => {
	const harness = new BrokerHarness({ keepAliveLimit: 0, connections: 8, handshakes: 1 });
	const half = Buffer.from("323900017400010078".padEnd(40, "0"), "hex");
	const clients = Array.from({ length: 8 }, (_, i) => harness.client(`c${i}`, 5, { keepalive: 0 }));
	for (const client of clients) client.sendRaw(half);
	for (const client of clients) client.drop();
	harness.host.advance(NOTICE_MS);
	harness.client("stranger");
	assert.equal(harness.broker.usage.sockets, 1);
});

describe("packets in pieces", () => {
	test("of any size, from several clients at once: arrive whole, and free the bytes they took", () => {
		for (const assemblyBytes of [0, 100, 2048]) {
			const harness = new BrokerHarness({ assemblyBytes });
			const reader = harness.client("reader");
			reader.subscribe("#");
			const senders = Array.from({ length: 6 }, (_, i) => harness.client(`s${i}`, i & 1 ? 4 : 5));
			for (let size = 1; size < 40; size += 3) {
				const all = senders.map((sender, i) =>
					sender.encode({
						cmd: "publish",
						topic: `t/${i}`,
						payload: `${size}-${"xyz".repeat(i * 20)}`,
						qos: 0,
						retain: false,
						dup: false,
					}),
				);
				const longest = Math.max(...all.map(({ length }) => length));
				for (let at = 0; at < longest; at += size)
					for (const [i, sender] of senders.entries())
						if (at < all[i]!.length) sender.sendRaw(all[i]!.subarray(at, at + size));
				assert.deepEqual(
					reader.messages().sort(),
					senders.map((_, i) => `t/${i}=${size}-${"xyz".repeat(i * 20)}`),
				);
			}
			assert.equal(harness.broker.usage.partialBytes, 0);
			assert.equal(harness.broker.counters.partialsRefused > 0, assemblyBytes < 2048);
		}
	});
});
