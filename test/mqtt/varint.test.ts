import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	readVarint,
	readVarintByte,
	VARINT_COMPLETE,
	VARINT_NOT_MINIMAL,
	VARINT_START,
	VARINT_TOO_LONG,
	varintSize,
	varintValue,
	writeVarint,
} from "../../src/mqtt/varint";

/** Table 1-1 of the specification: the least and the largest value of each length. */
const TABLE: readonly (readonly [number, readonly number[]])[] = [
	[0, [0x00]],
	[127, [0x7f]],
	[128, [0x80, 0x01]],
	[16_383, [0xff, 0x7f]],
	[16_384, [0x80, 0x80, 0x01]],
	[2_097_151, [0xff, 0xff, 0x7f]],
	[2_097_152, [0x80, 0x80, 0x80, 0x01]],
	[268_435_455, [0xff, 0xff, 0xff, 0x7f]],
];

/** The state after each of the bytes. */
function states(bytes: readonly number[]): number[] {
	let state = VARINT_START;
	return bytes.map((byte) => {
		state = readVarintByte(state, byte);
		return state;
	});
}

test("the limits of each length: written and read as Table 1-1 has them", () => {
	for (const [value, encoded] of TABLE) {
		const bytes = new Uint8Array(6);
		assert.equal(writeVarint(bytes, 1, value), 1 + encoded.length);
		assert.deepEqual([...bytes.subarray(1, 1 + encoded.length)], encoded);
		assert.equal(varintSize(value), encoded.length);
		assert.equal(readVarint(bytes, 1, 1 + encoded.length), value);
		assert.equal(readVarint(bytes, 1, encoded.length), -1, "cut off");
		const last = states(encoded).at(-1)!;
		assert.ok(last >= VARINT_COMPLETE && varintValue(last) === value);
	}
});

test("byte by byte: incomplete up to the last byte, then the value that reading the whole gives", () => {
	fc.assert(
		fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 6 }), (bytes) => {
			let at = 0;
			let state = VARINT_START;
			while (at < bytes.length && state >= 0 && state < VARINT_COMPLETE)
				state = readVarintByte(state, bytes[at++]!);
			const whole = readVarint(Uint8Array.from(bytes), 0, bytes.length);
			assert.equal(whole, state >= VARINT_COMPLETE ? varintValue(state) : -1);
			if (whole >= 0) assert.equal(varintSize(whole), at);
		}),
		{ numRuns: 2000 },
	);
});

test("[MQTT-1.5.5-1] a fifth byte, or one more than the value needs: an error that says which", () => {
	assert.equal(states([0x80, 0x80, 0x80, 0x80]).at(-1), VARINT_TOO_LONG);
	for (const bytes of [
		[0x80, 0],
		[0xff, 0x80, 0],
		[0x80, 0x80, 0x80, 0],
	]) {
		assert.equal(states(bytes).at(-1), VARINT_NOT_MINIMAL);
		assert.equal(readVarint(Uint8Array.from(bytes), 0, bytes.length), -1);
	}
});
