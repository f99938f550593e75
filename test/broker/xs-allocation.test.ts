import assert from "node:assert/strict";
import { test } from "node:test";
import { sysTopicNames } from "./support/sys-topic-names";
import { benchOnXS } from "./support/xs-machine";

/** Size of a slot on an ESP32. Chunk bytes are those of this 64-bit host, which are more than on a device. */
const SLOT_BYTES = 16;

test("on XS: broker and clients stay within their memory, and messages allocate nothing", async (t) => {
	const { machine, call } = await benchOnXS();
	const size = () => {
		machine.collect();
		const { slots, chunks } = machine.statistics;
		return { slots: slots.used, chunks: chunks.used, bytes: slots.used * SLOT_BYTES + chunks.used };
	};
	const emptySize = size();
	call(0);
	const brokerSize = size();
	t.diagnostic(`stack so far ${machine.statistics.stack.peak}`);
	t.diagnostic(
		`base: ${brokerSize.slots - emptySize.slots} slots, ${brokerSize.chunks - emptySize.chunks} chunk bytes = ${brokerSize.bytes - emptySize.bytes} bytes`,
	);
	assert.ok(brokerSize.bytes - emptySize.bytes <= 32 * 1024);
	// four subscribe with QoS 2, two of them have persistent sessions
	for (let i = 0; i < 8; i++)
		assert.equal(call(1, i, i & 1 ? 4 : 5, i < 4 ? 2 : 0, i === 2 || i === 3 ? 1 : 0), 2);
	for (const [version, qos, payload, retain] of [
		[5, 1, 470, 1],
		[5, 0, 470, 0],
		[5, 0, 5, 1],
		[5, 1, 5, 0],
		[5, 2, 470, 1],
		[5, 2, 5, 0],
	] as const) {
		call(2, version, qos, payload, retain);
		// PUBACK to the sender; or PUBREC and PUBCOMP to the sender, PUBREL to four
		assert.equal(call(3, 200), 200 * (8 + [0, 1, 6][qos]));
		const before = machine.statistics;
		call(3, 1000);
		const after = machine.statistics;
		t.diagnostic(
			`QoS ${qos}, ${payload} bytes, 1 to 8: ${Math.round((after.computrons - before.computrons) / 1000)} computrons a message, with the sockets of the bench; stack peak ${after.stack.peak}`,
		);
		assert.equal(after.slots.allocated - before.slots.allocated, 0);
		assert.equal(after.chunks.allocated - before.chunks.allocated, 0);
	}
	const sizeWithClients = size();
	call(3, 1);
	machine.collect();
	const collected = machine.statistics.chunks.allocated;
	call(3, 1);
	// less than the broker's large buffer, which must never exist twice
	assert.ok(machine.statistics.chunks.allocated - collected < 1024, "after a collection");
	call(6, 4);
	for (const updates of [1, 10]) {
		const before = machine.statistics;
		const packets = call(7, updates);
		const after = machine.statistics;
		// Whole updates have all topics, as the first one and one of the others; each has its answer to a ping
		const rest = packets - sysTopicNames.length - updates;
		assert.ok(updates === 1 ? rest === 0 : rest >= updates - 1 && rest <= 6 * updates, `${packets} packets`);
		t.diagnostic(
			`${updates === 1 ? "a whole update" : "each update"} of the $SYS topics: ${Math.round((after.computrons - before.computrons) / updates)} computrons, in ten turns`,
		);
		if (updates === 1) continue;
		assert.equal(after.slots.allocated - before.slots.allocated, 0);
		assert.equal(after.chunks.allocated - before.chunks.allocated, 0);
	}
	// with sockets that have a target, as on a chip: without closures for each connection
	assert.ok((sizeWithClients.bytes - brokerSize.bytes) / 8 <= 1.1 * 1024);
	t.diagnostic(
		`each of 8 clients: ${Math.round((sizeWithClients.slots - brokerSize.slots) / 8)} slots, ${Math.round((sizeWithClients.chunks - brokerSize.chunks) / 8)} chunk bytes`,
	);
	machine.destroy();
});

test("on XS, clients that connect, publish and disappear: memory use does not grow", async () => {
	const { machine, call } = await benchOnXS();
	call(0);
	call(1, 0, 5, 1);
	call(2, 5, 1, 30, 1);
	const used: number[] = [];
	for (let i = 1; i <= 1000; i++) {
		call(1, 1, i & 1 ? 4 : 5, 1);
		call(3, 1);
		assert.equal(call(4), i);
		if (i % 100 !== 0) continue;
		machine.collect();
		const { slots, chunks } = machine.statistics;
		used.push(slots.used * SLOT_BYTES + chunks.used);
	}
	// remains of an earlier call on the stack may keep a few slots alive until the next call
	assert.ok(Math.max(...used.slice(5)) <= Math.max(...used.slice(0, 5)));
	machine.destroy();
});

test("on XS, 10,000 takeovers of a connection lost without a FIN: memory use does not grow", async (t) => {
	for (const persistent of [0, 1]) {
		const { machine, call } = await benchOnXS();
		call(0);
		call(1, 0, 5, 2, 1);
		call(2, 5, 1, 30, 1);
		const used: { slots: number; chunks: number }[] = [];
		for (let i = 1; i <= 10_000; i++) {
			assert.ok(call(5, 5, persistent) >= 2);
			call(3, 1);
			if (i !== 100 && i !== 10_000) continue;
			machine.collect();
			machine.collect();
			const { slots, chunks } = machine.statistics;
			used.push({ slots: slots.used, chunks: chunks.used });
		}
		t.diagnostic(
			`${persistent ? "lasting" : "clean"} sessions: ${used[0].slots} slots, ${used[0].chunks} chunk bytes`,
		);
		assert.deepEqual(used[1], used[0]);
		machine.destroy();
	}
});
