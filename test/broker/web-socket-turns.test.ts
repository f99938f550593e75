import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RECEIVE_WINDOW, SEND_ROOM } from "../../sim/network/socket";
import { frame, VALID_FIELDS } from "../websocket/support/frames";
import { BrokerHarness } from "./support/broker-harness";
import { Browser, WEB_PORT } from "./support/browser";
import { TestClient } from "./support/test-client";

const CLOSE = 8;
const PING = 9;
const PONG = 10;
const FLOOD = 1000;
const TURN_PACKETS = 8;

function createHarness(settings = {}): BrokerHarness {
	return new BrokerHarness({ turnPackets: TURN_PACKETS, webSocket: WEB_PORT, ...settings });
}

/** A WebSocket whose client has sent CONNECT. */
function connectWebSocket(harness: BrokerHarness, fields = {}): Browser {
	const browser = new Browser(harness.host).request("/", VALID_FIELDS);
	return browser.send(frame(2, encode(harness, { cmd: "connect", ...CONNECT, ...fields })));
}

const CONNECT = { protocolId: "MQTT", protocolVersion: 5, clean: true, clientId: "web", keepalive: 60 };

function encode(harness: BrokerHarness, packet: { cmd: string } & Record<string, unknown>): Uint8Array {
	const client = new TestClient(harness.host);
	const bytes = client.encode(packet);
	client.drop();
	return bytes;
}

const repeat = (bytes: Uint8Array, count: number) => Buffer.concat(Array<Uint8Array>(count).fill(bytes));

const pongs = (browser: Browser) => browser.frames.filter(({ opcode }) => opcode === PONG).length;

describe("a flood over WebSocket", () => {
	test("of Ping frames: others are answered after one turn, and every Ping in the end", () => {
		const harness = createHarness();
		const reader = harness.client("reader");
		const browser = connectWebSocket(harness);
		browser.send(repeat(frame(PING), FLOOD));
		for (let round = 1; pongs(browser) < FLOOD; round++) {
			assert.ok(pongs(browser) <= TURN_PACKETS * round, `round ${round}: ${pongs(browser)}`);
			reader.send({ cmd: "pingreq" });
			assert.ok(reader.shift("pingresp"), `round ${round}`);
			harness.host.advance(1);
		}
		assert.ok(harness.broker.counters.turnsEnded >= FLOOD / TURN_PACKETS - 1);
		assert.equal(harness.broker.counters.internalErrors, 0);
	});

	test("of long Ping frames: the bytes of a turn are limited too", () => {
		const harness = createHarness({ turnPackets: 1000, turnBytes: 1024 });
		const browser = connectWebSocket(harness);
		browser.send(repeat(frame(PING, "x".repeat(125)), 100));
		assert.ok(pongs(browser) <= Math.ceil(1024 / 131), `${pongs(browser)} Pongs`);
		harness.host.advance(100);
		assert.equal(pongs(browser), 100);
	});

	test("of Ping frames in many segments: what arrives meanwhile waits for its turn", () => {
		const harness = createHarness();
		const browser = connectWebSocket(harness);
		for (let i = 0; i < FLOOD / 10; i++) browser.send(repeat(frame(PING), 10));
		assert.equal(pongs(browser), TURN_PACKETS);
		harness.host.advance(FLOOD);
		assert.equal(pongs(browser), FLOOD);
	});

	test("before CONNECT: the same, and the CONNECT after it is answered", () => {
		const harness = createHarness();
		const browser = new Browser(harness.host).request("/", VALID_FIELDS);
		const connect = frame(2, encode(harness, { cmd: "connect", ...CONNECT }));
		browser.send(Buffer.concat([repeat(frame(PING), 100), connect]));
		assert.equal(pongs(browser), TURN_PACKETS);
		harness.host.advance(100);
		assert.equal(pongs(browser), 100);
		assert.equal(browser.packets[0] >> 4, 2);
	});

	test("of frames without payload or with one byte: each turn reads a limited number of frames", () => {
		const empty = [frame(2, "", { fin: false }), repeat(frame(0, "", { fin: false }), FLOOD), frame(0)];
		const harness = createHarness();
		const one = encode(harness, { cmd: "publish", topic: "t", payload: "x".repeat(200), qos: 0 });
		const tiny = Array.from(one, (byte) => frame(2, Uint8Array.of(byte)));
		const pingreq = frame(2, encode(harness, { cmd: "pingreq" }));
		for (const frames of [empty, tiny]) {
			const browser = connectWebSocket(harness, { clientId: `${frames.length}` });
			const { turnsEnded, publishesReceived } = harness.broker.counters;
			const before = browser.packets.length;
			browser.send(Buffer.concat([...frames, pingreq]));
			assert.equal(harness.broker.counters.turnsEnded, turnsEnded + 1);
			assert.equal(browser.packets.length, before);
			harness.host.advance(FLOOD);
			assert.equal(harness.broker.counters.publishesReceived - publishesReceived, frames === tiny ? 1 : 0);
			assert.equal(browser.packets.subarray(before)[0] >> 4, 13);
		}
	});

	test("a peer that does not read its Pongs: they stay bounded by its socket, and it is no longer read", () => {
		const harness = createHarness();
		const browser = connectWebSocket(harness);
		browser.socket.frozen = true;
		const { statistics } = browser.socket.remote;
		const ping = frame(PING, "x".repeat(100));
		const pongBytes = 2 + 100;
		const readBefore = statistics.received;
		browser.send(repeat(ping, 300));
		harness.host.advance(1000);
		const answered = Math.floor((SEND_ROOM + RECEIVE_WINDOW) / pongBytes);
		const received = statistics.received - readBefore;
		assert.ok(received <= (answered + 1) * ping.length + RECEIVE_WINDOW, `${received} bytes`);
		const reader = harness.client("reader");
		reader.send({ cmd: "pingreq" });
		assert.ok(reader.shift("pingresp"));
		browser.socket.thaw();
		harness.host.advance(1000);
		assert.equal(pongs(browser), 300);
	});
});

for (const lingeringClose of [true, false])
	test(`refused within a turn that has ended, with a Close frame behind: closed at once (lingering: ${lingeringClose})`, () => {
		const harness = createHarness();
		harness.host.lingeringClose = lingeringClose;
		const browser = connectWebSocket(harness);
		const invalid = frame(2, Uint8Array.of(0xf0, 0));
		browser.send(Buffer.concat([invalid, repeat(frame(PING), 3 * TURN_PACKETS), frame(CLOSE)]));
		harness.host.advance(20);
		assert.ok(browser.closed);
		assert.equal(harness.broker.usage.sockets, 0);
	});

test("the smallest budget of a turn: every packet and frame is processed, one in each turn", () => {
	for (const budget of [{ turnPackets: 1 }, { turnBytes: 1 }, { turnPackets: 1, turnBytes: 1 }]) {
		const harness = createHarness(budget);
		const browser = connectWebSocket(harness);
		const client = harness.client("tcp");
		const publish = encode(harness, { cmd: "publish", topic: "t", payload: "x".repeat(300), qos: 0 });
		browser.send(
			Buffer.concat([
				repeat(frame(PING), 10),
				frame(2, publish.subarray(0, 100), { fin: false }),
				frame(PING, "x"),
				frame(0, publish.subarray(100)),
				repeat(frame(2, publish), 9),
			]),
		);
		client.sendRaw(repeat(publish, 10));
		harness.host.advance(100);
		assert.equal(pongs(browser), 11);
		assert.equal(harness.broker.counters.publishesReceived, 20);
		assert.equal(harness.host.timers, 1);
	}
});
