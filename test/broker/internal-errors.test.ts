import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf } from "../access/password-hash";
import { BrokerHarness } from "./support/broker-harness";

/** Makes host.event() throw for retained messages while `fails` is set. */
function failOnRetained(harness: BrokerHarness): { fails: boolean } {
	const state = { fails: false };
	harness.host.event = (...[name]) => {
		if (state.fails && name === "retained") throw new Error("the host fails");
	};
	return state;
}

const will = {
	topic: "will",
	payload: Buffer.from("gone"),
	qos: 0,
	retain: true,
	properties: { willDelayInterval: 1 },
};
const persistent = { clean: false, properties: { sessionExpiryInterval: 3 } };

test("an exception in the timer callback: counted and traced, and the rest is done the next time", () => {
	const harness = new BrokerHarness();
	const state = failOnRetained(harness);
	const other = harness.client("other", 5, { keepalive: 0 });
	other.subscribe("t");
	for (const id of ["one", "two"]) harness.client(id, 5, { ...persistent, will }).drop();
	state.fails = true;
	harness.host.advance(2500);
	const { counters, usage } = harness.broker;
	assert.equal(counters.internalErrors, 2);
	assert.deepEqual(harness.host.traces, Array(2).fill("broker: Error: the host fails"));
	assert.equal(usage.sessions, 3);
	state.fails = false;
	harness.host.advance(2000);
	assert.equal(harness.broker.usage.sessions, 1);
	assert.deepEqual([harness.broker.usage.sessionBytes, harness.broker.usage.queued], ["other".length, 0]);
	other.publish("t", "1");
	assert.deepEqual(other.messages(), ["t=1"]);
});

test("an exception during a password check: counted, and later clients are served", () => {
	const harness = new BrokerHarness({ users: [{ name: "anna", hash: hashOf("apple") }] });
	const state = failOnRetained(harness);
	const credentials = { username: "anna", password: Buffer.from("apple") };
	harness.peer().connect("a", credentials);
	harness.host.advance(1000);
	state.fails = true;
	// the takeover publishes its will while the wrong password of another client is checked
	harness.peer().connect("a", { ...credentials, will: { ...will, properties: {} } });
	const wrongPasswordPeer = harness.peer();
	wrongPasswordPeer.connect("b", { username: "anna", password: Buffer.from("wrong") });
	const waitingPeer = harness.peer();
	waitingPeer.connect("a", credentials);
	harness.host.advance(1000);
	assert.ok(harness.broker.counters.internalErrors > 0);
	state.fails = false;
	const next = harness.client("c", 5);
	next.subscribe("t");
	next.publish("t", "1");
	assert.deepEqual(next.messages(), ["t=1"]);
	assert.equal((harness.peer().connect("d", credentials) as { reasonCode?: number }).reasonCode, 0);
});

test("an exception while a session is taken over: the next packet of another client is answered as ever", () => {
	const harness = new BrokerHarness();
	const state = failOnRetained(harness);
	const other = harness.client("other");
	harness.client("a", 5, { will: { ...will, properties: {} } });
	state.fails = true;
	const second = harness.peer();
	assert.equal(second.connect("a"), undefined);
	assert.ok(second.closed);
	state.fails = false;
	other.send({ cmd: "pingreq" });
	assert.deepEqual(
		other.packets.map(({ cmd }) => cmd),
		["pingresp"],
	);
	other.drop();
	assert.equal(harness.broker.usage.connections, 0);
});

test("an exception while a session ends: the session and all that it holds are gone nevertheless", () => {
	for (const failing of ["retained", "delivered"]) {
		const harness = new BrokerHarness();
		let fails = false;
		harness.host.event = (...[name]) => {
			if (!fails || name !== failing) return;
			fails = false;
			throw new Error("the host fails");
		};
		const other = harness.client("other");
		other.subscribe("$share/g/t", { qos: 1 });
		const client = harness.client("ends", 5, { will: { ...will, properties: {} } });
		client.subscribe("$share/g/t", { qos: 1 });
		client.freeze();
		// what waits for it, and what it has not acknowledged, goes to the other one
		for (let i = 0; i < 4; i++) other.publish("t", "x".repeat(100), { qos: 1, messageId: i + 1 });
		fails = true;
		client.drop();
		harness.host.advance(10_000);
		assert.equal(harness.broker.counters.internalErrors, 1, failing);
		assert.equal(harness.broker.usage.sessions, 1);
		assert.equal(harness.broker.usage.sessions, 1);
		assert.equal(harness.broker.usage.subscriptions, 1);
		other.send({ cmd: "disconnect" });
		harness.host.advance(1000);
		const { values: _values, valueBytes: _bytes, ...poolUsage } = harness.broker.usage;
		for (const [pool, count] of Object.entries(poolUsage)) assert.equal(count, 0, `${failing}: ${pool}`);
	}
});
