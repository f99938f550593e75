import assert from "node:assert/strict";
import { test } from "node:test";
import { Failures, FIRST_DELAY, FORGOTTEN_AFTER, FREE_FAILURES, LONGEST_DELAY, NEIGHBOURS } from "../../src/broker/access/failures";

test("the first failures cost nothing; then the wait doubles up to its limit, and an address is forgotten in the end", () => {
	const failures = new Failures(4);
	let now = 1000;
	for (let i = 0; i < FREE_FAILURES; i++) {
		failures.add("a", now);
		assert.equal(failures.wait("a", now), 0);
	}
	for (let delay = FIRST_DELAY; ; delay = Math.min(2 * delay, LONGEST_DELAY)) {
		failures.add("a", now);
		assert.equal(failures.wait("a", now), delay);
		assert.equal(failures.wait("a", now + delay - 1), 1);
		assert.equal(failures.wait("b", now), 0);
		now += delay;
		assert.equal(failures.wait("a", now), 0);
		if (delay === LONGEST_DELAY) break;
	}
	failures.add("a", now + FORGOTTEN_AFTER);
	assert.equal(failures.wait("a", now + FORGOTTEN_AFTER), 0);
});

test("however often an address fails, it waits no longer than the limit", () => {
	const failures = new Failures(1);
	for (let i = 0; i < 70_000; i++) failures.add("a", i);
	assert.equal(failures.wait("a", 69_999), LONGEST_DELAY);
});

test("a full table forgets the address whose last failure is longest ago; without addresses all clients share one entry", () => {
	const failures = new Failures(2);
	const fail = (address: string | undefined, now: number) => {
		for (let i = 0; i <= FREE_FAILURES; i++) failures.add(address, now);
	};
	fail("a", 1);
	fail("b", 2);
	fail("a", 3);
	fail("c", 4);
	assert.deepEqual(
		["a", "b", "c"].map((address) => failures.wait(address, 4) > 0),
		[true, false, true],
	);
	fail(undefined, 5);
	assert.ok(failures.wait(undefined, 5) > 0);
});

test("the addresses of one IPv6 network share an entry once a few of them have failed; one that fails by itself keeps only itself out", () => {
	const failures = new Failures(16);
	const fail = (address: string, times: number) => {
		for (let i = 0; i < times; i++) failures.add(address, 0);
	};
	fail("2001:db8:0:1::1", 20);
	assert.equal(failures.wait("2001:db8:0:1::1", 0), LONGEST_DELAY);
	assert.equal(failures.wait("2001:db8:0:1::2", 0), 0);
	// from now on each guess comes from another address
	for (let i = 0; i < NEIGHBOURS + FREE_FAILURES; i++) failures.add(`2001:db8:0:1:${i}::7`, 0);
	assert.ok(failures.wait("2001:DB8:0:1:abcd::1", 0) > 0);
	assert.ok(failures.wait("2001:db8:0:1::ffff", 0) > 0);
	assert.equal(failures.wait("2001:db8:0:2::1", 0), 0);
	assert.equal(failures.wait("10.0.0.1", 0), 0);
	assert.equal(failures.wait("2001:db8:0:1:abcd::1", FORGOTTEN_AFTER), 0);
});

test("a network of IPv6 drives no more than a few others out of the table", () => {
	const failures = new Failures(8);
	for (let i = 0; i <= FREE_FAILURES; i++) failures.add("10.0.0.1", i);
	for (let i = 0; i < 1000; i++) failures.add(`2001:db8::${i.toString(16)}`, 10 + i);
	assert.ok(failures.wait("10.0.0.1", 5) > 0);
});
