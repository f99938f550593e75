import assert from "node:assert/strict";
import { test } from "node:test";
import { LINK_ADDRESS, LINK_CHANNEL, LINK_LEASE } from "../../src/device";
import {
	brokerAddress,
	forgetAddresses,
	forgetExpired,
	forgetLink,
	isAddress,
	knowsAccessPoint,
	knowsAddress,
	recordBrokerAddress,
	recordLink,
} from "../../src/sensor/network/join-cache";
import { REAL_LEASE_END, REAL_SCAN_DUE } from "../../src/sensor/retained/layout";
import { RetainedState } from "../../src/sensor/retained/retained-state";

const DAY = 86_400_000;
const NOW = 5_000_000;

/** State after a join; the lease in s. */
function joined(lease: number, memory = new Uint8Array(2048)): RetainedState {
	const retained = new RetainedState(memory, 1, 7, 1024);
	retained.restore();
	retained.link.set([2, 1, 1, 1, 1, 1], 0);
	retained.link[LINK_CHANNEL] = 6;
	retained.link.set([10, 0, 0, 9], LINK_ADDRESS);
	new DataView(retained.link.buffer).setUint32(LINK_LEASE, lease, true);
	recordLink(retained, true, true, NOW);
	recordBrokerAddress(retained, "10.0.0.250");
	return retained;
}

for (const [lease, useMs] of [
	[80, 70_000],
	[0, 0],
	// 0xffffffff: for ever.
	[0xffffffff, DAY],
	[2 * 86_400, DAY],
] as const)
	test(`a lease of ${lease} s: its address is used for ${useMs} ms, the access point for a day`, () => {
		const retained = joined(lease);
		assert.equal(retained.reals[REAL_LEASE_END], NOW + useMs);
		assert.equal(retained.reals[REAL_SCAN_DUE], NOW + DAY);
		if (useMs > 0) {
			forgetExpired(retained, NOW + useMs - 1);
			assert.ok(knowsAddress(retained));
			assert.equal(brokerAddress(retained), "10.0.0.250");
		}
		forgetExpired(retained, NOW + useMs);
		assert.equal(knowsAddress(retained), false);
		assert.equal(brokerAddress(retained), undefined);
		assert.equal(knowsAccessPoint(retained), useMs < DAY);
		forgetExpired(retained, NOW + DAY);
		assert.equal(knowsAccessPoint(retained), false);
	});

test("a join with the known address prolongs neither its use nor that of the access point", () => {
	const retained = joined(80);
	recordLink(retained, false, false, NOW + 60_000);
	assert.equal(retained.reals[REAL_LEASE_END], NOW + 70_000);
	recordLink(retained, false, true, NOW + 80_000);
	assert.equal(retained.reals[REAL_LEASE_END], NOW + 150_000);
	assert.equal(retained.reals[REAL_SCAN_DUE], NOW + DAY);
});

test("what is forgotten touches nothing else of the retained state", () => {
	const retained = joined(80);
	const rest = retained.words.slice(8);
	forgetAddresses(retained);
	assert.ok(knowsAccessPoint(retained) && !knowsAddress(retained));
	assert.equal(brokerAddress(retained), undefined);
	forgetLink(retained);
	assert.deepEqual([...retained.words.subarray(0, 8)], Array(8).fill(0));
	assert.deepEqual(retained.words.slice(8), rest);
});

test("the link is part of what a commit makes durable", () => {
	const memory = new Uint8Array(2048);
	const retained = joined(80, memory);
	retained.commit();
	const next = new RetainedState(memory, 1, 7, 1024);
	assert.equal(next.restore(), "valid");
	assert.ok(knowsAccessPoint(next) && knowsAddress(next));
	assert.equal(brokerAddress(next), "10.0.0.250");
	assert.equal(next.reals[REAL_LEASE_END], NOW + 70_000);
});

for (const [host, address] of [
	["10.0.0.1", true],
	["broker.local", false],
	["broker1.example", false],
	["fe80::1", true],
] as const)
	test(`${host} is ${address ? "an address" : "a name"}`, () => assert.equal(isAddress(host), address));

for (const address of ["fe80::1", "10.0.0", ""])
	test(`the broker's address ${JSON.stringify(address)} is not kept: only IPv4 is`, () => {
		const retained = joined(80);
		recordBrokerAddress(retained, address);
		assert.equal(brokerAddress(retained), undefined);
	});
