import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { equalText, hashText } from "../../src/broker/pool/hash";

const text = fc.uint8Array({ maxLength: 24 });

/** Both texts one behind the other, from index `gap` on. */
function inMemory(gap: number, first: Uint8Array, second: Uint8Array): DataView {
	const bytes = new Uint8Array(gap + first.length + second.length);
	bytes.set(first, gap);
	bytes.set(second, gap + first.length);
	return new DataView(bytes.buffer);
}

test("two texts anywhere in the memory: equal, with equal hashes, if their bytes are", () => {
	fc.assert(
		fc.property(
			text,
			fc.nat({ max: 5 }),
			fc.option(fc.nat()),
			fc.integer({ min: 1, max: 255 }),
			(a, gap, at, xor) => {
				const b = a.slice();
				if (at !== null && b.length > 0) b[at % b.length] ^= xor;
				const words = inMemory(gap, a, b);
				const end = gap + a.length;
				const expected = Buffer.compare(a, b) === 0;
				assert.equal(equalText(words, gap, end, end), expected);
				if (expected) assert.equal(hashText(words, gap, end), hashText(words, end, end + b.length));
			},
		),
	);
});

test("texts that differ in one byte, wherever it is: the lowest bits of their hashes differ", () => {
	for (let length = 1; length <= 12; length++)
		for (let at = 0; at < length; at++) {
			const buckets = new Set<number>();
			for (let digit = 0; digit < 10; digit++) {
				const bytes = new Uint8Array(length).fill(0x61);
				bytes[at] = 0x30 + digit;
				buckets.add(hashText(new DataView(bytes.buffer), 0, length) & 31);
			}
			assert.ok(buckets.size >= 5, `byte ${at} of ${length}: ${buckets.size} of 32 buckets`);
		}
});
