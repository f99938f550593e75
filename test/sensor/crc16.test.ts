import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CRC_START, crc16 } from "../../src/text/crc16";

/** Bit by bit, as the polynomial says. */
function reference(bytes: Uint8Array, start: number, end: number, crc: number): number {
	for (let i = start; i < end; i++) {
		crc ^= bytes[i]! << 8;
		for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) !== 0 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
	}
	return crc;
}

test("the check value of CRC-16/CCITT-FALSE is that of its catalogue", () => {
	const text = new TextEncoder().encode("123456789");
	assert.equal(crc16(text, 0, text.length, CRC_START), 0x29b1);
});

test("any range of bytes, even or odd: the CRC is that of its bits, also continued in the middle", () => {
	fc.assert(
		fc.property(
			fc.uint8Array({ maxLength: 40 }),
			fc.nat(40),
			fc.nat(40),
			fc.nat(0xffff),
			(bytes, one, other, start) => {
				const [from, middle] = [Math.min(one, other), Math.max(one, other)].map((at) =>
					Math.min(at, bytes.length),
				) as [number, number];
				const whole = crc16(bytes, from, bytes.length, start);
				assert.equal(whole, reference(bytes, from, bytes.length, start));
				assert.equal(crc16(bytes, middle, bytes.length, crc16(bytes, from, middle, start)), whole);
			},
		),
	);
});
