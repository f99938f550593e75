import assert from "node:assert/strict";
import { test } from "node:test";
import { benchOnXS } from "./support/xs-machine";

const SLOT_BYTES = 16;

test("on XS, the WebSocket port: within its memory; messages and page pieces allocate nothing", async (t) => {
	const { machine, call } = await benchOnXS("xs-web-bench");
	const size = () => {
		machine.collect();
		const { slots, chunks } = machine.statistics;
		return slots.used * SLOT_BYTES + chunks.used;
	};
	/**
	 * @param allowedChunkBytes chunk bytes that may differ: the shared buffer is as long as the last piece sent
	 */
	const assertNothingAllocated = (run: () => void, allowedChunkBytes = 0) => {
		const before = machine.statistics;
		run();
		const after = machine.statistics;
		assert.equal(after.slots.allocated - before.slots.allocated, 0);
		assert.ok(Math.abs(after.chunks.allocated - before.chunks.allocated) <= allowedChunkBytes);
		return after.computrons - before.computrons;
	};
	assert.equal(call(0, 1), 2);
	const brokerSize = size();
	for (const web of [1, 1, 0, 1, 0]) assert.equal(call(1, web), 2 + web);
	const clients = size() - brokerSize;
	t.diagnostic(
		`3 clients over WebSocket and 2 over TCP: ${clients} bytes; stack peak ${machine.statistics.stack.peak}`,
	);
	assert.ok(clients <= 3 * 3072 + 2 * 1536);
	for (const payload of [5, 400]) {
		call(2, payload);
		assert.equal(call(3, 200), 200 * 5);
		const computrons = assertNothingAllocated(() => call(3, 1000));
		t.diagnostic(
			`${payload} bytes, from 1 over WebSocket to 3 and 2 over TCP: ${Math.round(computrons / 1000)} computrons a message`,
		);
	}
	call(3, 1);
	machine.collect();
	// A shortened buffer would have been trimmed, and the next message would allocate its rest.
	assertNothingAllocated(() => call(3, 10));
	call(4, 30);
	assert.ok(call(5) > 200);
	call(6, 3);
	const before = call(6, 1);
	let after = 0;
	const computrons = assertNothingAllocated(() => {
		after = call(6, 7);
	}, 256);
	assert.ok(after - before > 7 * 300);
	t.diagnostic(`a piece of the status page: ${Math.round(computrons / 7)} computrons`);
	machine.destroy();

	const tcpOnlyBench = await benchOnXS("xs-web-bench");
	assert.equal(tcpOnlyBench.call(0, 0), 1);
	tcpOnlyBench.machine.collect();
	const { slots, chunks } = tcpOnlyBench.machine.statistics;
	t.diagnostic(
		`the second port, before anyone connects: ${brokerSize - slots.used * SLOT_BYTES - chunks.used} bytes`,
	);
	assert.ok(brokerSize - slots.used * SLOT_BYTES - chunks.used <= 6144);
	tcpOnlyBench.machine.destroy();
});

test("on XS, takeovers with wills, where calls are deepest: the stack stays within 420 slots", async (t) => {
	const { machine, call } = await benchOnXS("xs-web-bench");
	call(0, 1);
	for (const web of [1, 0, 1]) {
		call(1, web);
		call(8, web, 0);
		call(8, web, 1);
	}
	call(4, 5);
	for (const [version, clean] of [
		[4, 0],
		[5, 0],
		[4, 1],
		[5, 1],
	])
		for (const web of [1, 1, 0, 1]) assert.ok(call(7, web, version, 2, clean) >= 1 + web);
	assert.ok(call(5) > 200);
	call(6, 8);
	t.diagnostic(`stack peak ${machine.statistics.stack.peak}`);
	// of the 512 slots in firmware/manifest.json
	assert.ok(machine.statistics.stack.peak <= 420);
	machine.destroy();
});
