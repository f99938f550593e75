import assert from "node:assert/strict";
import { test } from "node:test";
import { benchOnXS } from "./support/xs-machine";

const SLOT_BYTES = 16;

/** Key-value storage outside the machine. */
function storageNatives(values: Map<string, Uint8Array>) {
	return {
		read(key: string, buffer: Uint8Array) {
			const value = values.get(key);
			if (value === undefined) return -1;
			buffer.set(value);
			return value.length;
		},
		write: (key: string, value: Uint8Array) => void values.set(key, value.slice()),
		delete: (key: string) => void values.delete(key),
	};
}

test("on XS, persistence: below 4 kB, messages allocate nothing, state is restored", async (t) => {
	const values = new Map<string, Uint8Array>();
	const sizes: number[] = [];
	for (const persist of [0, 1]) {
		const { machine, call } = await benchOnXS("xs-bench", storageNatives(values));
		const size = () => {
			machine.collect();
			const { slots, chunks } = machine.statistics;
			return slots.used * SLOT_BYTES + chunks.used;
		};
		const emptySize = size();
		call(0, persist);
		sizes.push(size() - emptySize);
		if (persist === 1) {
			for (let i = 0; i < 4; i++) call(1, i, 5, 1, i > 1 ? 1 : 0);
			call(2, 5, 1, 200, 1);
			call(3, 200);
			const before = machine.statistics;
			call(3, 1000);
			const after = machine.statistics;
			assert.equal(after.slots.allocated - before.slots.allocated, 0);
			assert.equal(after.chunks.allocated - before.chunks.allocated, 0);
			const writes = call(8);
			const stored = machine.statistics;
			t.diagnostic(
				`storing ${values.size} records: ${stored.slots.allocated - after.slots.allocated} slots, ${stored.chunks.allocated - after.chunks.allocated} chunk bytes, ${stored.computrons - after.computrons} computrons; stack peak ${stored.stack.peak}`,
			);
			// a value, two sessions, two subscriptions, the commit records
			assert.equal(keyKinds(values), "ccffssv");
			assert.ok(writes >= 7);
			const sizeAfterPersist = size();
			for (let i = 0; i < 20; i++) {
				call(3, 1);
				call(8);
			}
			assert.equal(size(), sizeAfterPersist, "storing leaves nothing behind");
		}
		machine.destroy();
	}
	t.diagnostic(`persistence: ${sizes[1]! - sizes[0]!} bytes`);
	assert.ok(sizes[1]! - sizes[0]! < 4096);
	const { machine, call } = await benchOnXS("xs-bench", storageNatives(values));
	call(0, 1);
	assert.equal(call(9), (2 << 24) | (2 << 16) | (1 << 8) | 0);
	t.diagnostic(`stack peak of a start that restores: ${machine.statistics.stack.peak}`);
	machine.destroy();
});

function keyKinds(values: Map<string, Uint8Array>): string {
	return [...values.keys()]
		.map((key) => key.charAt(0))
		.sort()
		.join("");
}
