import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import type { IConnackPacket, IPubackPacket, IPubrelPacket } from "mqtt-packet";
import { RecordCodec } from "../../src/broker/persist/record-codec";
import { Memory } from "../../src/broker/pool/memory";
import type { ListenSettings } from "../../src/config/settings";
import type { TCP } from "../../src/device";
import { DamagedValues } from "../support/damaged-values";
import { BrokerHarness } from "./support/broker-harness";
import { PowerCutStorage } from "./support/power-cut-storage";

const PERSIST_INTERVAL_MS = 60_000;
const persistent = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 1000 } };

/** Starts a broker on the same storage after a power cut. */
function restart(
	flash: PowerCutStorage,
	settings: Partial<ListenSettings> = {},
	clockIsSet = true,
): BrokerHarness {
	return new BrokerHarness(settings, new PowerCutStorage(flash.values), clockIsSet);
}

describe("state after a restart", () => {
	test("retained messages: restored with properties and times; cleared and live ones: not restored", () => {
		let now = () => 1_700_000_000_000;
		const clock = mock.method(Date, "now", () => now());
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		const boot = now() - harness.host.now;
		now = () => boot + harness.host.now;
		const client = harness.client("a");
		client.publish("t/1", "one", {
			retain: true,
			qos: 1,
			messageId: 1,
			properties: { contentType: "text/plain", userProperties: { k: "v" } },
		});
		client
			.publish("t/2", "two", { retain: true })
			.publish("t/3", "three")
			.publish("t/4", "four", { retain: true });
		harness.host.advance(PERSIST_INTERVAL_MS);
		client.publish("t/4", "", { retain: true });
		harness.host.advance(PERSIST_INTERVAL_MS);
		const before = harness.values();
		const restartTime = now() + 5000;
		now = () => restartTime;
		const later = restart(flash);
		assert.deepEqual([...later.values().keys()].sort(), ["t/1", "t/2"]);
		for (const topic of ["t/1", "t/2"]) {
			const [payload, time, retained] = later.values().get(topic)!;
			assert.deepEqual([payload, retained], [before.get(topic)![0], true]);
			assert.ok(Math.abs(time - before.get(topic)![1]) <= 2, `${time} ${before.get(topic)![1]}`);
		}
		const subscriber = later.client("b");
		subscriber.subscribe("t/#", { qos: 1 });
		const got = subscriber.publishes();
		assert.deepEqual(
			got.map(({ topic, payload, qos, retain }) => [topic, String(payload), qos, retain]),
			[
				["t/1", "one", 1, true],
				["t/2", "two", 0, true],
			],
		);
		assert.equal(got[0]!.properties?.contentType, "text/plain");
		assert.deepEqual({ ...got[0]!.properties?.userProperties }, { k: "v" });
		clock.mock.restore();
	});

	test("more messages in flight than are queued for one client: all are sent again", () => {
		const flash = new PowerCutStorage();
		const settings = { persistInterval: 0, queuedPerClient: 2, inFlight: 6 };
		const harness = new BrokerHarness(settings, flash);
		const reader = harness.client("reader", 5, persistent);
		reader.subscribe("t", { qos: 2 });
		const sender = harness.client("sender");
		for (let i = 0; i < 6; i++) sender.publish("t", `${i}`, { qos: 1 + (i % 2), messageId: 1 + i });
		assert.equal(reader.publishes().length, 6);
		const later = restart(flash, settings);
		assert.deepEqual(later.host.traces, []);
		const again = later.client("reader", 5, persistent).publishes();
		assert.deepEqual(
			again.map(({ payload, dup }) => [String(payload), dup]),
			["0", "1", "2", "3", "4", "5"].map((payload) => [payload, true]),
		);
	});

	test('lastValue "every": the current value of each topic is restored', () => {
		const flash = new PowerCutStorage();
		const settings = { lastValue: "every" } as const;
		const harness = new BrokerHarness(settings, flash);
		const client = harness.client("a");
		client.publish("t/1", "1", { retain: true }).publish("t/1", "2").publish("t/2", "x");
		harness.host.advance(PERSIST_INTERVAL_MS);
		const again = restart(flash, settings);
		assert.deepEqual(
			[...again.values()].map(([topic, [payload, , retained]]) => [topic, payload, retained]),
			[
				["t/1", "2", false],
				["t/2", "x", false],
			],
		);
		assert.deepEqual([...restart(flash).values()].map(([topic, [payload]]) => [topic, payload]).sort(), [
			["t/1", "2"],
			["t/2", "x"],
		]);
	});

	test("a persistent session: subscriptions, queues, messages in flight and QoS 2 state are restored", () => {
		for (const version of [4, 5] as const) {
			const flash = new PowerCutStorage();
			const harness = new BrokerHarness({}, flash);
			const node = harness.client("node", version, persistent);
			node.subscribe("command/+/x", { qos: 2 });
			node.subscribe("#", { qos: 1 });
			node.send({ cmd: "unsubscribe", messageId: 3, unsubscriptions: ["#"] });
			const sender = harness.client("sender");
			sender.publish("command/1/x", "under way", { qos: 1, messageId: 1 });
			sender
				.publish("command/2/x", "released", { qos: 2, messageId: 2 })
				.send({ cmd: "pubrel", messageId: 2 });
			const [first, second] = node.publishes();
			assert.deepEqual([first!.messageId, second!.messageId], [1, 2]);
			node.send({ cmd: "pubrec", messageId: 2 });
			node.publish("own", "taken", { qos: 2, messageId: 77 });
			node.drop();
			for (let i = 3; i < 8; i++) sender.publish(`command/${i}/x`, `waiting ${i}`, { qos: 1, messageId: i });
			harness.host.advance(PERSIST_INTERVAL_MS);

			const again = restart(flash);
			assert.equal(again.broker.usage.sessions, 1);
			assert.equal(again.broker.usage.subscriptions, 1);
			const returningClient = again.peer(version);
			assert.equal((returningClient.connect("node", persistent) as IConnackPacket).sessionPresent, true);
			assert.deepEqual(
				returningClient
					.publishes()
					.map(({ payload, dup, messageId }) => [String(payload), dup, dup ? messageId : 0]),
				[["under way", true, 1], ...[3, 4, 5, 6, 7].map((i) => [`waiting ${i}`, false, 0])],
			);
			assert.equal((returningClient.shift("pubrel") as { messageId: number } | undefined)?.messageId, 2);
			returningClient.publish("own", "taken", { qos: 2, messageId: 77, dup: true });
			assert.ok(returningClient.shift("pubrec"));
			const observer = again.client("witness");
			observer.subscribe("own");
			returningClient.publish("own", "taken", { qos: 2, messageId: 77, dup: true });
			assert.deepEqual(observer.messages(), []);
			returningClient.send({ cmd: "pubrel", messageId: 77 });
			assert.ok(returningClient.shift("pubcomp"));
			again.client("other").publish("command/9/x", "new", { qos: 2, messageId: 1 });
			assert.deepEqual(returningClient.messages(), ["command/9/x=new"]);
		}
	});

	test("a shared filter of MQTT 3.1.1 that was stored as an ordinary one: shared after a restart", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		const node = harness.client("node", 4, persistent);
		node.subscribe("$shake/g/t", { qos: 1 });
		node.drop();
		harness.host.advance(PERSIST_INTERVAL_MS);
		// Written as earlier versions did: the name changes in the record, and its mark "not shared" stays.
		const key = [...flash.values.keys()].find((each) => each.startsWith("f"))!;
		const codec = new RecordCodec(new Memory(0, 0, 64));
		const value = flash.values.get(key)!;
		codec.readBuffer().set(value);
		assert.ok(codec.startReading(value.length));
		const { generation, kind } = codec;
		const body = Buffer.from(
			Buffer.from(codec.bytes.slice(codec.at, codec.end)).toString("latin1").replace("shake", "share"),
			"latin1",
		);
		codec.startWriting();
		codec.writeBytes(body, 0, body.length);
		flash.values.set(key, codec.finish(generation, kind).slice());
		const again = restart(flash);
		assert.equal(again.broker.usage.subscriptions, 1);
		const returningClient = again.client("node", 4, persistent);
		again.client("other").publish("t", "1", { qos: 1, messageId: 1 });
		assert.deepEqual(returningClient.messages(), ["t=1"]);
		returningClient.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["$share/g/t"] });
		assert.equal(again.broker.usage.filterLevels, 0);
	});

	test("subscription options and identifiers, shared and $SYS subscriptions: restored", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({ systemInterval: 1000 }, flash);
		const node = harness.client("node", 5, persistent);
		node.subscribe("a/#", { qos: 1, nl: true, rap: true }, { subscriptionIdentifier: 300 });
		node.subscribe("$share/group/b/+/c", { qos: 1 });
		node.subscribe("$SYS/broker/uptime", { qos: 0 });
		node.drop();
		harness.host.advance(PERSIST_INTERVAL_MS);
		const again = restart(flash, { systemInterval: 1000 });
		assert.equal(again.broker.usage.subscriptions, 3);
		const returningClient = again.client("node", 5, persistent);
		returningClient.publish("a/own", "x", { qos: 1, messageId: 9 });
		const other = again.client("other");
		other
			.publish("a/1", "x", { qos: 1, messageId: 1, retain: true })
			.publish("b/2/c", "y", { qos: 1, messageId: 2 });
		const got = returningClient.publishes().filter(({ topic }) => !topic.startsWith("$SYS"));
		assert.deepEqual(
			got.map(({ topic, retain, properties }) => [topic, retain, properties?.subscriptionIdentifier]),
			[
				["a/1", true, 300],
				["b/2/c", false, undefined],
			],
		);
		again.host.advance(2000);
		assert.ok(returningClient.messages().some((message) => message.startsWith("$SYS/broker/uptime=")));
	});

	test("a client connected at the power cut: its will is published at the start or after its delay", () => {
		for (const [properties, delay] of [
			[{}, 0],
			[{ willDelayInterval: 5 }, 5],
		] as const) {
			const flash = new PowerCutStorage();
			const harness = new BrokerHarness({}, flash);
			const watcher = harness.client("watcher", 5, persistent);
			watcher.subscribe("state/#", { qos: 1 });
			harness.client("lasting", 5, {
				...persistent,
				will: { topic: "state/lasting", payload: "gone", qos: 1, retain: true, properties },
			});
			harness.client("passing", 5, {
				will: { topic: "state/passing", payload: "gone", qos: 1, retain: false, properties },
			});
			const disconnectingClient = harness.client("left", 5, {
				...persistent,
				will: { topic: "state/left", payload: "gone", qos: 1, retain: true, properties },
			});
			disconnectingClient.send({ cmd: "disconnect" });
			harness.host.advance(PERSIST_INTERVAL_MS);
			const again = restart(flash);
			again.host.advance(10);
			const returningClient = again.client("watcher", 5, persistent);
			assert.deepEqual(
				returningClient.messages().sort(),
				delay === 0 ? ["state/lasting=gone", "state/passing=gone"] : ["state/passing=gone"],
			);
			again.host.advance(6000);
			assert.deepEqual(returningClient.messages(), delay === 0 ? [] : ["state/lasting=gone"]);
			assert.equal(again.values().get("state/lasting")?.[0], "gone");
			assert.equal(again.broker.usage.sessions, 3);
		}
	});

	test("a will that finds no room any more: the session is restored without it", () => {
		const flash = new PowerCutStorage();
		const will = { topic: "will", payload: Buffer.alloc(200, "x"), qos: 1, retain: false };
		const delayed = { ...will, properties: { willDelayInterval: 5 } };
		const harness = new BrokerHarness({}, flash);
		harness.client("a", 5, { ...persistent, will: delayed });
		harness.host.advance(PERSIST_INTERVAL_MS);
		const later = restart(flash, { sessionBytes: 64 });
		const watcher = later.client("watcher");
		watcher.subscribe("#");
		later.host.advance(6000);
		assert.deepEqual(watcher.publishes(), []);
		assert.deepEqual([later.broker.usage.sessions, later.broker.usage.values], [2, 0]);
		assert.equal(later.broker.counters.willsPublished, 0);
	});

	test("a session expired without power: ended; one of a connected client: full expiry again", () => {
		const start = Date.now();
		let shift = 0;
		const clock = mock.method(Date, "now", () => start + shift);
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		const shortSession = { ...persistent, properties: { sessionExpiryInterval: 100 } };
		harness.client("away", 5, shortSession).drop();
		harness.client("connected", 5, shortSession);
		harness.host.advance(PERSIST_INTERVAL_MS);
		for (const [away, sessions] of [
			[10_000, 2],
			[200_000, 1],
		]) {
			shift = away!;
			const again = restart(flash);
			again.host.advance(10);
			assert.equal(again.broker.usage.sessions, sessions);
			again.host.advance(110_000);
			assert.equal(again.broker.usage.sessions, 0);
		}
		clock.mock.restore();
	});

	test("the clock is set after the start: ages are corrected then", () => {
		const start = Date.now();
		let shift = 0;
		const clock = mock.method(Date, "now", () => start + shift);
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		harness.client("a").publish("old", "1", { retain: true });
		harness.host.advance(PERSIST_INTERVAL_MS);
		shift = 3_600_000;
		const storage = new PowerCutStorage(flash.values);
		const again = new BrokerHarness({}, storage, false);
		again.client("b").publish("new", "2", { retain: true });
		again.host.advance(PERSIST_INTERVAL_MS);
		assert.ok(start + shift - again.values().get("old")![1] < 2 * PERSIST_INTERVAL_MS + 100);
		again.host.clockIsSet = true;
		again.host.advance(PERSIST_INTERVAL_MS);
		const age = (harness: BrokerHarness, topic: string) => Date.now() - harness.values().get(topic)![1];
		assert.ok(
			Math.abs(age(again, "old") - shift - PERSIST_INTERVAL_MS) < 2 * PERSIST_INTERVAL_MS + 100,
			String(age(again, "old")),
		);
		assert.ok(age(again, "new") <= 2 * PERSIST_INTERVAL_MS);
		again.host.advance(PERSIST_INTERVAL_MS);
		shift += 100_000;
		const last = new BrokerHarness({}, new PowerCutStorage(storage.values));
		assert.ok(age(last, "old") > 3_600_000 && age(last, "old") < 3_600_000 + 6 * PERSIST_INTERVAL_MS);
		assert.ok(
			age(last, "new") >= 2 * PERSIST_INTERVAL_MS && age(last, "new") < 8 * PERSIST_INTERVAL_MS,
			String(age(last, "new")),
		);
		clock.mock.restore();
	});
});

describe("storing", () => {
	test("no changes: nothing is written; frequent changes of a value: one write per interval", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({ keepAliveLimit: 0 }, flash);
		const client = harness.client("a", 5, { keepalive: 0 });
		const calls = flash.calls;
		harness.host.advance(10 * PERSIST_INTERVAL_MS);
		assert.equal(flash.calls, calls);
		for (let i = 0; i < 30; i++) {
			client.publish("t", String(i), { retain: true });
			harness.host.advance(1000);
		}
		harness.host.advance(PERSIST_INTERVAL_MS);
		assert.equal(harness.broker.counters.storageWrites, 3); // sizes at the start; value and commit
		assert.equal(restart(flash).values().get("t")?.[0], "29");
	});

	test("a persistent session resumed every minute: not written every minute", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		harness.client("node", 5, persistent).drop();
		harness.host.advance(PERSIST_INTERVAL_MS);
		const { storageWrites } = harness.broker.counters;
		for (let i = 0; i < 40; i++) {
			harness.client("node", 5, persistent).drop();
			harness.host.advance(PERSIST_INTERVAL_MS);
		}
		assert.ok(
			harness.broker.counters.storageWrites - storageWrites <= 2 * Math.ceil((40 * 60) / 125),
			String(harness.broker.counters.storageWrites),
		);
		const again = restart(flash);
		assert.equal((again.peer().connect("node", persistent) as IConnackPacket).sessionPresent, true);
	});

	test("persistInterval 0: all that was acknowledged survives a power cut", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({ persistInterval: 0 }, flash);
		harness.client("node", 5, persistent).subscribe("t/#", { qos: 1 });
		const sender = harness.client("sender");
		for (let i = 1; i <= 5; i++) {
			const stored = new Map(flash.values);
			sender.publish(`t/${i}`, "x", { qos: 1, messageId: i, retain: true });
			assert.equal((sender.shift("puback") as IPubackPacket).reasonCode, 0);
			assert.notDeepEqual(flash.values, stored);
			const again = restart(flash);
			assert.equal(again.values().size, i);
			assert.equal(again.client("node", 5, persistent).messages().length, i);
		}
	});

	test("persistInterval 0: PUBACK and PUBREC are written once what they acknowledge is stored", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({ persistInterval: 0 }, flash);
		const acknowledged: string[] = [];
		const sockets = harness.host.tcp.io.prototype as TCP;
		const { write } = sockets;
		sockets.write = function (this: TCP, packet) {
			const type = packet.length === 0 ? 0 : packet[0] >> 4;
			if (type === 4 || type === 5) acknowledged.push([...restart(flash).values().keys()].sort().join());
			return write.call(this, packet);
		};
		const sender = harness.client("sender", 5, persistent);
		sender.publish("t/1", "x", { qos: 1, messageId: 1, retain: true });
		sender.publish("t/2", "x", { qos: 2, messageId: 2, retain: true });
		assert.deepEqual(acknowledged, ["t/1", "t/1,t/2"]);
		assert.ok(sender.shift("puback") && sender.shift("pubrec"));
	});

	test("stop(): changes are stored", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		harness.client("a").publish("t", "1", { retain: true });
		harness.broker.stop();
		assert.equal(restart(flash).values().get("t")?.[0], "1");
	});

	test("failing storage: counted, traced once and retried; nothing is lost in RAM", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		const client = harness.client("a", 5, { keepalive: 0 });
		client.publish("t", "1", { retain: true });
		for (let i = 1; i < 100; i++) flash.failingCalls.add(flash.calls + i);
		harness.host.advance(3 * PERSIST_INTERVAL_MS);
		assert.equal(harness.broker.counters.storageFailures, 3);
		assert.equal(harness.host.traces.length, 1);
		assert.match(harness.host.traces[0]!, /state is not stored: Error: no room/);
		assert.equal(restart(flash).values().size, 0);
		flash.failingCalls.clear();
		harness.host.advance(PERSIST_INTERVAL_MS);
		assert.equal(restart(flash).values().get("t")?.[0], "1");
	});

	test("changes while storage fails: stored later", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({ keepAliveLimit: 0 }, flash);
		harness.client("node", 5, persistent).drop();
		harness.host.advance(PERSIST_INTERVAL_MS);
		const will = { topic: "state", payload: "gone", qos: 1, retain: true };
		harness.client("node", 5, { ...persistent, will }).subscribe("t", { qos: 1 });
		for (let writes = 1; writes <= 3; writes++) {
			flash.failingCalls.add(flash.calls + writes);
			harness.host.advance(PERSIST_INTERVAL_MS);
			assert.equal(harness.broker.counters.storageFailures, writes);
			assert.equal(restart(flash).broker.usage.subscriptions, 0);
		}
		harness.host.advance(PERSIST_INTERVAL_MS);
		const again = restart(flash);
		again.host.advance(10);
		assert.equal(again.broker.usage.subscriptions, 1);
		assert.equal(again.values().get("state")?.[0], "gone");
	});

	test("one record cannot be read: nothing is restored, nothing is changed, and the next start restores all", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		const away = harness.client("a", 5, persistent);
		away.subscribe("t/#", { qos: 1 });
		away.send({ cmd: "disconnect" });
		harness.client("b").publish("t/1", "kept", { retain: true, qos: 1, messageId: 1 });
		harness.host.advance(PERSIST_INTERVAL_MS);
		const stored = new Map(flash.values);
		const records = [...stored.keys()].filter((key) => /^[vsfmq]/.test(key));
		assert.ok(records.length >= 4, `${records}`);
		for (const record of records) {
			const storage = new PowerCutStorage(stored);
			const unreadable = {
				open: () => ({
					...storage.open(),
					read: (key: string, buffer: Uint8Array) => {
						if (key === record) throw new Error("ESP_ERR_FLASH_OP_FAIL");
						return storage.open().read(key, buffer);
					},
				}),
			};
			const without = new BrokerHarness({}, unreadable);
			assert.match(
				without.host.traces[0]!,
				/state is neither restored nor kept: Error: ESP_ERR_FLASH_OP_FAIL/,
			);
			assert.equal(without.broker.usage.sessions, 0, record);
			assert.equal(without.values().size, 0, record);
			without.client("c").publish("t/2", "not kept", { retain: true });
			without.host.advance(PERSIST_INTERVAL_MS);
			assert.deepEqual(storage.values, stored, record);
			const later = restart(storage);
			assert.equal(later.broker.usage.subscriptions, 1);
			assert.equal(later.values().get("t/1")?.[0], "kept");
			assert.equal(later.client("a", 5, persistent).publishes().length, 1, "what was queued arrives");
		}
	});

	test("flash has damaged one value: all others are restored, and the state is kept again", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		const client = harness.client("b");
		for (const name of ["1", "2", "3"]) client.publish(`t/${name}`, name, { retain: true });
		harness.host.advance(PERSIST_INTERVAL_MS);
		const records = [...flash.values.keys()].filter((key) => key.startsWith("v"));
		assert.equal(records.length, 3);
		for (const record of records) {
			const storage = new PowerCutStorage(flash.values);
			const later = new BrokerHarness({}, new DamagedValues(storage, [record]));
			assert.equal(later.values().size, 2, record);
			later.client("c").publish("t/4", "4", { retain: true });
			later.host.advance(PERSIST_INTERVAL_MS);
			assert.equal(later.broker.counters.storageFailures, 0);
			assert.equal(restart(storage).values().size, 3, record);
		}
	});

	test("unreadable storage: traced, and the broker works without it", () => {
		const storage = {
			open() {
				throw new Error("no partition");
			},
		};
		const harness = new BrokerHarness({}, storage);
		assert.match(harness.host.traces[0]!, /state is neither restored nor kept: Error: no partition/);
		assert.equal(harness.broker.counters.storageFailures, 1);
		harness.client("a").publish("t", "1", { retain: true });
		harness.host.advance(PERSIST_INTERVAL_MS);
		assert.equal(harness.values().get("t")?.[0], "1");
	});

	test("a host without storage: start() throws", () => {
		assert.throws(
			() => new BrokerHarness({ persist: true }),
			/this host has no storage, which listen\.persist asks for/,
		);
	});
});

describe("after a configuration change", () => {
	test("smaller pools: values without room are traced, all else is restored under new numbers", () => {
		const flash = new PowerCutStorage();
		const harness = new BrokerHarness({}, flash);
		const client = harness.client("a");
		for (let i = 0; i < 10; i++) client.publish(`t/${i}`, "x".repeat(20), { retain: true });
		for (let i = 0; i < 4; i++) harness.client(`node-${i}`, 5, persistent).subscribe(`f/${i}`, { qos: 1 });
		harness.client("sender").publish("f/3", "waiting", { qos: 1, messageId: 1 });
		for (const id of ["node-0", "node-1"]) harness.client(id);
		for (let i = 0; i < 5; i++) client.publish(`t/${i}`, "", { retain: true });
		harness.host.advance(PERSIST_INTERVAL_MS);
		const storage = new PowerCutStorage(flash.values);
		const small = new BrokerHarness(
			{ sessions: 3, retainedTopics: 3, queuedMessages: 8, subscriptions: 2 },
			storage,
		);
		assert.deepEqual([...small.values().keys()].sort(), ["t/5", "t/6", "t/7"]);
		assert.match(
			small.host.traces.join(),
			/not restored, as the pools or rules have no place for them: 0 sessions, 0 subscriptions, 0 messages, 2 values/,
		);
		const again = new BrokerHarness(
			{ sessions: 3, retainedTopics: 3, queuedMessages: 8, subscriptions: 2 },
			new PowerCutStorage(storage.values),
		);
		assert.deepEqual(again.host.traces, []);
		assert.deepEqual([...again.values().keys()].sort(), ["t/5", "t/6", "t/7"]);
		const returningClient = again.client("node-3", 5, persistent);
		assert.deepEqual(returningClient.messages(), ["f/3=waiting"]);
		again.client("sender2").publish("f/2", "more", { qos: 1, messageId: 2 });
		assert.deepEqual(again.client("node-2", 5, persistent).messages(), ["f/2=more"]);
	});

	for (const [what, pools] of [
		["entries", { sessions: 4, queuedMessages: 16 }],
		["bytes", { sessions: 4, queuedMessages: 64, queuedBytes: 1600 }],
	] as const)
		test(`fewer ${what}: a session keeps its share, whatever is stored before it; the loss is the borrower's`, () => {
			const flash = new PowerCutStorage();
			const before = {
				sessions: 4,
				queuedMessages: 64,
				queuedBytes: 12_800,
				queuedPerClient: 64,
				persistInterval: 0,
			};
			const harness = new BrokerHarness(before, flash);
			const borrower = harness.client("borrower", 5, persistent);
			borrower.subscribe("a", { qos: 1 });
			borrower.drop();
			const modest = harness.client("modest", 5, persistent);
			modest.subscribe("b", { qos: 2 });
			const sender = harness.client("sender");
			const publish = (topic: string, i: number, qos: number) => {
				sender.publish(topic, `${topic}${i}`.padEnd(90, "."), { qos, messageId: 1 });
				if (qos === 2) sender.send({ cmd: "pubrel", messageId: 1 });
			};
			for (let i = 0; i < 40; i++) publish("a", i, 1);
			// one of them is released, and two are in flight, when the client leaves
			for (let i = 0; i < 4; i++) publish("b", i, 2);
			const begun = modest.publishes();
			modest.send({ cmd: "pubrec", messageId: begun[0]!.messageId });
			modest.drop();
			const storage = new PowerCutStorage(flash.values);
			const smaller = { ...before, ...pools };
			const small = new BrokerHarness(smaller, storage);
			const [, lost] = /subscriptions, (\d+) messages/.exec(small.host.traces.join())!;
			// what was restored into the smaller pools is stored as such
			const again = new BrokerHarness(smaller, new PowerCutStorage(storage.values));
			assert.deepEqual(again.host.traces, []);
			const returning = again.client("modest", 5, persistent);
			assert.equal((returning.shift("pubrel") as IPubrelPacket).messageId, begun[0]!.messageId);
			assert.deepEqual(
				returning.publishes().map(({ payload, dup }) => [String(payload).slice(0, 2), dup]),
				[1, 2, 3].map((i) => [`b${i}`, true]),
			);
			for (const harness of [small, again])
				assert.equal(harness.broker.counters.droppedQueue, harness === small ? Number(lost) : 0);
			const { properties } = small.peer().connect("borrower", persistent) as IConnackPacket;
			assert.equal(properties?.userProperties?.["firefly-lost"], lost);
			assert.equal(Number(properties?.userProperties?.["firefly-queued"]), 40 - Number(lost));
			assert.ok(Number(lost) < 40);
		});

	test("much larger pools, as on a desktop: the stored state is left untouched and named, the broker serves", () => {
		const flash = new PowerCutStorage();
		const pools = { sessions: 256, retainedTopics: 1024, subscriptions: 1024, queuedMessages: 1024 };
		const large = new BrokerHarness(pools, flash);
		large.client("a").publish("t", "1", { retain: true });
		large.host.advance(PERSIST_INTERVAL_MS);
		const before = new Map(flash.values);
		const harness = new BrokerHarness({}, new PowerCutStorage(flash.values));
		assert.match(
			harness.host.traces.join(),
			/state is neither restored nor kept: Error: the stored state is of larger pools: \d+ records have no place/,
		);
		harness.client("b").publish("t", "2", { retain: true });
		harness.host.advance(PERSIST_INTERVAL_MS);
		assert.equal(harness.values().get("t")?.[0], "2");
		assert.deepEqual(new Map(flash.values), before);
	});
});
