import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type DecodeOptions, decode, oneByteChunks, type RecordingHandler } from "./decoder-recorder";
import { golden } from "./golden";
import { bytes } from "./notation";

/** Reason codes that a decoder may report. */
const DECLARED_REASON_CODES = new Set([0x81, 0x82, 0x84, 0x85, 0x90, 0x94, 0x95]);

function checkDecoder(raw: Uint8Array, options: DecodeOptions): RecordingHandler {
	const whole = decode(raw, options);
	for (const event of whole.events)
		if ("error" in event) assert.ok(DECLARED_REASON_CODES.has(event.error), `reason code ${event.error}`);
	const pieces = decode(raw, { ...options, split: oneByteChunks(raw) });
	// Only the pieces of an incomplete payload may differ
	assert.deepEqual(pieces.events, whole.events);
	assert.equal(pieces.message, whole.message);
	return whole;
}

describe("any input ends in a declared state", () => {
	it("random bytes", () => {
		fc.assert(
			fc.property(
				fc.uint8Array({ maxLength: 200 }),
				fc.constantFrom(4 as const, 5 as const),
				fc.constantFrom("client" as const, "broker" as const),
				fc.integer({ min: 16, max: 64 }),
				(raw, version, from, size) => void checkDecoder(raw, { version, from, size }),
			),
			{ numRuns: 5000 },
		);
	});

	it("random bodies after a valid fixed header", () => {
		const first = fc.constantFrom(
			0x10,
			0x20,
			0x30,
			0x32,
			0x35,
			0x40,
			0x50,
			0x62,
			0x70,
			0x82,
			0x90,
			0xa2,
			0xb0,
			0xc0,
			0xd0,
			0xe0,
			0xf0,
		);
		// Small numbers make plausible lengths
		const byte = fc.oneof(
			{ weight: 3, arbitrary: fc.integer({ min: 0, max: 9 }) },
			{ weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
		);
		fc.assert(
			fc.property(
				fc.array(fc.tuple(first, fc.array(byte, { maxLength: 40 })), { minLength: 1, maxLength: 3 }),
				fc.constantFrom(4 as const, 5 as const),
				fc.constantFrom("client" as const, "broker" as const),
				fc.integer({ min: 16, max: 64 }),
				(list, version, from, size) =>
					void checkDecoder(Uint8Array.from(list.flatMap(([first, body]) => [first, body.length, ...body])), {
						version,
						from,
						size,
					}),
			),
			{ numRuns: 5000 },
		);
	});

	it("every truncation of every golden packet is incomplete, or was rejected before", () => {
		for (const row of golden) {
			const raw = bytes(row.bytes);
			for (let length = 0; length < raw.length; length++) {
				const { events } = checkDecoder(raw.slice(0, length), row);
				if (row.packet !== undefined) assert.deepEqual(events, [], row.name);
				else assert.ok(events.length === 0 || events.length === 1, row.name);
			}
		}
	});

	it("every single-bit flip of every golden packet", () => {
		for (const row of golden) {
			const raw = bytes(row.bytes);
			for (let bit = 0; bit < raw.length * 8; bit++) {
				const flipped = raw.slice();
				flipped[bit >> 3] = (raw[bit >> 3] as number) ^ (1 << (bit & 7));
				checkDecoder(flipped, row);
			}
		}
	});

	it("every byte value at every position of the short golden packets", () => {
		for (const row of golden) {
			const raw = bytes(row.bytes);
			if (raw.length > 16) continue;
			for (let at = 0; at < raw.length; at++) {
				for (let value = 0; value < 256; value++) {
					const changed = raw.slice();
					changed[at] = value;
					const { events } = decode(changed, row);
					for (const event of events) if ("error" in event) assert.ok(DECLARED_REASON_CODES.has(event.error));
				}
			}
		}
	});

	it("golden packets in a row: nothing is read after an error", () => {
		fc.assert(
			fc.property(fc.array(fc.constantFrom(...golden), { minLength: 1, maxLength: 5 }), (rows) => {
				const { version, from } = rows[0] as (typeof rows)[number];
				const recorder = checkDecoder(Uint8Array.from(rows.flatMap((row) => [...bytes(row.bytes)])), {
					version,
					from,
				});
				const errors = recorder.events.filter((event) => "error" in event);
				assert.ok(errors.length <= 1);
			}),
			{ numRuns: 1000 },
		);
	});
});
