import assert from "node:assert/strict";
import { test } from "node:test";
import { GUESS_BURST, GUESS_INTERVAL_MS, GuessLimit } from "../../src/broker/access/guess-limit";
import {
	FIRST_DELAY_MS,
	FORGET_AFTER_MS,
	FREE_FAILURES,
	LoginFailures,
	MAX_DELAY_MS,
	REMEMBERED_FAILURES,
} from "../../src/broker/access/login-failures";
import { ProvenPeers } from "../../src/broker/access/proven-peers";
import { networkNumber, networkOfPeer, peerOf, userOfPeer } from "../../src/broker/pool/peer";

test("failures of a network: no delay at first, then one that doubles up to the limit, then expiry", () => {
	const failures = new LoginFailures(4);
	let now = 1000;
	let guess = 0;
	for (let i = 0; i < FREE_FAILURES; i++) {
		failures.add(1, guess++, now);
		assert.equal(failures.remainingDelayMs(1, now), 0);
	}
	for (let delay = FIRST_DELAY_MS; ; delay = Math.min(2 * delay, MAX_DELAY_MS)) {
		failures.add(1, guess++, now);
		assert.equal(failures.remainingDelayMs(1, now), delay);
		assert.equal(failures.remainingDelayMs(1, now + delay - 1), 1);
		assert.equal(failures.remainingDelayMs(2, now), 0);
		now += delay;
		assert.equal(failures.remainingDelayMs(1, now), 0);
		if (delay === MAX_DELAY_MS) break;
	}
	failures.add(1, guess++, now + FORGET_AFTER_MS);
	assert.equal(failures.remainingDelayMs(1, now + FORGET_AFTER_MS), 0);
});

test("70,000 failures of a network: the delay stays at the limit", () => {
	const failures = new LoginFailures(1);
	for (let i = 0; i < 70_000; i++) failures.add(1, i, i);
	assert.equal(failures.remainingDelayMs(1, 69_999), MAX_DELAY_MS);
});

test("the last few wrong logins of a network are known to be wrong, until they are forgotten", () => {
	const failures = new LoginFailures(2);
	for (let guess = 1; guess <= REMEMBERED_FAILURES + 1; guess++) failures.add(1, guess, 0);
	assert.deepEqual(
		[1, 2, 3, 4, 5, 6].map((guess) => failures.isKnown(1, guess, 1)),
		[false, true, true, true, true, false],
	);
	assert.equal(failures.isKnown(2, 2, 1), false);
	assert.equal(failures.isKnown(1, 2, FORGET_AFTER_MS), false);
	failures.add(3, 0, 0);
	assert.equal(failures.isKnown(3, 5, 0), false, "not one of an earlier network in that entry");
});

test("a full table: single guesses from a thousand addresses do not evict a network that guesses often", () => {
	const failures = new LoginFailures(4);
	for (let i = 0; i <= FREE_FAILURES; i++) failures.add(1, i, 0);
	for (let i = 0; i < 1000; i++) failures.add(100 + i, i, 1 + i);
	assert.ok(failures.remainingDelayMs(1, 0) > 0);
	// an expired entry makes room first
	const expired = new LoginFailures(2);
	for (let i = 0; i < 9; i++) expired.add(1, i, 0);
	expired.add(2, 0, FORGET_AFTER_MS - 1);
	expired.add(3, 7, FORGET_AFTER_MS);
	assert.ok(expired.isKnown(2, 0, FORGET_AFTER_MS));
});

test("wrong logins of all clients: a burst, then one per interval; time makes up for them", () => {
	const limit = new GuessLimit();
	for (let i = 0; i < GUESS_BURST; i++) assert.equal(limit.add(0), 0);
	assert.equal(limit.add(0), GUESS_INTERVAL_MS);
	assert.equal(limit.add(0), 2 * GUESS_INTERVAL_MS);
	assert.equal(limit.add(3 * GUESS_INTERVAL_MS), 0);
	for (let i = 0; i < GUESS_BURST; i++) assert.equal(limit.add(1_000_000), 0);
});

test("proven peers: a user with many networks replaces only its own", () => {
	const proven = new ProvenPeers(4);
	proven.add(peerOf(1, 10));
	proven.add(peerOf(1, 11));
	for (let network = 20; network < 60; network++) proven.add(peerOf(2, network));
	assert.deepEqual(
		[peerOf(1, 10), peerOf(1, 11), peerOf(2, 58), peerOf(2, 59), peerOf(2, 57)].map((peer) =>
			proven.has(peer),
		),
		[true, true, true, true, false],
	);
	proven.add(peerOf(3, 7));
	assert.ok(proven.hasNetwork(7));
	assert.equal(proven.hasNetwork(1000), false);
});

test("networks and peers: one number for a /64 network; user and network can be read back", () => {
	assert.equal(networkNumber(undefined), 0);
	const networks = ["10.0.0.1", "10.0.0.2", "2001:db8:1:2::5", "2001:db8:1:3::5", ""].map(networkNumber);
	assert.equal(new Set(networks).size, networks.length);
	assert.equal(networkNumber("::ffff:10.0.0.1"), networks[0]);
	assert.equal(networkNumber("2001:db8:1:2:ffff::1"), networks[2]);
	for (const network of networks) {
		assert.ok(network > 0);
		for (const user of [0, 1, 64])
			assert.deepEqual(
				[userOfPeer(peerOf(user, network)), networkOfPeer(peerOf(user, network))],
				[user, network],
			);
	}
	// these numbers are in stored sessions, and must not change
	assert.equal(networks[0], 12_500_707);
});
