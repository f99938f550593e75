import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import type { IConnackPacket } from "mqtt-packet";
import type { ListenSettings } from "../../src/config/settings";
import { hashOf } from "../access/hashes";
import { Flash } from "./support/flash";
import { World } from "./support/world";

const INTERVAL = 60_000;
const lasting = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 1000 } };

/** A broker on the same storage after the power was off. */
function restart(flash: Flash, settings: Partial<ListenSettings> = {}): World {
	return new World(settings, new Flash(flash.values));
}

/** A clock that is late or early, ms. */
function shiftedClock() {
	const start = Date.now();
	const clock = { shift: 0, restore: () => mocked.mock.restore() };
	const mocked = mock.method(Date, "now", () => start + clock.shift);
	return clock;
}

describe("values that are restored", () => {
	test("a current value is kept beside the retained one, whichever of them is read first", () => {
		const flash = new Flash();
		const settings = { lastValue: "every" } as const;
		const world = new World(settings, flash);
		const client = world.client("a");
		client.publish("x", "1", { retain: true }).publish("t", "retained", { retain: true });
		client.publish("x", "", { retain: true }).publish("t", "current");
		world.host.advance(INTERVAL);
		assert.equal(restart(flash, settings).values().get("t")?.[0], "current");
	});

	test("what gave way to others in a smaller pool does not come back in a larger one", () => {
		const flash = new Flash();
		const settings = { lastValue: "every", retainedBytes: 1000 } as const;
		const world = new World(settings, flash);
		const client = world.client("a");
		for (const topic of "abc") client.publish(topic, "old");
		client.publish("d", "r".repeat(60), { retain: true });
		world.host.advance(INTERVAL);
		const storage = new Flash(flash.values);
		const small = new World({ ...settings, retainedBytes: 64 }, storage);
		assert.deepEqual([...small.values().keys()], ["d"]);
		assert.match(small.host.traces.join(), /0 messages, 3 values/);
		assert.deepEqual([...restart(storage, settings).values().keys()], ["d"]);
	});
});

test("what has another number since the restart is put right too once the clock is set", () => {
	const clock = shiftedClock();
	const flash = new Flash();
	const world = new World({}, flash);
	const client = world.client("a");
	client.publish("x", "1", { retain: true }).publish("t", "1", { retain: true }).publish("x", "", { retain: true });
	world.host.advance(INTERVAL);
	clock.shift = 3_600_000;
	const again = new World({ retainedTopics: 1 }, new Flash(flash.values), false);
	again.host.clockIsSet = true;
	again.host.advance(2 * INTERVAL);
	const age = Date.now() - again.values().get("t")![1];
	assert.ok(age >= 3_600_000, String(age));
	clock.restore();
});

describe("a session that ends", () => {
	test("was its client connected when the power went, it has its time from then on, not from each start anew", () => {
		const clock = shiftedClock();
		let flash = new Flash();
		const world = new World({}, flash);
		world.client("node", 5, lasting);
		world.host.advance(INTERVAL);
		const sessions: number[] = [];
		for (let i = 0; i < 3; i++) {
			flash = new Flash(flash.values);
			const again = new World({}, flash);
			again.host.advance(600_000);
			clock.shift += 600_000;
			sessions.push(again.broker.usage.sessions);
		}
		assert.deepEqual(sessions, [1, 0, 0]);
		clock.restore();
	});

	test("was it stored before the clock was set, it is not taken for over at the next start; and one whose time went by without power ends", () => {
		const clock = shiftedClock();
		const flash = new Flash();
		const world = new World({}, flash);
		world.client("old", 5, lasting).drop();
		world.host.advance(INTERVAL);
		clock.shift = 7_200_000;
		const storage = new Flash(flash.values);
		const again = new World({}, storage, false);
		again.client("node", 5, lasting).drop();
		again.host.advance(INTERVAL);
		assert.equal(again.broker.usage.sessions, 2);
		again.host.clockIsSet = true;
		again.host.advance(INTERVAL);
		again.client("other").publish("t", "1", { retain: true });
		again.host.advance(INTERVAL);
		assert.equal(again.broker.usage.sessions, 2); // "other", which is connected
		const last = restart(storage);
		last.host.advance(10);
		assert.equal((last.peer().open("node", lasting) as IConnackPacket).sessionPresent, true);
		assert.equal((last.peer().open("old", lasting) as IConnackPacket).sessionPresent, false);
		clock.restore();
	});
});

describe("users and rules that have changed", () => {
	const users = ["anna", "ben"].map((name, i) => ({ name, hash: hashOf(`word ${i}`, 300) }));
	const settings = { users, anonymous: true };
	const credentials = (i: number) => ({ ...lasting, username: users[i]!.name, password: Buffer.from(`word ${i}`) });

	/** Connects a user. @returns the code of CONNACK, and whether the session was there */
	function login(world: World, i: number): [number | undefined, boolean] {
		const peer = world.peer();
		peer.open(`node-${i}`, credentials(i));
		world.host.advance(2000);
		const { reasonCode, sessionPresent } = (peer.shift("connack") ?? peer.packets[0]) as IConnackPacket;
		return [reasonCode, sessionPresent];
	}

	function stored(): Flash {
		const flash = new Flash();
		const world = new World(settings, flash);
		for (const i of [0, 1]) {
			const peer = world.peer();
			peer.open(`node-${i}`, credentials(i));
			world.host.advance(2000);
			peer.subscribe("#", { qos: 1 });
			peer.drop();
		}
		const nobody = world.client("nobody", 5, lasting);
		nobody.subscribe("#", { qos: 1 });
		nobody.drop();
		const sender = world.client("sender");
		sender.publish("open", "1", { qos: 1, messageId: 1 }).publish("secret", "2", { qos: 1, messageId: 2 });
		world.host.advance(INTERVAL);
		return flash;
	}

	test("a session stays that of its user, and goes with him; those of nobody go where nobody is let in without a name", () => {
		const flash = stored();
		const same = restart(flash, settings);
		assert.equal(same.broker.usage.sessions, 3);
		assert.equal((same.peer().open("node-0", lasting) as IConnackPacket).reasonCode, 0x87);
		assert.deepEqual(login(same, 0), [0, true]);
		const storage = new Flash(flash.values);
		const fewer = new World({ users: [users[1]!], anonymous: false }, storage);
		assert.match(fewer.host.traces.join(), /2 sessions, 0 subscriptions, 0 messages, 0 values/);
		assert.deepEqual([fewer.broker.usage.sessions, fewer.broker.usage.subscriptions, fewer.broker.usage.queued], [1, 1, 2]);
		const again = restart(storage, settings);
		assert.deepEqual([again.broker.usage.sessions, again.broker.usage.subscriptions, again.broker.usage.queued], [1, 1, 2]);
		assert.deepEqual(login(again, 0), [0, false]);
		assert.deepEqual(login(again, 1), [0, true]);
	});

	test("what a session may not be sent any more is gone, also when the rules are what they were again", () => {
		const storage = new Flash(stored().values);
		const acl = [
			{ effect: "deny", action: "subscribe", topic: "secret" },
			{ effect: "allow", action: "all", topic: "#" },
		] as const;
		const strict = new World({ ...settings, acl }, storage);
		assert.match(strict.host.traces.join(), /0 sessions, 0 subscriptions, 3 messages, 0 values/);
		strict.client("sender").publish("secret", "3", { qos: 1, messageId: 1 });
		strict.host.advance(INTERVAL);
		assert.deepEqual(restart(storage, settings).client("nobody", 5, lasting).messages(), ["open=1"]);
	});
});

test("messages that expired without power give way as soon as the clock is set", () => {
	const clock = shiftedClock();
	const flash = new Flash();
	const settings = { queuedPerClient: 2 };
	const long = { ...lasting, properties: { sessionExpiryInterval: 100_000 } };
	const world = new World(settings, flash);
	const node = world.client("node", 5, long);
	node.subscribe("t", { qos: 1 });
	node.drop();
	for (let i = 1; i < 3; i++) world.client("sender").publish("t", "old", { qos: 1, messageId: i, properties: { messageExpiryInterval: 3600 } });
	world.host.advance(INTERVAL);
	clock.shift = 7_200_000;
	const again = new World(settings, new Flash(flash.values), false);
	again.client("sender").publish("t", "no room", { qos: 1, messageId: 1 });
	again.host.clockIsSet = true;
	again.host.advance(2 * INTERVAL);
	again.client("sender").publish("t", "new", { qos: 1, messageId: 1 });
	assert.deepEqual(again.client("node", 5, long).messages(), ["t=new"]);
	clock.restore();
});

test("storage that can be read but not changed: what is there is restored; what was interrupted is not stored with what comes later", () => {
	const flash = new Flash();
	const world = new World({}, flash);
	const client = world.client("a", 5, { keepalive: 0 });
	client.publish("t", "1", { retain: true });
	world.host.advance(INTERVAL);
	client.publish("t", "2", { retain: true }).publish("u", "2", { retain: true });
	flash.cutAt = flash.written + 30;
	world.host.advance(INTERVAL);
	const full = new Flash(flash.values);
	for (let i = 1; i < 100; i++) full.failures.add(i);
	const again = new World({}, full);
	assert.equal(again.values().get("t")?.[0], "1");
	full.failures.clear();
	again.client("a").publish("w", "1", { retain: true });
	again.host.advance(INTERVAL);
	assert.deepEqual([...restart(full).values()].map(([topic, [text]]) => [topic, text]).sort(), [
		["t", "1"],
		["w", "1"],
	]);
});

test("a message that is longer than the largest packet, as its topic came as an alias, is not stored; everything else is", () => {
	const flash = new Flash();
	const world = new World({ packetSize: 512, aliasBytes: 4096, topicAliases: 4 }, flash);
	const node = world.client("node", 5, lasting);
	node.subscribe("#", { qos: 1 });
	node.drop();
	const client = world.client("a", 5, { keepalive: 0 });
	client.publish("t".repeat(450), "", { properties: { topicAlias: 1 } });
	client.publish("", "x".repeat(450), { qos: 1, messageId: 1, retain: true, properties: { topicAlias: 1 } });
	client.publish("other", "1", { qos: 1, messageId: 2, retain: true });
	world.host.advance(INTERVAL);
	assert.equal(world.broker.usage.values, 2);
	assert.deepEqual(world.host.traces, []);
	const again = restart(flash);
	assert.deepEqual(again.host.traces, []);
	assert.deepEqual([...again.values().keys()], ["other"]);
	assert.deepEqual(again.client("node", 5, lasting).messages(), ["other=1"]);
});

test("persistInterval 0: while it is not known how long there was no power, changes are stored at once all the same", () => {
	const flash = new Flash();
	new World({ persistInterval: 0 }, flash).client("a").publish("t", "0", { retain: true });
	const storage = new Flash(flash.values);
	const client = new World({ persistInterval: 0 }, storage, false).client("b");
	for (const value of "123") {
		client.publish("t", value, { retain: true });
		assert.equal(restart(storage).values().get("t")?.[0], value);
	}
});

test("after storing the memory has its whole length again", () => {
	const flash = new Flash();
	let buffer = new ArrayBuffer(0);
	const storage = {
		open() {
			const inner = flash.open();
			const write = (key: string, value: Uint8Array) => {
				buffer = value.buffer as ArrayBuffer;
				inner.write(key, value);
			};
			return { ...inner, write };
		},
	};
	const world = new World({}, storage);
	world.client("a").publish("t", "1", { retain: true });
	world.host.advance(INTERVAL);
	assert.ok(buffer.byteLength > 0);
	assert.equal(buffer.byteLength, buffer.maxByteLength);
});
