import assert from "node:assert/strict";
import { test } from "node:test";
import {
	FIRST_DELAY_MS,
	FORGET_AFTER_MS,
	FREE_FAILURES,
	LoginFailures,
	MAX_ADDRESSES_PER_NETWORK,
	MAX_DELAY_MS,
} from "../../src/broker/access/login-failures";

test("failures of an address: no delay at first, then one that doubles up to the limit, then expiry", () => {
	const failures = new LoginFailures(4);
	let now = 1000;
	for (let i = 0; i < FREE_FAILURES; i++) {
		failures.add("a", now);
		assert.equal(failures.remainingDelayMs("a", now), 0);
	}
	for (let delay = FIRST_DELAY_MS; ; delay = Math.min(2 * delay, MAX_DELAY_MS)) {
		failures.add("a", now);
		assert.equal(failures.remainingDelayMs("a", now), delay);
		assert.equal(failures.remainingDelayMs("a", now + delay - 1), 1);
		assert.equal(failures.remainingDelayMs("b", now), 0);
		now += delay;
		assert.equal(failures.remainingDelayMs("a", now), 0);
		if (delay === MAX_DELAY_MS) break;
	}
	failures.add("a", now + FORGET_AFTER_MS);
	assert.equal(failures.remainingDelayMs("a", now + FORGET_AFTER_MS), 0);
});

test("70,000 failures of an address: the delay stays at the limit", () => {
	const failures = new LoginFailures(1);
	for (let i = 0; i < 70_000; i++) failures.add("a", i);
	assert.equal(failures.remainingDelayMs("a", 69_999), MAX_DELAY_MS);
});

test("a full table: the oldest failure is evicted; clients without an address share one entry", () => {
	const failures = new LoginFailures(2);
	const fail = (address: string | undefined, now: number) => {
		for (let i = 0; i <= FREE_FAILURES; i++) failures.add(address, now);
	};
	fail("a", 1);
	fail("b", 2);
	fail("a", 3);
	fail("c", 4);
	assert.deepEqual(
		["a", "b", "c"].map((address) => failures.remainingDelayMs(address, 4) > 0),
		[true, false, true],
	);
	fail(undefined, 5);
	assert.ok(failures.remainingDelayMs(undefined, 5) > 0);
});

test("one failing address of an IPv6 network: delayed alone; many: the whole network is delayed", () => {
	const failures = new LoginFailures(16);
	const fail = (address: string, times: number) => {
		for (let i = 0; i < times; i++) failures.add(address, 0);
	};
	fail("2001:db8:0:1::1", 20);
	assert.equal(failures.remainingDelayMs("2001:db8:0:1::1", 0), MAX_DELAY_MS);
	assert.equal(failures.remainingDelayMs("2001:db8:0:1::2", 0), 0);
	// from here on each guess comes from another address
	for (let i = 0; i < MAX_ADDRESSES_PER_NETWORK + FREE_FAILURES; i++) failures.add(`2001:db8:0:1:${i}::7`, 0);
	assert.ok(failures.remainingDelayMs("2001:DB8:0:1:abcd::1", 0) > 0);
	assert.ok(failures.remainingDelayMs("2001:db8:0:1::ffff", 0) > 0);
	assert.equal(failures.remainingDelayMs("2001:db8:0:2::1", 0), 0);
	assert.equal(failures.remainingDelayMs("10.0.0.1", 0), 0);
	assert.equal(failures.remainingDelayMs("2001:db8:0:1:abcd::1", FORGET_AFTER_MS), 0);
});

test("many failing addresses of one IPv6 network: only a few other entries are evicted", () => {
	const failures = new LoginFailures(8);
	for (let i = 0; i <= FREE_FAILURES; i++) failures.add("10.0.0.1", i);
	for (let i = 0; i < 1000; i++) failures.add(`2001:db8::${i.toString(16)}`, 10 + i);
	assert.ok(failures.remainingDelayMs("10.0.0.1", 5) > 0);
});
