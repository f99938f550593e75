import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SEND_ROOM } from "../../../sim/network/socket";
import { frame } from "../support/frames";
import { ClientHarness, parseMasked } from "./client-harness";

const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const server = (opcode: number, payload: Uint8Array | string = "", fin = true) =>
	frame(opcode, payload, { masked: false, fin });

describe("frames that leave", () => {
	test("a packet is one masked binary frame [MQTT-6.0.0-1]", () => {
		const harness = new ClientHarness({ random: () => 0x01020304 }).open();
		harness.socket.write(Buffer.from("Hello"));
		const sent = harness.server.takeSent();
		assert.deepEqual(parseMasked(sent), [{ opcode: BINARY, key: "04030201", payload: Buffer.from("Hello") }]);
		assert.equal(harness.server.packets, 2, "one write after the request");
	});

	test("lengths of 125, 126, 512 and 513 bytes: the shortest encoding, 512 a frame at most", () => {
		for (const [length, frames] of [
			[0, []],
			[1, [1]],
			[125, [125]],
			[126, [126]],
			[512, [512]],
			[513, [512, 1]],
			[1500, [512, 512, 476]],
		] as const) {
			const harness = new ClientHarness().open();
			const bytes = Buffer.from(Array.from({ length }, (_, i) => i & 255));
			harness.socket.write(bytes);
			const sent = parseMasked(harness.server.takeSent());
			assert.deepEqual(
				sent.map(({ payload }) => payload.length),
				frames,
			);
			assert.deepEqual(Buffer.concat(sent.map(({ payload }) => payload)), bytes);
		}
	});

	test("each frame has a key of its own (RFC 6455 §5.3)", () => {
		const harness = new ClientHarness().open();
		for (let i = 0; i < 100; i++) harness.socket.write(Uint8Array.of(i));
		const keys = new Set(parseMasked(harness.server.takeSent()).map(({ key }) => key));
		assert.equal(keys.size, 100);
	});

	test("the announced room is sure to fit, headers and a Pong included; more would block", () => {
		for (let room = 0; room < 3000; room += 37) {
			const harness = new ClientHarness().open();
			harness.server.frozen = true;
			harness.server.grant(room);
			const announced = harness.rooms.at(-1)!;
			assert.ok(
				announced >= Math.max(0, room - 131 - 8 * Math.ceil(room / 520)) && announced <= room,
				`${room}`,
			);
			assert.throws(() => harness.socket.write(new Uint8Array(announced + 1)), /would block/);
			if (announced > 0) assert.ok(harness.socket.write(new Uint8Array(announced))! < 10);
			assert.ok(harness.server.takeSent().length <= room - 131 || announced === 0);
		}
	});

	test("an idle socket announces the same room each time: it counts as empty", () => {
		const harness = new ClientHarness().open();
		harness.socket.write(new Uint8Array(300));
		harness.server.grant(SEND_ROOM);
		assert.equal(new Set(harness.rooms).size, 1);
	});

	test("close sends a Close frame with status 1000, once, and reads what is unread", () => {
		const harness = new ClientHarness().open();
		harness.onReadable = () => {};
		harness.server.deliver(server(BINARY, "unread"));
		harness.socket.close();
		harness.socket.close();
		assert.deepEqual(
			parseMasked(harness.server.takeSent()).map(({ opcode, payload }) => [opcode, payload.toString("hex")]),
			[[CLOSE, "03e8"]],
		);
		assert.equal(harness.server.at, harness.server.end);
		assert.ok(harness.server.closed);
		assert.deepEqual(harness.failures, []);
	});
});

describe("control frames", () => {
	test("a Ping is answered by a Pong with the same payload, masked", () => {
		const harness = new ClientHarness().open();
		for (const payload of ["", "Hello", "x".repeat(125)]) {
			harness.server.deliver(server(PING, payload));
			const [pong, ...others] = parseMasked(harness.server.takeSent());
			assert.deepEqual([pong!.opcode, pong!.payload.toString(), others], [PONG, payload, []]);
		}
	});

	test("a Ping without room for its Pong is answered as soon as there is, and only the last one", () => {
		const harness = new ClientHarness().open();
		harness.server.frozen = true;
		harness.server.grant(5);
		harness.server.deliver(Buffer.concat([server(PING, "a"), server(PING, "b")]));
		assert.equal(harness.server.takeSent().length, 0);
		harness.server.grant(1000);
		assert.deepEqual(
			parseMasked(harness.server.takeSent()).map(({ payload }) => payload.toString()),
			["b"],
		);
	});

	test("Pings in a row take nothing of the room that was announced: the last is answered once there is", () => {
		const harness = new ClientHarness().open();
		harness.server.frozen = true;
		harness.server.grant(700);
		const announced = harness.rooms.at(-1)!;
		for (const text of ["a", "b", "c"]) harness.server.deliver(server(PING, text.repeat(125)));
		assert.notEqual(harness.socket.write(new Uint8Array(announced)), undefined);
		const frames = parseMasked(harness.server.takeSent());
		assert.deepEqual(
			frames.map(({ opcode }) => opcode),
			[PONG, BINARY, BINARY],
		);
		harness.server.grant(700);
		assert.equal(parseMasked(harness.server.takeSent())[0]!.payload.toString(), "c".repeat(125));
	});

	test("a Pong needs no answer", () => {
		const harness = new ClientHarness().open();
		harness.server.deliver(server(PONG, "x"));
		assert.equal(harness.server.takeSent().length, 0);
		assert.deepEqual(harness.failures, []);
	});

	for (const [status, message] of [
		[1000, undefined],
		[1001, /status 1001/],
		[1008, /status 1008/],
		[4000, /status 4000/],
	] as const)
		test(`Close with status ${status} is answered, and ends the connection`, () => {
			const harness = new ClientHarness().open();
			harness.server.deliver(server(CLOSE, Buffer.from([status >> 8, status & 255, 0x62, 0x79, 0x65])));
			const [close] = parseMasked(harness.server.takeSent());
			assert.deepEqual([close!.opcode, close!.payload.readUInt16BE()], [CLOSE, status]);
			assert.equal(harness.failures.length, 1);
			if (message === undefined) assert.equal(harness.failures[0], undefined);
			else assert.match(harness.failures[0]!.message, message);
			harness.socket.close();
			assert.equal(harness.server.takeSent().length, 0, "no second Close");
			assert.ok(harness.server.closed);
		});

	test("what arrived before Close is delivered first", () => {
		const harness = new ClientHarness().open();
		harness.server.deliver(Buffer.concat([server(BINARY, "last"), server(CLOSE)]));
		assert.equal(harness.received.toString(), "last");
		assert.deepEqual(harness.failures, [undefined]);
	});
});

describe("violations of RFC 6455 fail the connection (§7.1.7)", () => {
	for (const [what, status, bytes] of [
		["a masked frame (§5.1)", 1002, frame(BINARY, "x")],
		["RSV1 (§5.2)", 1002, frame(BINARY, "x", { masked: false, rsv: 4 })],
		["text [MQTT-6.0.0-1]", 1003, server(1, "text")],
		["a reserved opcode", 1002, server(3)],
		["a continuation of nothing (§5.4)", 1002, server(0, "x")],
		["interleaved messages", 1002, Buffer.concat([server(BINARY, "a", false), server(BINARY, "b")])],
		["a Ping in fragments (§5.5)", 1002, server(PING, "x", false)],
		["a Close with one byte (§5.5.1)", 1002, server(CLOSE, "x")],
		["a Close with status 1005 (§7.4.1)", 1002, server(CLOSE, Buffer.of(3, 0xed))],
		["16 bits for a length of 125", 1002, frame(BINARY, Buffer.alloc(125), { masked: false, width: 2 })],
		["64 bits for a length of 126", 1002, frame(BINARY, Buffer.alloc(126), { masked: false, width: 8 })],
		["a length of 2^31", 1009, Buffer.from("827f0000000080000000", "hex")],
	] as const)
		test(`${what}: status ${status}`, () => {
			const harness = new ClientHarness().open();
			harness.server.deliver(bytes);
			const close = parseMasked(harness.server.takeSent()).at(-1)!;
			assert.deepEqual([close.opcode, close.payload.readUInt16BE()], [CLOSE, status]);
			assert.equal(harness.failures.length, 1);
			assert.equal(harness.failures[0]!.fault, "peer");
			assert.match(harness.failures[0]!.message, new RegExp(`status ${status}`));
		});
});

describe("reading", () => {
	test("a header, or a control frame, in part is read at once: the end of the connection is seen", () => {
		for (const part of ["82", "827e", "827e01", "89", "8905", "890548"]) {
			const harness = new ClientHarness().open();
			harness.server.deliver(Buffer.from(part, "hex"));
			harness.server.fail();
			assert.deepEqual(harness.failures, [undefined], part);
		}
	});

	test("a user that reads later gets the rest of the frames by a timer", () => {
		const harness = new ClientHarness().open();
		harness.onReadable = () => {};
		harness.server.deliver(Buffer.concat([server(BINARY, "one"), server(PING), server(BINARY, "two")]));
		harness.read(2);
		assert.equal(harness.due.length, 0, "the frame has more");
		harness.read(1);
		assert.equal(harness.received.toString(), "one");
		assert.equal(harness.due.length, 1);
		harness.onReadable = (available) => harness.read(available);
		harness.runTimers();
		assert.equal(harness.received.toString(), "onetwo");
		assert.equal(parseMasked(harness.server.takeSent()).length, 1);
	});

	test("more than is available throws, as with the socket below", () => {
		const harness = new ClientHarness().open();
		harness.onReadable = () => {};
		harness.server.deliver(server(BINARY, "one"));
		assert.throws(() => harness.socket.read(new Uint8Array(4)), /invalid/);
		assert.throws(() => harness.socket.read(new Uint8Array(0)), /invalid/);
	});

	test("any fragmentation in any pieces, read in any pieces, gives the same bytes [MQTT-6.0.0-2]", () => {
		const part = fc.record({
			length: fc.integer({ min: 0, max: 700 }),
			fin: fc.boolean(),
			ping: fc.option(fc.integer({ min: 0, max: 125 }), { nil: undefined }),
		});
		fc.assert(
			fc.property(
				fc.array(part, { minLength: 1, maxLength: 12 }),
				fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 8 }),
				fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
				(parts, pieces, reads) => {
					const harness = new ClientHarness().open();
					const frames: Buffer[] = [];
					const payloads: Buffer[] = [];
					let continued = false;
					let pings = 0;
					for (const { length, fin, ping } of parts) {
						const payload = Buffer.from(Array.from({ length }, (_, i) => (i * 7 + payloads.length) & 255));
						payloads.push(payload);
						frames.push(server(continued ? 0 : BINARY, payload, fin));
						continued = !fin;
						if (ping === undefined) continue;
						frames.push(server(PING, Buffer.alloc(ping, pings++)));
					}
					let next = 0;
					harness.onReadable = (available) => {
						let left = available;
						while (left > 0) {
							const count = Math.min(reads[next++ % reads.length]!, left);
							harness.read(count);
							left -= count;
						}
					};
					const all = Buffer.concat(frames);
					for (let at = 0, i = 0; at < all.length; i++) {
						const size = pieces[i % pieces.length]!;
						harness.server.deliver(all.subarray(at, at + size));
						at += size;
					}
					assert.deepEqual(harness.received, Buffer.concat(payloads));
					assert.equal(parseMasked(harness.server.takeSent()).length, pings);
					assert.deepEqual(harness.failures, []);
				},
			),
			{ numRuns: 500 },
		);
	});

	test("random bytes of a server: never an exception, one failure at most, and nothing after it", () => {
		const randomFrame = fc
			.tuple(
				fc.integer({ min: 0, max: 255 }),
				fc.integer({ min: 0, max: 255 }),
				fc.uint8Array({ maxLength: 140 }),
			)
			.map(([first, second, rest]) => Buffer.concat([Buffer.of(first, second), rest]));
		fc.assert(
			fc.property(
				fc.array(randomFrame, { maxLength: 6 }),
				fc.integer({ min: 1, max: 50 }),
				(frames, size) => {
					const harness = new ClientHarness().open();
					const all = Buffer.concat(frames);
					for (let at = 0; at < all.length; at += size) {
						const before = harness.received.length;
						const over = harness.failures.length > 0;
						harness.server.deliver(all.subarray(at, at + size));
						if (over) assert.equal(harness.received.length, before);
					}
					assert.ok(harness.failures.length <= 1);
					parseMasked(harness.server.takeSent());
					harness.socket.close();
				},
			),
			{ numRuns: 3000 },
		);
	});
});
