import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CLOSED, READING_REQUEST, STREAM_OPEN } from "../../src/websocket/states";
import { frame, parseFrames, request } from "./support/frames";
import { StreamHarness } from "./support/stream-harness";

const BINARY = 2;
const PING = 9;
const PONG = 10;

describe("properties", () => {
	/** Splits bytes into frames of given lengths, fragmented at random, with control frames between them. */
	function fragment(bytes: Uint8Array, plan: { length: number; fin: boolean; control: number }[]): Buffer {
		const frames: Buffer[] = [];
		let fragmented = false;
		for (let at = 0, i = 0; at < bytes.length; i++) {
			const { length, fin, control } = plan[i % plan.length];
			frames.push(frame(fragmented ? 0 : BINARY, bytes.subarray(at, at + length), { fin }));
			fragmented = !fin;
			at += length;
			if (control > 0) frames.push(frame(control & 1 ? PING : PONG, Buffer.alloc(control)));
		}
		return Buffer.concat(frames);
	}
	const plan = fc
		.array(
			fc.record({
				length: fc.integer({ min: 0, max: 700 }),
				fin: fc.boolean(),
				control: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 125 })),
			}),
			{
				minLength: 1,
				maxLength: 8,
			},
		)
		.filter((plan) => plan.some(({ length }) => length > 0));
	const chunkSizes = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 8 });

	it("any fragmentation in any pieces, read in any pieces, gives the same bytes [MQTT-6.0.0-2]", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 3000 }),
				plan,
				chunkSizes,
				fc.array(fc.integer({ min: 1, max: 512 }), { minLength: 1, maxLength: 5 }),
				(count, plan, chunkSizes, reads) => {
					const bytes = Buffer.from(Array.from({ length: count }, (_, i) => (i * 7 + (i >> 8)) & 255));
					const session = new StreamHarness({ size: 512 }).open();
					let next = 0;
					// Like the broker: waits until a certain number of bytes is available
					session.onReadable = () => {
						for (;;) {
							const wanted = Math.min(reads[next % reads.length], count - session.received.length);
							if (wanted === 0 || session.available < wanted) return;
							session.read(wanted);
							next++;
						}
					};
					const all = fragment(bytes, plan);
					for (let at = 0, i = 0; at < all.length; i++) {
						session.tcp.deliver(all.subarray(at, at + chunkSizes[i % chunkSizes.length]));
						at += chunkSizes[i % chunkSizes.length];
					}
					assert.deepEqual(session.received, bytes);
					assert.equal(session.errors, 0);
					assert.deepEqual(session.exceptions, []);
				},
			),
			{ numRuns: 500 },
		);
	});

	const randomFrame = fc.oneof(
		fc.uint8Array({ maxLength: 200 }),
		fc
			.tuple(
				fc.integer({ min: 0, max: 255 }),
				fc.uint8Array({ maxLength: 140 }),
				fc.boolean(),
				fc.boolean(),
				fc.constantFrom(undefined, 1, 2, 8),
			)
			.map(([first, payload, fin, masked, width]) =>
				frame(first & 15, payload, {
					fin,
					masked,
					rsv: (first & 0xf0) === 0x10 ? 1 : 0,
					...(width === undefined ? {} : { width: width as 1 | 2 | 8 }),
				}),
			),
		fc.uint8Array({ minLength: 1, maxLength: 300 }).map((payload) => frame(BINARY, payload)),
	);

	it("arbitrary bytes never throw, do not depend on the pieces, and end in a declared state", () => {
		fc.assert(
			fc.property(fc.array(randomFrame, { maxLength: 12 }), chunkSizes, (parts, chunkSizes) => {
				const all = Buffer.concat(parts);
				const results = [[all.length || 1], chunkSizes].map((sizes) => {
					const session = new StreamHarness({ size: 512 }, { sendRoom: 60_000 }).open();
					for (let at = 0, i = 0; at < all.length; i++) {
						session.tcp.deliver(all.subarray(at, at + sizes[i % sizes.length]));
						at += sizes[i % sizes.length];
					}
					const { state } = session.stream;
					assert.deepEqual(session.exceptions, []);
					assert.ok(state === STREAM_OPEN || state === CLOSED);
					assert.equal(session.errors, state === STREAM_OPEN ? 0 : 1);
					assert.equal(session.tcp.closed, session.errors);
					const sent = session.tcp.takeSent();
					parseFrames(sent);
					return { state, sent, received: session.received, failures: session.failures };
				});
				assert.deepEqual(results[1], results[0]);
			}),
			{ numRuns: 1000 },
		);
	});

	it("arbitrary requests never throw, and end in a declared state", () => {
		const word = fc.oneof(
			fc.constantFrom(
				...request()
					.toString("latin1")
					.split(/(\r\n|: )/),
				"GET",
				" ",
				"/",
				"HTTP/1.1",
				",",
			),
			fc.string({ unit: "binary", maxLength: 8 }),
		);
		const mutated = fc
			.tuple(fc.nat(200), fc.integer({ min: 0, max: 255 }), fc.nat(3))
			.map(([at, byte, drop]) => {
				const bytes = request();
				bytes[at % bytes.length] = byte;
				return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + drop)]);
			});
		const requests = fc.oneof(
			mutated,
			fc.array(word, { maxLength: 60 }).map((words) => Buffer.from(words.join(""), "latin1")),
		);
		fc.assert(
			fc.property(requests, chunkSizes, (bytes, chunkSizes) => {
				const results = [[bytes.length || 1], chunkSizes].map((sizes) => {
					const session = new StreamHarness();
					for (let at = 0, i = 0; at < bytes.length; i++) {
						session.tcp.deliver(bytes.subarray(at, at + sizes[i % sizes.length]));
						at += sizes[i % sizes.length];
					}
					const { state } = session.stream;
					assert.deepEqual(session.exceptions, []);
					assert.ok(state === READING_REQUEST || state === STREAM_OPEN || state === CLOSED);
					const sent = session.tcp.takeSent();
					assert.equal(sent.length > 0, state !== READING_REQUEST);
					return { state, sent };
				});
				assert.deepEqual(results[1], results[0]);
			}),
			{ numRuns: 2000 },
		);
	});
});
