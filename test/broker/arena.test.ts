import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Arena } from "../../src/broker/pool/arena";
import { Tables } from "../../src/broker/pool/tables";

test("random allocation and release: records keep their bytes, and so does memory around the arena", () => {
	const step = fc.oneof(
		fc.record({ allocate: fc.integer({ min: 0, max: 40 }), fill: fc.integer({ min: 1, max: 255 }) }),
		fc.record({ release: fc.nat({ max: 30 }) }),
	);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
			const bytes = new Uint8Array(220).fill(0xaa);
			const arena = new Arena(new Tables(), bytes, 10, 210, 12);
			const model = new Map<number, { size: number; fill: number }>();
			for (const action of steps) {
				if ("allocate" in action) {
					const { allocate: size, fill } = action;
					let used = 0;
					for (const other of model.values()) used += other.size;
					const record = arena.allocate(size);
					assert.equal(record !== 0, used + size <= 200 && model.size < 12);
					if (record === 0) continue;
					assert.ok(!model.has(record));
					model.set(record, { size, fill });
					bytes.fill(fill, arena.offset(record), arena.offset(record) + size);
				} else {
					const record = [...model.keys()][action.release];
					if (record === undefined) continue;
					arena.release(record);
					model.delete(record);
				}
				assert.equal(arena.count, model.size);
				assert.equal(
					arena.used,
					[...model.values()].reduce((sum, { size }) => sum + size, 0),
				);
				for (const [record, { size, fill }] of model) {
					assert.equal(arena.size(record), size);
					const offset = arena.offset(record);
					assert.ok(bytes.subarray(offset, offset + size).every((byte) => byte === fill));
				}
			}
			assert.ok(bytes.subarray(0, 10).every((byte) => byte === 0xaa));
			assert.ok(bytes.subarray(210).every((byte) => byte === 0xaa));
		}),
	);
});

test("an arena for 0 records: exhausted, every allocation fails", () => {
	const arena = new Arena(new Tables(), new Uint8Array(8), 0, 8, 0);
	assert.ok(arena.exhausted);
	assert.equal(arena.allocate(0), 0);
});
