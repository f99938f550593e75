import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SEND_ROOM } from "../../sim/network/socket";
import { IDLE_HANDSHAKE_MS, SLOW_ANSWER_MS } from "../../src/broker/listeners";
import type { ListenSettings } from "../../src/config/settings";
import { networkOf } from "../../src/text/ip-network";
import { BrokerHarness } from "../broker/support/broker-harness";
import { Browser } from "../broker/support/browser";
import type { TestClient } from "../broker/support/test-client";
import { hashOf } from "./password-hash";

const credentials = { username: "anna", password: Buffer.from("apple") };

function createHarness(settings: Partial<ListenSettings> = {}): BrokerHarness {
	return new BrokerHarness({
		anonymous: true,
		users: [{ name: "anna", hash: hashOf("apple") }],
		connections: 1,
		handshakes: 4,
		connectTimeout: 10_000,
		...settings,
	});
}

/** Opens a connection from an address. */
const connectFrom = (harness: BrokerHarness, address: string) => harness.peer(5, address);

const createEach = (count: number, make: (index: number) => TestClient) =>
	Array.from({ length: count }, (_, index) => make(index));
const countClosed = (peers: readonly TestClient[]) => peers.filter((peer) => peer.closed).length;
const reasonCodeOf = (packet: unknown) => (packet as { reasonCode?: number } | undefined)?.reasonCode;

test("networkOf(): an IPv4 address itself, the /64 network of an IPv6 address", () => {
	for (const [address, network] of [
		["192.168.1.10", "192.168.1.10"],
		["::ffff:192.168.1.10", "192.168.1.10"],
		["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
		["2001:0DB8:0001:0002::6", "2001:db8:1:2::/64"],
		["2001:db8::6", "2001:db8:0:0::/64"],
		["2001:db8:1:2:3::", "2001:db8:1:2::/64"],
		["fe80::1%wlan0", "fe80:0:0:0::/64"],
		["::1", "0:0:0:0::/64"],
		["::", "0:0:0:0::/64"],
		["", ""],
		["no address", "no address"],
	]) {
		assert.equal(networkOf(address), network);
		assert.equal(networkOf(network), network);
	}
});

describe("idle handshakes", () => {
	for (const [name, address] of [
		["one IPv4 address", () => "10.0.0.1"],
		["changing addresses of one IPv6 network", (index: number) => `2001:db8::${index + 1}`],
	] as const) {
		test(`${name} with all handshakes: idle ones are closed while another client waits`, () => {
			const harness = createHarness();
			const idle = createEach(5, (index) => connectFrom(harness, address(index)));
			const other = connectFrom(harness, "10.0.0.2");
			assert.equal(other.connect("other"), undefined);
			harness.host.advance(IDLE_HANDSHAKE_MS - 1);
			assert.equal(countClosed(idle), 0);
			harness.host.advance(300);
			assert.equal(countClosed(idle), 3, "half of four places, rounded up, are left to it");
			assert.equal(reasonCodeOf(other.shift("connack")), 0);
			// closing goes on as long as a connection waits
			const more = createEach(8, (index) => connectFrom(harness, address(index + 10)));
			harness.host.advance(2 * IDLE_HANDSHAKE_MS);
			assert.ok(countClosed(more) >= 4);
			harness.host.advance(10_000);
			assert.equal(countClosed([...idle, ...more]), 13);
			assert.ok(!other.closed);
		});
	}

	test("no client waits: idle handshakes last until the connect timeout", () => {
		const harness = createHarness();
		const idle = createEach(4, () => connectFrom(harness, "10.0.0.1"));
		harness.host.advance(9_900);
		assert.equal(countClosed(idle), 0);
		harness.host.advance(200);
		assert.equal(countClosed(idle), 4);
	});

	test("no address has many handshakes: idle ones last until others have waited for a while", () => {
		const harness = createHarness({ handshakes: 3 });
		const few = createEach(4, (index) => connectFrom(harness, `10.0.0.${index >> 1}`));
		const waits = connectFrom(harness, "10.0.0.3");
		harness.host.advance(2 * IDLE_HANDSHAKE_MS - 100);
		assert.equal(countClosed(few), 0);
		assert.equal(waits.connect("a"), undefined);
		harness.host.advance(300);
		assert.equal(reasonCodeOf(waits.shift("connack")), 0);
	});

	test("handshakes that wait for a password check, their own or another's: not closed as idle", () => {
		const harness = createHarness({
			users: [{ name: "anna", hash: hashOf("apple", 3000) }],
			connections: 8,
			handshakes: 1,
		});
		const { time } = harness.host;
		const delta = time.delta;
		// one PBKDF2 iteration takes a millisecond
		Object.assign(time, {
			delta: (start: number, end?: number) => (end === undefined ? 1000 : delta(start, end)),
		});
		const all = createEach(9, () => connectFrom(harness, "10.0.0.1"));
		const late = connectFrom(harness, "10.0.0.1");
		for (const [index, peer] of all.entries()) peer.connect(`c${index}`, credentials);
		harness.host.advance(2 * IDLE_HANDSHAKE_MS);
		assert.equal(countClosed(all), 0);
		harness.host.advance(2 * IDLE_HANDSHAKE_MS);
		assert.equal(all.filter((peer) => reasonCodeOf(peer.shift("connack")) === 0).length, 8);
		late.drop();
	});

	test("unknown addresses or no users: idle handshakes give way as well", () => {
		for (const [settings, reportsAddresses] of [
			[{}, false],
			[{ users: [] }, true],
		] as const) {
			const harness = createHarness(settings);
			harness.host.reportsAddresses = reportsAddresses;
			const idle = createEach(5, () => connectFrom(harness, "10.0.0.1"));
			const other = connectFrom(harness, "10.0.0.2");
			other.connect("other");
			harness.host.advance(IDLE_HANDSHAKE_MS + 300);
			assert.equal(countClosed(idle), 3);
			assert.equal(reasonCodeOf(other.shift("connack")), 0);
		}
	});

	test("40 idle sockets of one host, default places: a stranger is in after three seconds", () => {
		const harness = createHarness({ users: [], connections: 8, handshakes: 2 });
		createEach(40, () => connectFrom(harness, "10.0.0.1"));
		const stranger = connectFrom(harness, "10.0.0.2");
		stranger.connect("stranger");
		harness.host.advance(3000);
		assert.equal(reasonCodeOf(stranger.shift("connack")), 0);
	});

	for (const request of ["GET / HTTP/1.1\r\nHost: 10.0", "GET / HTTP/1.1\r\nHost: 10.0.0.9\r\n\r\n"]) {
		const complete = request.endsWith("\r\n\r\n");
		test(`12 ${complete ? "unread answers" : "half requests"} on the second port: a stranger sees the page`, () => {
			const harness = createHarness({ users: [], connections: 8, handshakes: 2, webSocket: 8080 });
			const send = (address: string, text: string) =>
				new Browser(harness.host, address).send(Buffer.from(text));
			// the platform has no room for an answer, as long as nothing of it is acknowledged
			if (complete) harness.host.server.sendRoom = 10;
			for (let i = 0; i < 12; i++) send("10.0.0.1", request);
			harness.host.server.sendRoom = SEND_ROOM;
			const stranger = send("10.0.0.2", "GET / HTTP/1.1\r\nHost: 10.0.0.9\r\n\r\n");
			harness.host.advance(3 * ((complete ? SLOW_ANSWER_MS : IDLE_HANDSHAKE_MS) + 600));
			assert.match(stranger.answer, /^HTTP\/1.1 200 /);
		});
	}
});

test("repeated login attempts from changing addresses: other clients are still authenticated", () => {
	const harness = createHarness({ connections: 4, handshakes: 2 });
	let tries = 0;
	const connectAttacker = () => {
		const peer = connectFrom(harness, `10.1.${tries >> 8}.${tries++ & 255}`);
		peer.connect("attacker", { username: "anna", password: Buffer.from("guess") });
		return peer;
	};
	const attackers = createEach(3, connectAttacker);
	const victim = connectFrom(harness, "10.0.0.2");
	victim.connect("victim", credentials);
	for (let i = 0; i < 200 && !victim.packets.some(({ cmd }) => cmd === "connack"); i++) {
		harness.host.advance(1);
		for (const [index, peer] of attackers.entries()) if (peer.closed) attackers[index] = connectAttacker();
	}
	assert.equal(reasonCodeOf(victim.shift("connack")), 0);
	assert.ok(tries < 20, `${tries}`);
});
