import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf } from "../access/hashes";
import { World } from "./support/world";

/** Lets the host fail where a message has been kept. */
function failing(world: World): { fails: boolean } {
	const state = { fails: false };
	world.host.event = (name) => {
		if (state.fails && name === "retained") throw new Error("the host fails");
	};
	return state;
}

const will = { topic: "will", payload: Buffer.from("gone"), qos: 0, retain: true, properties: { willDelayInterval: 1 } };
const lasting = { clean: false, properties: { sessionExpiryInterval: 3 } };

test("an exception while the timer rings does not reach the host, is counted and told, and what else is due is done the next time", () => {
	const world = new World();
	const state = failing(world);
	const other = world.client("other", 5, { keepalive: 0 });
	other.subscribe("t");
	for (const id of ["one", "two"]) world.client(id, 5, { ...lasting, will }).drop();
	state.fails = true;
	world.host.advance(2500);
	const { counters, usage } = world.broker;
	assert.equal(counters.internal, 2);
	assert.deepEqual(world.host.traces, Array(2).fill("broker: Error: the host fails"));
	assert.equal(usage.sessions, 3);
	state.fails = false;
	world.host.advance(2000);
	assert.equal(world.broker.usage.sessions, 1);
	assert.deepEqual([world.broker.usage.sessionBytes, world.broker.usage.queued], ["other".length, 0]);
	other.publish("t", "1");
	assert.deepEqual(other.messages(), ["t=1"]);
});

test("nor does one while a password is judged", () => {
	const world = new World({ users: [{ name: "anna", hash: hashOf("apple") }] });
	const state = failing(world);
	const credentials = { username: "anna", password: Buffer.from("apple") };
	world.peer().open("a", credentials);
	world.host.advance(1000);
	state.fails = true;
	// its will is published as the session is taken over while the wrong password of another is judged
	world.peer().open("a", { ...credentials, will: { ...will, properties: {} } });
	const judged = world.peer();
	judged.open("b", { username: "anna", password: Buffer.from("wrong") });
	const waits = world.peer();
	waits.open("a", credentials);
	world.host.advance(1000);
	assert.ok(world.broker.counters.internal > 0);
	state.fails = false;
	const next = world.client("c", 5);
	next.subscribe("t");
	next.publish("t", "1");
	assert.deepEqual(next.messages(), ["t=1"]);
	assert.equal((world.peer().open("d", credentials) as { reasonCode?: number }).reasonCode, 0);
});
