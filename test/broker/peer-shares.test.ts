import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnackPacket, IDisconnectPacket, ISubackPacket } from "mqtt-packet";
import { nodePools } from "../../sim/service/node-pools";
import { SILENT_MS } from "../../src/broker/handlers/admission";
import { TopicTree } from "../../src/broker/topics/topic-tree";
import type { ListenSettings } from "../../src/config/settings";
import { hashOf } from "../access/password-hash";
import { BrokerHarness } from "./support/broker-harness";
import { PowerCutStorage } from "./support/power-cut-storage";
import { TestClient } from "./support/test-client";

const users = ["anna", "ben", "evil"].map((name) => ({ name, hash: hashOf(name) }));
const persistent = { clean: false, properties: { sessionExpiryInterval: 0xffff_ffff } };

type Fields = Record<string, unknown>;

/** Connects a client from an address. @returns the client, the code of CONNACK, and Session Present */
function enter(
	harness: BrokerHarness,
	address: string,
	id: string,
	fields: Fields = {},
	version: 4 | 5 = 5,
): [TestClient, number | undefined, boolean] {
	const peer = new TestClient(harness.host, version, address);
	harness.host.run();
	let connack = peer.connect(id, fields) as IConnackPacket | undefined;
	if (connack === undefined && "username" in fields) {
		harness.host.advance(50);
		connack = peer.shift("connack") as IConnackPacket | undefined;
	}
	return [peer, connack?.reasonCode ?? connack?.returnCode, connack?.sessionPresent ?? false];
}

const as = (name: string): Fields => ({ username: name, password: Buffer.from(name) });

function connected(...args: Parameters<typeof enter>): TestClient {
	const [peer, code] = enter(...args);
	assert.equal(code, 0, `${args[1]} ${args[2]}`);
	return peer;
}

/** Leaves a session behind. */
function leave(...[harness, address, id, fields = {}, version]: Parameters<typeof enter>): void {
	connected(harness, address, id, { ...persistent, ...fields }, version).drop();
	harness.host.advance(1000);
}

/** Whether a client finds its session. */
function isPresent(harness: BrokerHarness, address: string, id: string, fields: Fields = {}): boolean {
	const [peer, code, sessionPresent] = enter(harness, address, id, { ...persistent, ...fields });
	assert.equal(code, 0);
	peer.send({ cmd: "disconnect" });
	return sessionPresent;
}

describe("sessions", () => {
	test("one host with all sessions: a stranger finds a place, and the host's longest-absent one ends", () => {
		const harness = new BrokerHarness({ sessionExpiryLimit: 0xffff_ffff });
		for (let i = 0; i < 16; i++) leave(harness, "10.0.0.1", `hoard ${i}`);
		assert.equal(harness.broker.usage.sessions, 16);
		for (let i = 0; i < 4; i++) leave(harness, `10.0.1.${i}`, `sensor ${i}`);
		assert.equal(harness.broker.usage.sessions, 16);
		assert.equal(harness.broker.counters.sessionsEvicted, 4);
		for (let i = 0; i < 4; i++) assert.ok(isPresent(harness, `10.0.1.${i}`, `sensor ${i}`));
		assert.ok(isPresent(harness, "10.0.0.1", "hoard 4"));
		// the host goes on, and displaces only its own
		for (let i = 0; i < 40; i++) leave(harness, "10.0.0.1", `more ${i}`);
		for (let i = 0; i < 4; i++) assert.ok(isPresent(harness, `10.0.1.${i}`, `sensor ${i}`));
		assert.equal(harness.broker.counters.connectsRefused, 0);
	});

	test("16 hosts with a session each: a stranger finds a place, the longest-absent one gives way", () => {
		const harness = new BrokerHarness({ sessionExpiryLimit: 0xffff_ffff });
		for (let i = 0; i < 16; i++) leave(harness, `10.0.1.${i}`, `sensor ${i}`);
		assert.ok(isPresent(harness, "10.0.1.0", "sensor 0"));
		harness.host.advance(1000);
		leave(harness, "10.0.0.9", "stranger");
		for (const i of [0, 2, 15]) assert.ok(isPresent(harness, `10.0.1.${i}`, `sensor ${i}`));
		assert.equal(harness.broker.usage.sessions, 16);
		assert.equal(isPresent(harness, "10.0.1.1", "sensor 1"), false);
	});

	test("one user on changing addresses: displaces its own sessions where hosts hold equally many", () => {
		const harness = new BrokerHarness({ users, sessionExpiryLimit: 0xffff_ffff });
		for (let i = 0; i < 6; i++) leave(harness, `10.0.1.${i}`, `sensor ${i}`, as("anna"));
		for (let i = 0; i < 60; i++) leave(harness, `10.9.0.${i}`, `x${i}`, as("evil"));
		for (let i = 0; i < 6; i++) assert.ok(isPresent(harness, `10.0.1.${i}`, `sensor ${i}`, as("anna")));
		assert.equal(harness.broker.counters.connectsRefused, 0);
	});

	test("the session that gives way: its will is published, its subscriptions end", () => {
		const harness = new BrokerHarness({ sessions: 2, sessionExpiryLimit: 0xffff_ffff });
		const watcher = connected(harness, "10.0.0.2", "watcher");
		watcher.subscribe("will/#");
		const will = { topic: "will/a", payload: Buffer.from("gone"), qos: 0, retain: false };
		const away = connected(harness, "10.0.0.1", "away", {
			...persistent,
			will: { ...will, properties: { willDelayInterval: 1000 } },
		});
		away.subscribe("t");
		away.drop();
		assert.deepEqual(watcher.messages(), []);
		connected(harness, "10.0.0.3", "stranger");
		assert.deepEqual(watcher.messages(), ["will/a=gone"]);
		assert.equal(harness.broker.usage.subscriptions, 1);
	});

	test("long identifiers and wills count as several sessions: a stranger finds bytes", () => {
		const harness = new BrokerHarness({ sessionExpiryLimit: 0xffff_ffff });
		for (let i = 0; i < 5; i++) leave(harness, `10.0.1.${i}`, `sensor ${i}`);
		for (let i = 0; i < 9; i++) leave(harness, "10.0.0.1", `${i}`.padEnd(240, "x"));
		for (let i = 0; i < 5; i++) leave(harness, "10.0.0.7", `of a home ${i}`);
		for (let i = 0; i < 5; i++) assert.ok(isPresent(harness, `10.0.1.${i}`, `sensor ${i}`));
		for (let i = 0; i < 5; i++) assert.ok(isPresent(harness, "10.0.0.7", `of a home ${i}`));
		assert.equal(harness.broker.counters.connectsRefused, 0);
		// connected clients give way too
		const will = { topic: "w", payload: Buffer.alloc(200), qos: 0, retain: false };
		const hoarder = Array.from({ length: 4 }, (_, i) => enter(harness, "10.0.0.1", `${i}`, { will })[0]);
		connected(harness, "10.0.0.3", "stranger".padEnd(60));
		for (let i = 0; i < 5; i++) assert.ok(isPresent(harness, `10.0.1.${i}`, `sensor ${i}`));
		assert.ok(hoarder.length > 0);
	});

	test("stored sessions keep their peer over a restart", () => {
		const storage = new PowerCutStorage();
		const settings: Partial<ListenSettings> = { sessionExpiryLimit: 0xffff_ffff, persistInterval: 0, users };
		const before = new BrokerHarness(settings, storage);
		for (let i = 0; i < 6; i++) leave(before, `10.0.1.${i}`, `sensor ${i}`);
		for (let i = 0; i < 5; i++) leave(before, "10.0.0.1", `hoard ${i}`);
		for (let i = 0; i < 5; i++) leave(before, "10.0.0.5", `of anna ${i}`, as("anna"));
		before.broker.stop();
		const after = new BrokerHarness(settings, storage);
		assert.equal(after.broker.usage.sessions, 16);
		for (let i = 0; i < 4; i++) leave(after, `10.0.2.${i}`, `stranger ${i}`);
		for (let i = 0; i < 6; i++) assert.ok(isPresent(after, `10.0.1.${i}`, `sensor ${i}`));
		assert.ok(isPresent(after, "10.0.0.5", "of anna 4", as("anna")));
	});
});

test("sessions stored before peers were stored: restored, with their subscriptions and wills", () => {
	// a connected client "node" with a will and a subscription to "t", and an absent client "away"
	const values = new Map(
		[
			["cb", "plFNjQAAAAXxAAAAAAAAAaIgaekzACAAEAAgAEAAQA=="],
			["s1a", "zIgeGAAAAAIBAAAD6P////8AAARub2RlAQAAADwAAAAAAAAAAAEAAHdnb25l"],
			["ca", "YGZ4vQAAAATxAAAAAAAAAaIgaekSACAAEAAgAEAAQA=="],
			["f1b", "WCJkdwAAAAQCAAEBAAAAAAB0"],
			["s2a", "y/UFcwAAAAUB//////////8AAARhd2F5AA=="],
		].map(([key, value]) => [key, new Uint8Array(Buffer.from(value, "base64"))]),
	);
	const settings = { sessionExpiryLimit: 0xffff_ffff, persistInterval: 0 };
	const storage = new PowerCutStorage(values);
	for (const restarts of [0, 1]) {
		const harness = new BrokerHarness(settings, storage);
		assert.deepEqual(harness.host.traces, []);
		assert.equal(harness.broker.usage.sessions, 2);
		assert.equal(harness.broker.usage.subscriptions, 1);
		const watcher = connected(harness, "10.0.0.2", "watcher");
		watcher.subscribe("w");
		if (restarts === 1) {
			harness.host.advance(61_000);
			assert.deepEqual(watcher.messages(), ["w=gone"]);
		}
		// takes the address into the stored session
		assert.ok(isPresent(harness, "10.0.0.1", "away"));
		harness.broker.stop();
	}
});

describe("places of connected clients", () => {
	test("one host opens every connection: strangers are let in, the host keeps what nobody else asks for", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness();
			const hoard = Array.from({ length: 8 }, (_, i) =>
				connected(harness, "10.0.0.1", `hoard ${i}`, {}, version),
			);
			assert.equal(harness.broker.usage.connections, 8);
			const strangers = Array.from({ length: 4 }, (_, i) =>
				connected(harness, `10.0.1.${i}`, `s${i}`, {}, version),
			);
			assert.equal(hoard.filter(({ closed }) => closed).length, 4);
			if (version === 5) assert.equal((hoard[0].shift("disconnect") as IDisconnectPacket).reasonCode, 0x97);
			// it comes back: no stranger has to go
			for (let i = 0; i < 20; i++) enter(harness, "10.0.0.1", `again ${i}`, {}, version);
			assert.ok(strangers.every(({ closed }) => !closed));
			assert.equal(harness.broker.counters.connectionsEvicted, 4);
		}
	});

	test("a lasting session whose client gave way: expires, and its delayed will is published", () => {
		const harness = new BrokerHarness({ connections: 2 });
		const will = {
			topic: "w",
			payload: Buffer.from("gone"),
			qos: 0,
			retain: false,
			properties: { willDelayInterval: 5 },
		};
		const fields = { clean: false, properties: { sessionExpiryInterval: 20 }, keepalive: 0, will };
		for (const id of ["a", "b"]) {
			connected(harness, "10.0.0.1", id, fields);
			harness.host.advance(1000);
		}
		const stranger = connected(harness, "10.0.0.2", "stranger", { keepalive: 0 });
		stranger.subscribe("w");
		harness.host.advance(6000);
		assert.deepEqual(stranger.messages(), ["w=gone"]);
		assert.equal(harness.broker.usage.sessions, 3);
		harness.host.advance(20_000);
		assert.equal(harness.broker.usage.sessions, 2);
	});

	test("several hosts hold all places: one more finds a place as long as one holds more than one", () => {
		const harness = new BrokerHarness();
		for (let i = 0; i < 8; i++) connected(harness, `10.0.0.${i % 3}`, `h${i}`);
		const strangers = Array.from({ length: 5 }, (_, i) => connected(harness, `10.0.1.${i}`, `s${i}`));
		assert.ok(strangers.every(({ closed }) => !closed));
		assert.equal(enter(harness, "10.0.1.9", "one too many")[1], 0x97);
	});

	test("clients behind one address, or on localhost: all places, and none gives way to another", () => {
		const harness = new BrokerHarness();
		const home = Array.from({ length: 8 }, (_, i) => connected(harness, "127.0.0.1", `h${i}`));
		assert.equal(enter(harness, "127.0.0.1", "ninth")[1], 0x97);
		harness.host.advance(20_000);
		assert.equal(enter(harness, "127.0.0.1", "ninth")[1], 0x97);
		assert.ok(home.every(({ closed }) => !closed));
	});

	test("MQTT 3.1.1 without keep alive: never closed for silence, the longest silent gives way first", () => {
		const harness = new BrokerHarness({ keepAliveLimit: 100 });
		const silent = ["a", "b"].map((id) => {
			const peer = connected(harness, `10.0.0.${id}`, id, { keepalive: 0 }, 4);
			harness.host.advance(1000);
			return peer;
		});
		harness.host.advance(3_600_000);
		const others = Array.from({ length: 6 }, (_, i) => connected(harness, `10.0.1.${i}`, `c${i}`));
		silent[0].send({ cmd: "pingreq" });
		assert.equal(silent[0].closed, false);
		connected(harness, "10.0.1.9", "newcomer");
		assert.deepEqual(
			[...silent, ...others].map(({ closed }) => closed),
			[false, true, false, false, false, false, false, false],
		);
		// one that has just been heard is not silent
		assert.equal(enter(harness, "10.0.1.10", "late")[1], 0x97);
		harness.host.advance(SILENT_MS);
		connected(harness, "10.0.1.10", "late");
		assert.ok(silent[0].closed);
	});

	test("a host with several clients cannot displace the silent client of another one", () => {
		const harness = new BrokerHarness();
		const panel = connected(harness, "10.0.0.9", "panel", { keepalive: 0 }, 4);
		harness.host.advance(60_000);
		for (let i = 0; i < 7; i++) connected(harness, "10.0.0.1", `h${i}`);
		for (let i = 0; i < 9; i++) enter(harness, "10.0.0.1", `again ${i}`);
		assert.equal(panel.closed, false);
	});

	test("a user on one network is a peer: others there keep their places", () => {
		const harness = new BrokerHarness({ users });
		const peers = Array.from({ length: 4 }, (_, i) => connected(harness, "127.0.0.1", `e${i}`, as("evil")));
		for (let i = 4; i < 8; i++) peers.push(connected(harness, "127.0.0.1", `e${i}`, as("evil")));
		const anna = connected(harness, "127.0.0.1", "sensor", as("anna"));
		const ben = connected(harness, "127.0.0.1", "sensor", as("ben"));
		for (let i = 0; i < 9; i++) enter(harness, "127.0.0.1", `again ${i}`, as("evil"));
		assert.deepEqual([anna.closed, ben.closed], [false, false]);
	});
});

describe("subscriptions", () => {
	const granted = (peer: TestClient, topics: readonly string[]): number[] => {
		peer.send({
			cmd: "subscribe",
			messageId: 1,
			subscriptions: topics.map((topic) => ({ topic, qos: 1 })),
		});
		return [...(peer.shift("suback") as ISubackPacket).granted] as number[];
	};
	const topics = (count: number, prefix = "t") => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
	const refused = (codes: readonly number[]) => codes.filter((code) => code >= 0x80).length;

	test("subscriptionsPerClient reached: SUBACK 0x97 or 0x80; a replaced one still counts once", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness({ subscriptionsPerClient: 5 });
			const peer = harness.client("a", version);
			const code = version === 5 ? 0x97 : 0x80;
			assert.deepEqual(granted(peer, topics(7)), [1, 1, 1, 1, 1, code, code]);
			assert.deepEqual(granted(peer, ["t0", "u"]), [1, code]);
			peer.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["t0", "t1"] });
			assert.deepEqual(granted(peer, ["u", "v", "w"]), [1, 1, code]);
			assert.equal(harness.broker.counters.subscriptionsOverQuota, 4);
		}
	});

	test("one client has all that it may: every other client still has its share", () => {
		for (const [settings, filters] of [
			[{}, topics(40)],
			[{ filterLevels: 48 }, topics(24, "a/b")],
			[{}, topics(24, "x".repeat(60))],
			[{}, ["a/".repeat(80)]],
		] as const) {
			const harness = new BrokerHarness({ ...settings, subscriptionsPerClient: 40, packetSize: 2048 });
			const hoarder = connected(harness, "10.0.0.1", "hoarder");
			granted(hoarder, filters);
			for (let i = 0; i < 6; i++) {
				const peer = connected(harness, `10.0.1.${i}`, `c${i}`);
				assert.deepEqual(granted(peer, [`own/${i}`, `+/of/${i}`]), [1, 1]);
			}
			assert.equal(harness.broker.usage.connections, hoarder.closed ? 6 : 7);
		}
	});

	test("filters that a client has already: subscribed again without taking a place from anybody", () => {
		const harness = new BrokerHarness({ subscriptions: 16, connections: 4 });
		const lasting = { clean: false, properties: { sessionExpiryInterval: 1000 } };
		const away = harness.client("away", 5, lasting);
		granted(away, ["away"]);
		away.drop();
		const peer = harness.client("peer");
		granted(peer, ["own", "$share/own/t"]);
		const hoarder = harness.client("hoarder");
		granted(hoarder, topics(13));
		assert.deepEqual(granted(peer, ["own", "$share/own/t"]), [1, 1]);
		assert.deepEqual([harness.broker.usage.sessions, harness.broker.usage.subscriptions], [3, 16]);
		granted(peer, ["own", "new"]);
		assert.ok(hoarder.closed);
	});

	test("a host with many sessions of a few filters each: it displaces only itself, also while others are away", () => {
		const harness = new BrokerHarness({ subscriptions: 16, sessionExpiryLimit: 0xffff_ffff });
		const subscriber = connected(harness, "10.0.0.1", "subscriber", persistent);
		granted(subscriber, topics(3, "own"));
		for (let i = 0; i < 8; i++) {
			const hoarder = connected(harness, "10.0.0.2", `hoarder ${i}`, persistent);
			if (i === 5) subscriber.drop();
			granted(hoarder, topics(2, `h${i}`));
			hoarder.drop();
		}
		assert.ok(isPresent(harness, "10.0.0.1", "subscriber"));
		assert.equal(isPresent(harness, "10.0.0.2", "hoarder 0"), false);
		assert.ok(isPresent(harness, "10.0.0.2", "hoarder 7"));
	});

	test("lasting sessions that exceed their shares end first, then connected clients, then the absent", () => {
		const harness = new BrokerHarness({ subscriptions: 16, sessionExpiryLimit: 0xffff_ffff });
		const fill = (address: string, id: string, count: number) => {
			const peer = connected(harness, address, id, persistent);
			assert.equal(refused(granted(peer, topics(count, id))), 0);
			return peer;
		};
		for (const i of [1, 2, 3]) fill(`10.0.0.${i}`, `sensor ${i}`, 1).drop();
		const panel = fill("10.0.0.4", "panel", 6);
		fill("10.0.0.5", "away", 7).drop();
		assert.deepEqual(granted(connected(harness, "10.0.0.6", "a"), topics(2, "a")), [1, 1]);
		assert.equal(isPresent(harness, "10.0.0.5", "away"), false);
		assert.equal(panel.closed, false);
		fill("10.0.0.7", "b", 5);
		// b has borrowed: it may not displace the panel, but a client within its share may
		const b = connected(harness, "10.0.0.7", "b", persistent);
		assert.deepEqual(granted(b, ["one more"]), [0x97]);
		assert.deepEqual(granted(connected(harness, "10.0.0.8", "c"), ["c"]), [1]);
		assert.ok(panel.closed);
		for (const i of [1, 2, 3]) assert.ok(isPresent(harness, `10.0.0.${i}`, `sensor ${i}`));
	});

	test("a host with many sessions of a few filters each, none connected: it gives way before a client that has borrowed", () => {
		const harness = new BrokerHarness({ subscriptions: 16, sessionExpiryLimit: 0xffff_ffff });
		const panel = connected(harness, "10.0.0.1", "panel", persistent);
		granted(panel, topics(4, "own"));
		const sensor = connected(harness, "10.0.0.3", "sensor", persistent);
		granted(sensor, topics(2, "sensor"));
		sensor.drop();
		for (let i = 0; i < 5; i++) {
			const hoarder = connected(harness, "10.0.0.2", `hoarder ${i}`, persistent);
			granted(hoarder, topics(2, `h${i}`));
			hoarder.drop();
		}
		assert.equal(harness.broker.usage.subscriptions, 16);
		assert.deepEqual(granted(connected(harness, "10.0.0.4", "newcomer"), ["new"]), [1]);
		assert.equal(panel.closed, false);
		assert.ok(isPresent(harness, "10.0.0.3", "sensor"));
		assert.equal(isPresent(harness, "10.0.0.2", "hoarder 0"), false);
	});

	test("thousands of filters to thousands of values: a bounded part in each turn, others are served", () => {
		const harness = new BrokerHarness({ ...nodePools, retainedTopics: 500, packetSize: 32_768 });
		const sender = connected(harness, "10.0.0.2", "sender");
		for (let i = 0; i < 500; i++) sender.publish(`home/w${i}/x`, "1", { retain: true });
		harness.host.server.sendRoom = 32_768;
		const hoarder = connected(harness, "10.0.0.1", "hoarder");
		const other = connected(harness, "10.0.0.3", "other");
		other.subscribe("ping");
		// the first filter, which is compared last, matches and so shows when all of them have been compared
		const wildcards = ["home/w7/#", ...topics(1732, "+/none").map((topic) => `${topic}/#`)];
		let examined = 0;
		const { matches } = TopicTree.prototype;
		TopicTree.prototype.matches = function (...values) {
			examined++;
			return matches.apply(this, values);
		};
		try {
			assert.equal(refused(granted(hoarder, wildcards)), 0);
			let turns = 0;
			for (let most = 0; turns < 10_000 && hoarder.messages().length === 0; turns++) {
				most = Math.max(most, examined);
				// A comparison is a quarter of a packet; a turn of the client and one of the timer
				assert.ok(most <= 2 * 4 * nodePools.turnPackets, `${most}`);
				examined = 0;
				sender.publish("ping", `${turns}`);
				assert.deepEqual(other.messages(), [`ping=${turns}`]);
				harness.host.advance(1);
			}
			assert.ok(turns > 10 && turns < 50, `${turns}`);
		} finally {
			TopicTree.prototype.matches = matches;
		}
	});
});

describe("a CONNECT that is refused for lack of room", () => {
	const will = { topic: "w", payload: Buffer.alloc(2000), qos: 0, retain: false };
	test("with clean start: the old session and its subscriptions remain", () => {
		const harness = new BrokerHarness({ connections: 2 });
		leave(harness, "10.0.0.1", "node");
		const returning = connected(harness, "10.0.0.1", "node", persistent);
		returning.subscribe("t", { qos: 1 });
		returning.drop();
		for (let i = 0; i < 2; i++) connected(harness, "10.0.0.1", `c${i}`);
		const [, code] = enter(harness, "10.0.0.1", "node", { clean: true });
		assert.equal(code, 0x97);
		assert.equal(harness.broker.usage.sessions, 3);
		assert.equal(harness.broker.usage.subscriptions, 1);
	});

	test("for its will: neither the old session nor the old connection ends", () => {
		const harness = new BrokerHarness({ packetSize: 4096 });
		const old = connected(harness, "10.0.0.1", "node", persistent);
		old.subscribe("t", { qos: 1 });
		for (const clean of [true, false]) {
			assert.equal(enter(harness, "10.0.0.1", "node", { clean, will })[1], 0x97);
			assert.equal(old.closed, false);
			assert.equal(harness.broker.usage.subscriptions, 1);
		}
		assert.equal(harness.broker.counters.takeovers, 0);
	});
});

describe("who gives way", () => {
	test("a client has left in the same callback: its place is free, and nobody gives way or is refused", () => {
		for (const others of [1, 2]) {
			const harness = new BrokerHarness({ connections: others + 1, users });
			const bystanders = Array.from({ length: others }, (_, i) =>
				connected(harness, "10.0.0.1", `bystander ${i}`, as("ben")),
			);
			// while the password of the first one is checked, the second one waits: both go on in one callback
			const [leaving, waiting] = ["10.0.0.2", "10.0.0.3"].map((address) => {
				const peer = new TestClient(harness.host, 5, address);
				harness.host.run();
				peer.connect(address, as("anna"));
				return peer;
			});
			leaving.send({ cmd: "disconnect" });
			harness.host.advance(100);
			assert.equal((waiting.shift("connack") as IConnackPacket | undefined)?.reasonCode, 0);
			assert.ok(leaving.closed);
			assert.ok(bystanders.every(({ closed }) => !closed));
		}
	});

	/** Sessions of other peers, each of which has fewer units than the newcomer with its will would have. */
	function fillBytes(harness: BrokerHarness, count: number): void {
		for (let i = 0; i < count; i++) leave(harness, `10.0.1.${i}`, `${i}`.padEnd(250, "x"));
	}
	const largeWill = { will: { topic: "w", payload: Buffer.alloc(340), qos: 0, retain: false } };

	test("not enough sessions would give way for the newcomer's bytes: it is refused, and none ends", () => {
		const harness = new BrokerHarness({ sessions: 8, sessionBytes: 800 });
		fillBytes(harness, 2);
		for (let i = 0; i < 4; i++) leave(harness, "10.0.0.1", `small ${i}`);
		assert.equal(enter(harness, "10.0.0.2", "large", largeWill)[1], 0x97);
		assert.equal(harness.broker.counters.sessionsEvicted, 0);
		for (let i = 0; i < 4; i++) assert.ok(isPresent(harness, "10.0.0.1", `small ${i}`), `${i}`);
	});

	test("a place, but no bytes for the newcomer: it is refused, and nobody loses the place", () => {
		const harness = new BrokerHarness({ connections: 2, sessions: 8, sessionBytes: 800 });
		fillBytes(harness, 2);
		const hoard = [0, 1].map((i) => connected(harness, "10.0.0.1", `small ${i}`));
		assert.equal(enter(harness, "10.0.0.2", "large", largeWill)[1], 0x97);
		assert.ok(hoard.every(({ closed }) => !closed));
		assert.equal(harness.broker.counters.connectionsEvicted, 0);
	});

	test("all sessions connected and all places taken: one client gives place and session to a stranger", () => {
		for (const lasting of [{}, persistent]) {
			const harness = new BrokerHarness({ connections: 4, sessions: 4 });
			const hoard = Array.from({ length: 4 }, (_, i) => connected(harness, "10.0.0.1", `h${i}`, lasting));
			connected(harness, "10.0.0.2", "stranger");
			assert.equal(hoard.filter(({ closed }) => closed).length, 1);
			assert.equal(harness.broker.usage.sessions, 4);
		}
	});
});
