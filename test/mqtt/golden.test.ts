import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Encoder } from "../../src/mqtt/encoder";
import { decode, oneByteChunks } from "./decoder-recorder";
import { golden } from "./golden";
import { bytes } from "./notation";
import { encodePlain } from "./plain-packet";

describe("golden table", () => {
	for (const row of golden) {
		const { version, from, name, packet, error } = row;
		const raw = bytes(row.bytes);
		const expected = packet === undefined ? { error } : { packet };
		it(`MQTT ${version === 4 ? "3.1.1" : "5.0"}, ${from}, ${raw[0]?.toString(16)}: ${name}`, () => {
			const whole = decode(raw, row);
			assert.deepEqual(whole.events, [expected], whole.message);
			const pieces = decode(raw, { ...row, split: oneByteChunks(raw) });
			assert.deepEqual(pieces.events, [expected], pieces.message);
			assert.equal(pieces.message, whole.message);
			if (packet === undefined || row.canonical === false) return;
			const encoder = new Encoder({ size: 512, version });
			assert.equal(encodePlain(encoder, packet), raw.length);
			assert.deepEqual(Buffer.from(encoder.seal()), Buffer.from(raw));
		});
	}

	it("has rows for every packet type in both versions", () => {
		for (const version of [4, 5] as const) {
			const types = new Set(
				golden.filter((row) => row.version === version && row.packet).map((row) => row.packet?.type),
			);
			assert.equal(types.size, version === 4 ? 14 : 15);
		}
	});
});
