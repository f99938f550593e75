import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import type { IConnackPacket } from "mqtt-packet";
import type { ListenSettings } from "../../src/config/settings";
import { hashOf } from "../access/password-hash";
import { BrokerHarness } from "./support/broker-harness";
import { PowerCutStorage } from "./support/power-cut-storage";

const PERSIST_INTERVAL_MS = 60_000;
const persistent = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 1000 } };

/** Starts a broker on the same storage after a power cut. */
function restart(flash: PowerCutStorage, settings: Partial<ListenSettings> = {}): BrokerHarness {
	return new BrokerHarness(settings, new PowerCutStorage(flash.values));
}

/** Mocks Date.now() with an adjustable shift, ms. */
function shiftedClock() {
	const start = Date.now();
	const clock = { shift: 0, restore: () => mocked.mock.restore() };
	const mocked = mock.method(Date, "now", () => start + clock.shift);
	return clock;
}

describe("restored values", () => {
	test("a current value beside a retained one: restored, whichever record is read first", () => {
		const flash = new PowerCutStorage();
		const settings = { lastValue: "every" } as const;
		const harness = new BrokerHarness(settings, flash);
		const client = harness.client("a");
		client.publish("x", "1", { retain: true }).publish("t", "retained", { retain: true });
		client.publish("x", "", { retain: true }).publish("t", "current");
		harness.host.advance(PERSIST_INTERVAL_MS);
		assert.equal(restart(flash, settings).values().get("t")?.[0], "current");
	});

	test("values dropped by a smaller pool: not restored into a larger one", () => {
		const flash = new PowerCutStorage();
		const settings = { lastValue: "every", retainedBytes: 1000 } as const;
		const harness = new BrokerHarness(settings, flash);
		const client = harness.client("a");
		for (const topic of "abc") client.publish(topic, "old");
		client.publish("d", "r".repeat(60), { retain: true });
		harness.host.advance(PERSIST_INTERVAL_MS);
		const storage = new PowerCutStorage(flash.values);
		const smallHarness = new BrokerHarness({ ...settings, retainedBytes: 64 }, storage);
		assert.deepEqual([...smallHarness.values().keys()], ["d"]);
		assert.match(smallHarness.host.traces.join(), /0 messages, 3 values/);
		assert.deepEqual([...restart(storage, settings).values().keys()], ["d"]);
	});
});

test("a value whose record number changed: its age is corrected once the clock is set", () => {
	const clock = shiftedClock();
	const flash = new PowerCutStorage();
	const harness = new BrokerHarness({}, flash);
	const client = harness.client("a");
	client
		.publish("x", "1", { retain: true })
		.publish("t", "1", { retain: true })
		.publish("x", "", { retain: true });
	harness.host.advance(PERSIST_INTERVAL_MS);
	clock.shift = 3_600_000;
	const again = new BrokerHarness({ retainedTopics: 1 }, new PowerCutStorage(flash.values), false);
	again.host.clockIsSet = true;
	again.host.advance(2 * PERSIST_INTERVAL_MS);
	const age = Date.now() - again.values().get("t")![1];
	assert.ok(age >= 3_600_000, String(age));
	clock.restore();
});

describe("session expiry across restarts", () => {
	test("a client connected at the power cut: its expiry runs from the first start, not from each", () => {
		const clock = shiftedClock();
		let flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		harness.client("node", 5, persistent);
		harness.host.advance(PERSIST_INTERVAL_MS);
		const sessions: number[] = [];
		for (let i = 0; i < 3; i++) {
			flash = new PowerCutStorage(flash.values);
			const again = new BrokerHarness({}, flash);
			again.host.advance(600_000);
			clock.shift += 600_000;
			sessions.push(again.broker.usage.sessions);
		}
		assert.deepEqual(sessions, [1, 0, 0]);
		clock.restore();
	});

	test("a session stored before the clock was set: restored; one expired without power: ended", () => {
		const clock = shiftedClock();
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		harness.client("old", 5, persistent).drop();
		harness.host.advance(PERSIST_INTERVAL_MS);
		clock.shift = 7_200_000;
		const storage = new PowerCutStorage(flash.values);
		const again = new BrokerHarness({}, storage, false);
		again.client("node", 5, persistent).drop();
		again.host.advance(PERSIST_INTERVAL_MS);
		assert.equal(again.broker.usage.sessions, 2);
		again.host.clockIsSet = true;
		again.host.advance(PERSIST_INTERVAL_MS);
		again.client("other").publish("t", "1", { retain: true });
		again.host.advance(PERSIST_INTERVAL_MS);
		assert.equal(again.broker.usage.sessions, 2); // "other", which is connected
		const last = restart(storage);
		last.host.advance(10);
		assert.equal((last.peer().connect("node", persistent) as IConnackPacket).sessionPresent, true);
		assert.equal((last.peer().connect("old", persistent) as IConnackPacket).sessionPresent, false);
		clock.restore();
	});
});

describe("changed users and rules", () => {
	const users = ["anna", "ben"].map((name, i) => ({ name, hash: hashOf(`word ${i}`, 300) }));
	const settings = { users, anonymous: true };
	const credentials = (i: number) => ({
		...persistent,
		username: users[i]!.name,
		password: Buffer.from(`word ${i}`),
	});

	/** Connects a user. @returns reason code and session present of CONNACK */
	function login(harness: BrokerHarness, i: number): [number | undefined, boolean] {
		const peer = harness.peer();
		peer.connect(`node-${i}`, credentials(i));
		harness.host.advance(2000);
		const { reasonCode, sessionPresent } = (peer.shift("connack") ?? peer.packets[0]) as IConnackPacket;
		return [reasonCode, sessionPresent];
	}

	function storageWithSessions(): PowerCutStorage {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness(settings, flash);
		for (const i of [0, 1]) {
			const peer = harness.peer();
			peer.connect(`node-${i}`, credentials(i));
			harness.host.advance(2000);
			peer.subscribe("#", { qos: 1 });
			peer.drop();
		}
		const nobody = harness.client("nobody", 5, persistent);
		nobody.subscribe("#", { qos: 1 });
		nobody.drop();
		const sender = harness.client("sender");
		sender.publish("open", "1", { qos: 1, messageId: 1 }).publish("secret", "2", { qos: 1, messageId: 2 });
		harness.host.advance(PERSIST_INTERVAL_MS);
		return flash;
	}

	test("sessions of a removed user, and anonymous ones without anonymous access: not restored", () => {
		const flash = storageWithSessions();
		const sameUsersHarness = restart(flash, settings);
		assert.equal(sameUsersHarness.broker.usage.sessions, 3);
		// an anonymous client with that identifier is another one
		const namesake = sameUsersHarness.peer();
		const { reasonCode, sessionPresent } = namesake.connect("node-0", persistent) as IConnackPacket;
		assert.deepEqual([reasonCode, sessionPresent], [0, false]);
		assert.deepEqual(login(sameUsersHarness, 0), [0, true]);
		const storage = new PowerCutStorage(flash.values);
		const oneUserHarness = new BrokerHarness({ users: [users[1]!], anonymous: false }, storage);
		assert.match(oneUserHarness.host.traces.join(), /2 sessions, 0 subscriptions, 0 messages, 0 values/);
		assert.deepEqual(
			[
				oneUserHarness.broker.usage.sessions,
				oneUserHarness.broker.usage.subscriptions,
				oneUserHarness.broker.usage.queued,
			],
			[1, 1, 2],
		);
		const again = restart(storage, settings);
		assert.deepEqual(
			[again.broker.usage.sessions, again.broker.usage.subscriptions, again.broker.usage.queued],
			[1, 1, 2],
		);
		assert.deepEqual(login(again, 0), [0, false]);
		assert.deepEqual(login(again, 1), [0, true]);
	});

	test("queued messages that new rules deny: deleted, also if the old rules return", () => {
		const storage = new PowerCutStorage(storageWithSessions().values);
		const acl = [
			{ effect: "deny", action: "subscribe", topic: "secret" },
			{ effect: "allow", action: "all", topic: "#" },
		] as const;
		const strictHarness = new BrokerHarness({ ...settings, acl }, storage);
		assert.match(strictHarness.host.traces.join(), /0 sessions, 0 subscriptions, 3 messages, 0 values/);
		strictHarness.client("sender").publish("secret", "3", { qos: 1, messageId: 1 });
		strictHarness.host.advance(PERSIST_INTERVAL_MS);
		assert.deepEqual(restart(storage, settings).client("nobody", 5, persistent).messages(), ["open=1"]);
	});
});

test("messages that expired without power: removed as soon as the clock is set", () => {
	const clock = shiftedClock();
	const flash = new PowerCutStorage();
	const settings = { queuedPerClient: 2 };
	const longSession = { ...persistent, properties: { sessionExpiryInterval: 100_000 } };
	const harness = new BrokerHarness(settings, flash);
	const node = harness.client("node", 5, longSession);
	node.subscribe("t", { qos: 1 });
	node.drop();
	for (let i = 1; i < 3; i++)
		harness
			.client("sender")
			.publish("t", "old", { qos: 1, messageId: i, properties: { messageExpiryInterval: 3600 } });
	harness.host.advance(PERSIST_INTERVAL_MS);
	clock.shift = 7_200_000;
	const again = new BrokerHarness(settings, new PowerCutStorage(flash.values), false);
	again.client("sender").publish("t", "no room", { qos: 1, messageId: 1 });
	again.host.clockIsSet = true;
	again.host.advance(2 * PERSIST_INTERVAL_MS);
	again.client("sender").publish("t", "new", { qos: 1, messageId: 1 });
	assert.deepEqual(again.client("node", 5, longSession).messages(), ["t=new"]);
	clock.restore();
});

test("read-only storage: state is restored; an interrupted transaction is not committed later", () => {
	const flash = new PowerCutStorage();
	const harness = new BrokerHarness({}, flash);
	const client = harness.client("a", 5, { keepalive: 0 });
	client.publish("t", "1", { retain: true });
	harness.host.advance(PERSIST_INTERVAL_MS);
	client.publish("t", "2", { retain: true }).publish("u", "2", { retain: true });
	flash.cutAtByte = flash.writtenBytes + 30;
	harness.host.advance(PERSIST_INTERVAL_MS);
	const full = new PowerCutStorage(flash.values);
	for (let i = 1; i < 100; i++) full.failingCalls.add(i);
	const again = new BrokerHarness({}, full);
	assert.equal(again.values().get("t")?.[0], "1");
	full.failingCalls.clear();
	again.client("a").publish("w", "1", { retain: true });
	again.host.advance(PERSIST_INTERVAL_MS);
	assert.deepEqual([...restart(full).values()].map(([topic, [text]]) => [topic, text]).sort(), [
		["t", "1"],
		["w", "1"],
	]);
});

test("a message that its resolved alias makes larger than packetSize: not stored; others are", () => {
	const flash = new PowerCutStorage();
	const harness = new BrokerHarness({ packetSize: 512, aliasBytes: 4096, topicAliases: 4 }, flash);
	const node = harness.client("node", 5, persistent);
	node.subscribe("#", { qos: 1 });
	node.drop();
	const client = harness.client("a", 5, { keepalive: 0 });
	client.publish("t".repeat(450), "", { properties: { topicAlias: 1 } });
	client.publish("", "x".repeat(450), { qos: 1, messageId: 1, retain: true, properties: { topicAlias: 1 } });
	client.publish("other", "1", { qos: 1, messageId: 2, retain: true });
	harness.host.advance(PERSIST_INTERVAL_MS);
	assert.equal(harness.broker.usage.values, 2);
	assert.deepEqual(harness.host.traces, []);
	const again = restart(flash);
	assert.deepEqual(again.host.traces, []);
	assert.deepEqual([...again.values().keys()], ["other"]);
	assert.deepEqual(again.client("node", 5, persistent).messages(), ["other=1"]);
});

test("persistInterval 0, clock not set: changes are stored at once", () => {
	const flash = new PowerCutStorage();
	new BrokerHarness({ persistInterval: 0 }, flash).client("a").publish("t", "0", { retain: true });
	const storage = new PowerCutStorage(flash.values);
	const client = new BrokerHarness({ persistInterval: 0 }, storage, false).client("b");
	for (const value of "123") {
		client.publish("t", value, { retain: true });
		assert.equal(restart(storage).values().get("t")?.[0], value);
	}
});

test("state was stored: the memory buffer has its full length again", () => {
	const flash = new PowerCutStorage();
	let buffer = new ArrayBuffer(0);
	const storage = {
		open() {
			const innerStorage = flash.open();
			const write = (key: string, value: Uint8Array) => {
				buffer = value.buffer as ArrayBuffer;
				innerStorage.write(key, value);
			};
			return { ...innerStorage, write };
		},
	};
	const harness = new BrokerHarness({}, storage);
	harness.client("a").publish("t", "1", { retain: true });
	harness.host.advance(PERSIST_INTERVAL_MS);
	assert.ok(buffer.byteLength > 0);
	assert.equal(buffer.byteLength, buffer.maxByteLength);
});
