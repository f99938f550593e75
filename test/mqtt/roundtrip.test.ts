import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Version } from "../../src/mqtt/constants";
import { Encoder } from "../../src/mqtt/encoder";
import { packets } from "./arbitrary";
import { decode, oneByteChunks } from "./decoder-recorder";
import { encodePlain, type PlainPacket } from "./plain-packet";

function encoded(version: Version, list: readonly PlainPacket[]): Uint8Array {
	const encoder = new Encoder({ size: 1 << 16, version });
	for (const packet of list) assert.ok(encodePlain(encoder, packet) > 0);
	return Uint8Array.from(encoder.seal());
}

const split = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });

describe("decode after encode is the identity", () => {
	for (const version of [4, 5] as const) {
		for (const from of ["client", "broker"] as const) {
			const all = packets(version, from);
			for (const [name, packet] of Object.entries(all)) {
				it(`MQTT ${version}, ${name} from a ${from}, under every split`, () => {
					fc.assert(
						fc.property(packet, split, (packet, split) => {
							const bytes = encoded(version, [packet]);
							const expected = [{ packet }];
							assert.deepEqual(decode(bytes, { version, from }).events, expected);
							assert.deepEqual(decode(bytes, { version, from, split }).events, expected);
							assert.deepEqual(
								decode(bytes, { version, from, split: oneByteChunks(bytes) }).events,
								expected,
							);
						}),
						{ numRuns: 150 },
					);
				});
			}
			it(`MQTT ${version}, a stream from a ${from}, under every split`, () => {
				// CONNECT would set the version of the following packets; it is the same here
				const stream = fc.array(fc.oneof(...Object.values(all)), { minLength: 1, maxLength: 8 });
				fc.assert(
					fc.property(stream, split, (list, split) => {
						const bytes = encoded(version, list);
						const expected = list.map((packet) => ({ packet }));
						assert.deepEqual(decode(bytes, { version, from }).events, expected);
						assert.deepEqual(decode(bytes, { version, from, split }).events, expected);
						assert.deepEqual(decode(bytes, { version, from, split: oneByteChunks(bytes) }).events, expected);
					}),
					{ numRuns: 150 },
				);
			});
		}
	}
});

describe("encode after decode", () => {
	it("gives the bytes that were decoded, also the second time", () => {
		const any = fc
			.constantFrom(4 as const, 5 as const)
			.chain((version) =>
				fc.tuple(fc.constant(version), fc.oneof(...Object.values(packets(version, "client")))),
			);
		fc.assert(
			fc.property(any, ([version, packet]) => {
				const bytes = encoded(version, [packet]);
				const [event] = decode(bytes, { version, from: "client" }).events;
				assert.ok(event !== undefined && "packet" in event);
				assert.deepEqual(encoded(version, [event.packet]), bytes);
			}),
			{ numRuns: 300 },
		);
	});
});
