import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Packet, parser } from "mqtt-packet";
import { IDLE_HANDSHAKE_MS } from "../../src/broker/listeners";
import { frame, VALID_FIELDS } from "../websocket/support/frames";
import { BrokerHarness } from "./support/broker-harness";
import { Browser, WEB_PORT } from "./support/browser";
import { TestClient } from "./support/test-client";

const HOARDER = "10.0.0.1";
const STRANGER = "10.0.0.2";

/** Time in which a stranger comes to the page although another host's handshakes are idle, ms. */
const PATIENCE_MS = 3 * IDLE_HANDSHAKE_MS;

function createHarness(settings = {}): BrokerHarness {
	return new BrokerHarness({ webSocket: WEB_PORT, webSockets: 4, ...settings });
}

const open = (harness: BrokerHarness, address: string) => new Browser(harness.host, address);

/** Opens a WebSocket and sends CONNECT. */
function connect(harness: BrokerHarness, address: string, clientId: string, fields = {}): Browser {
	const browser = open(harness, address).request("/", VALID_FIELDS);
	const encoder = new TestClient(harness.host);
	const bytes = encoder.encode({
		cmd: "connect",
		protocolId: "MQTT",
		protocolVersion: 5,
		clean: true,
		clientId,
		keepalive: 60,
		...fields,
	});
	encoder.drop();
	return browser.send(frame(2, bytes));
}

function packetsOf(browser: Browser): Packet[] {
	const packets: Packet[] = [];
	const reader = parser({ protocolVersion: 5 });
	reader.on("packet", (packet) => packets.push(packet));
	reader.parse(browser.packets);
	return packets;
}

const codeOf = (browser: Browser) =>
	(packetsOf(browser)[0] as { reasonCode?: number } | undefined)?.reasonCode;

function hoard(harness: BrokerHarness, count = 4): Browser[] {
	return Array.from({ length: count }, (_, i) => {
		harness.host.advance(10);
		return connect(harness, HOARDER, `hoard ${i}`);
	});
}

describe("places of the WebSocket port", () => {
	test("one host has all clients: the page is served to everybody, and none gives way for that", () => {
		const harness = createHarness();
		const clients = hoard(harness);
		for (const address of [STRANGER, HOARDER]) assert.equal(open(harness, address).get().status, 200);
		assert.deepEqual(clients.map(codeOf), [0, 0, 0, 0]);
		assert.ok(clients.every(({ closed }) => !closed));
	});

	test("one host has all clients: strangers take places back, down to its share, and it is told why", () => {
		const harness = createHarness();
		const clients = hoard(harness);
		const tcp = harness.client("tcp");
		const strangers = [2, 3].map((i) => connect(harness, `10.0.0.${i}`, `s${i}`));
		assert.deepEqual(strangers.map(codeOf), [0, 0]);
		harness.host.advance(1000);
		assert.deepEqual(
			clients.map(({ closed }) => closed),
			[true, true, false, false],
		);
		assert.equal((packetsOf(clients[0])[1] as { reasonCode?: number }).reasonCode, 0x97);
		assert.equal(tcp.closed, false);
		// nobody holds more than the next one would
		for (let i = 0; i < 5; i++) assert.equal(codeOf(connect(harness, HOARDER, `again ${i}`)), 0x97);
		assert.ok(strangers.every(({ closed }) => !closed));
		assert.equal(harness.broker.counters.connectionsEvicted, 2);
	});

	test("the clients of one host: as many as webSockets says, one more is refused, and none gives way", () => {
		const harness = createHarness();
		const clients = hoard(harness);
		const fifth = connect(harness, HOARDER, "fifth");
		assert.equal(codeOf(fifth), 0x97);
		assert.ok(clients.every(({ closed }) => !closed));
		// a client that comes back takes its own place
		assert.equal(codeOf(connect(harness, HOARDER, "hoard 2")), 0);
		harness.host.advance(1000);
		assert.deepEqual(
			clients.map(({ closed }) => closed),
			[false, false, true, false],
		);
	});

	test("a client that moves here from the MQTT port: needs a place here, and keeps the old one if refused", () => {
		const harness = createHarness();
		const clients = hoard(harness);
		const old = new TestClient(harness.host, 5, HOARDER);
		harness.host.run();
		old.connect("moves");
		assert.equal(codeOf(connect(harness, HOARDER, "moves")), 0x97);
		old.send({ cmd: "pingreq" });
		assert.ok(old.shift("pingresp"));
		clients[0].socket.close();
		harness.host.run();
		assert.equal(codeOf(connect(harness, HOARDER, "moves")), 0);
		assert.ok(old.closed);
	});

	test("both ports full: one client gives way to a stranger, not one for each", () => {
		const harness = createHarness();
		hoard(harness);
		for (let i = 0; i < 4; i++) {
			const peer = new TestClient(harness.host, 5, HOARDER);
			harness.host.run();
			peer.connect(`tcp ${i}`);
		}
		assert.equal(harness.broker.usage.connections, 8);
		assert.equal(codeOf(connect(harness, STRANGER, "stranger")), 0);
		assert.equal(harness.broker.counters.connectionsEvicted, 1);
		assert.equal(harness.broker.usage.connections, 8);
	});

	test("one client allowed: it stays while the page is read, and gives way to nobody who holds as much", () => {
		const harness = createHarness({ webSockets: 1 });
		const client = connect(harness, HOARDER, "only");
		assert.equal(open(harness, STRANGER).get().status, 200);
		assert.equal(codeOf(connect(harness, STRANGER, "other")), 0x97);
		assert.equal(client.closed, false);
	});

	for (const kind of ["nothing", "half a request", "a WebSocket without CONNECT"])
		test(`one host with all clients that also sends ${kind}: strangers wait for idle handshakes only`, () => {
			const harness = createHarness();
			hoard(harness);
			const occupy = () => {
				const browser = open(harness, HOARDER);
				if (kind === "half a request") browser.send(Buffer.from("GET / HT"));
				else if (kind !== "nothing") browser.request("/", VALID_FIELDS);
				return browser;
			};
			const idle = Array.from({ length: 3 }, occupy);
			const stranger = open(harness, STRANGER).request("/");
			for (let ms = 0; ms < PATIENCE_MS && stranger.status === 0; ms += 50) {
				harness.host.advance(50);
				for (let i = 0; i < idle.length; i++) if (idle[i].closed) idle[i] = occupy();
			}
			assert.equal(stranger.status, 200);
		});
});
