import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { VERSION } from "../../src/version";
import { BrokerHarness } from "./support/broker-harness";
import { sysTopicNames } from "./support/sys-topic-names";
import type { TestClient } from "./support/test-client";

function sysTopicValues(peer: TestClient): Map<string, string> {
	return new Map(peer.publishes().map(({ topic, payload }) => [topic, String(payload)]));
}

test("VERSION: equals the version in package.json", () => {
	const text = readFileSync(
		join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../package.json"),
		"utf8",
	);
	assert.equal((JSON.parse(text) as { version: string }).version, VERSION, "npm run manifest writes it");
});

describe("$SYS/broker", () => {
	test("a subscription to $SYS/broker/#: all topics at once and once in six updates; to #: none", () => {
		for (const version of [4, 5] as const) {
			const harness = new BrokerHarness({ systemInterval: 10_000 });
			const sender = harness.client("sender", version, { keepalive: 0 });
			sender.publish("t", "1", { retain: true, qos: 1, messageId: 1 });
			harness.client("gone").drop();
			const all = harness.client("all", version, { keepalive: 0 });
			all.subscribe("#");
			all.messages();
			const watcher = harness.client("watcher", version, { keepalive: 0 });
			watcher.subscribe("$SYS/broker/#");
			const first = sysTopicValues(watcher);
			assert.deepEqual([...first.keys()], sysTopicNames);
			assert.equal(first.get("$SYS/broker/version"), VERSION);
			assert.equal(first.get("$SYS/broker/clients/connected"), "3");
			assert.equal(first.get("$SYS/broker/clients/maximum"), "3");
			assert.equal(first.get("$SYS/broker/messages/received"), "1");
			assert.equal(first.get("$SYS/broker/retained/count"), "1");
			assert.equal(first.get("$SYS/broker/subscriptions/count"), "2");
			assert.ok(Number(first.get("$SYS/broker/bytes/received")) > 50);
			assert.ok(Number(first.get("$SYS/broker/memory/values")) > 0);
			harness.host.advance(1000);
			for (let update = 1; update <= 13; update++) {
				if (update <= 3) sender.publish("t", "1");
				harness.host.advance(10_000);
				const later = watcher.publishes();
				assert.ok(later.every(({ retain }) => !retain));
				const values = new Map(later.map(({ topic, payload }) => [topic, String(payload)]));
				assert.equal(values.size, later.length);
				assert.ok(Number(values.get("$SYS/broker/uptime")) >= 10 * update);
				if (update % 6 === 1) assert.deepEqual([...values.keys()], sysTopicNames);
				else {
					// what the update itself and the messages change, in the same order
					const changes = update <= 3 ? ["uptime", "received", "sent"] : ["uptime", "sent"];
					assert.deepEqual(
						[...values.keys()],
						sysTopicNames.filter((name) => changes.some((change) => name.endsWith(change))),
					);
				}
				assert.equal(
					values.get("$SYS/broker/messages/received"),
					update <= 3 || update % 6 === 1 ? `${1 + Math.min(update, 3)}` : undefined,
				);
			}
			assert.deepEqual(all.messages(), ["t=1", "t=1", "t=1"]);
			watcher.send({ cmd: "unsubscribe", messageId: 9, unsubscriptions: ["$SYS/broker/#"] });
			harness.host.advance(30_000);
			assert.deepEqual(watcher.messages(), []);
		}
	});

	test("another subscriber: the next update has all topics, for each subscriber", () => {
		const harness = new BrokerHarness();
		const one = harness.client("one", 5, { keepalive: 0 });
		one.subscribe("$SYS/broker/clients/+");
		const two = harness.client("two", 4, { keepalive: 0 });
		harness.host.advance(21_000);
		one.messages();
		two.subscribe("$SYS/broker/clients/maximum");
		two.messages();
		harness.host.advance(10_000);
		const clients = ["connected=2", "total=2", "maximum=2"].map((text) => `$SYS/broker/clients/${text}`);
		assert.deepEqual(one.messages(), clients);
		assert.deepEqual(two.messages(), clients.slice(2));
		harness.host.advance(10_000);
		assert.deepEqual([...one.messages(), ...two.messages()], []);
	});

	test("an update takes several turns: each sends as much as the budget allows, and others have theirs", () => {
		const harness = new BrokerHarness({ turnPackets: 16 });
		const watchers = [0, 1, 2].map((i) => harness.client(`w${i}`, 5, { keepalive: 0 }));
		for (const watcher of watchers) watcher.subscribe("$SYS/broker/#");
		harness.host.advance(9000);
		for (const watcher of watchers) watcher.messages();
		const other = harness.client("other", 5, { keepalive: 0 });
		let turns = 0;
		for (let sent = 0; sent < 3 * sysTopicNames.length; turns++) {
			harness.host.advance(turns === 0 ? 1000 : 1);
			const now = watchers.reduce((count, watcher) => count + watcher.messages().length, 0);
			// four topics for three subscribers
			assert.ok(now > 0 && now <= 12, `${now}`);
			sent += now;
			other.send({ cmd: "pingreq" });
			assert.ok(other.shift("pingresp"));
		}
		assert.equal(turns, Math.ceil(sysTopicNames.length / 4));
	});

	test("several subscribers, slow ones included: each gets the topics that its filter matches", () => {
		const harness = new BrokerHarness();
		const one = harness.client("one", 5, { keepalive: 0 });
		one.subscribe("$SYS/broker/clients/+", { qos: 2 }, { subscriptionIdentifier: 5 });
		const two = harness.client("two", 4, { keepalive: 0 });
		two.subscribe("$SYS/+/clients/connected");
		const slow = harness.client("slow", 5, { keepalive: 0, properties: { topicAliasMaximum: 5 } });
		slow.subscribe("$SYS/#");
		for (const peer of [one, two, slow]) peer.messages();
		slow.freeze();
		harness.host.advance(200_000);
		// four of twenty updates have what does not change
		assert.equal(one.publishes().length, 4 * 3);
		assert.equal(two.messages().length, 4);
		slow.thaw();
		assert.ok(
			slow
				.publishes()
				.every(
					({ topic, payload }) => (topic === "" || topic.startsWith("$SYS/broker/")) && payload.length > 0,
				),
		);
		assert.equal(harness.broker.counters.internalErrors, 0);
		assert.deepEqual(harness.host.traces, []);
	});

	test("refusals, ended connections and pool usage: counted in $SYS topics", () => {
		const harness = new BrokerHarness({ aliasBytes: 2048, connectTimeout: 1000 });
		const watcher = harness.client("watcher", 5, { keepalive: 0 });
		watcher.subscribe("$SYS/broker/#");
		watcher.messages();
		harness
			.client("publisher", 5, { keepalive: 0 })
			.publish("seven77", "x", { properties: { topicAlias: 1 } })
			.subscribe("a/b/c");
		harness.client("faulty").sendRaw(new Uint8Array([0xf0, 0]));
		harness.client("gone").drop();
		harness.client("twice");
		harness.client("twice").send({ cmd: "disconnect" });
		harness.peer();
		harness.broker.counters.storageWrites = 11;
		harness.broker.counters.storageFailures = 12;
		harness.broker.counters.requestsRefused = 13;
		harness.broker.counters.connectionsEvicted = 15;
		harness.broker.counters.sessionsEvicted = 16;
		harness.broker.counters.internalErrors = 14;
		harness.host.advance(10_500);
		const values = sysTopicValues(watcher);
		const names = [
			"levels/used",
			"aliases/used",
			"memory/aliases",
			"ended/faults",
			"ended/timeouts",
			"ended/takeovers",
			"ended/lost",
		];
		assert.deepEqual(
			[
				...names,
				"storage/writes",
				"storage/failed",
				"refused/requests",
				"ended/shares",
				"ended/sessions",
				"errors",
			].map((name) => values.get(`$SYS/broker/${name}`)),
			["6", "1", "7", "1", "1", "1", "1", "11", "12", "13", "15", "16", "14"],
		);
	});

	test("systemInterval 0: nothing is published", () => {
		const harness = new BrokerHarness({ systemInterval: 0 });
		const watcher = harness.client("watcher", 5, { keepalive: 0 });
		watcher.subscribe("$SYS/#");
		harness.host.advance(100_000);
		assert.deepEqual(watcher.messages(), []);
	});
});

describe("$SYS/last", () => {
	test("$SYS/last/<topic>: the time of the value, for a new subscription and at each change", () => {
		for (const lastValue of ["retained", "every"] as const) {
			const start = Date.now();
			const harness = new BrokerHarness({ lastValue });
			const sender = harness.client("sender");
			sender.publish("room/1", "x").publish("room/2", "y", { retain: true });
			harness.host.advance(5000);
			const watcher = harness.client("watcher");
			watcher.subscribe("$SYS/last/room/+", { qos: 1 });
			const first = sysTopicValues(watcher);
			assert.deepEqual([...first.keys()].sort(), ["$SYS/last/room/1", "$SYS/last/room/2"]);
			for (const text of first.values()) {
				const time = Date.parse(text) + 5000;
				assert.ok(time > start - 1000 && time < Date.now() + 1000, text);
			}
			sender.publish("room/1", "z").publish("other", "z");
			assert.deepEqual([...sysTopicValues(watcher).keys()], ["$SYS/last/room/1"]);
			sender.publish("room/2", "", { retain: true });
			assert.deepEqual([...sysTopicValues(watcher).keys()], []);
		}
	});

	test("the clock is not set: the age in seconds", () => {
		const harness = new BrokerHarness();
		Object.assign(harness.host, { clockIsSet: false });
		harness.client("sender").publish("t", "x");
		harness.host.advance(7900);
		const watcher = harness.client("watcher");
		watcher.subscribe("$SYS/last/t");
		assert.deepEqual(watcher.messages(), ["$SYS/last/t=7"]);
	});

	test("topics close to the maximum length: sent whole or not at all", () => {
		const harness = new BrokerHarness();
		const watcher = harness.client("watcher");
		watcher.subscribe("$SYS/last/#");
		const sender = harness.client("sender");
		for (const length of [400, 470, 480, 490, 500, 505]) sender.publish("x".repeat(length), "1");
		const got = watcher.publishes();
		assert.ok(got.length >= 4);
		for (const { topic, payload } of got) {
			assert.match(topic, /^\$SYS\/last\/x+$/);
			assert.match(String(payload), /Z$/);
		}
	});
});
