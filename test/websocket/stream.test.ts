import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SEND_ROOM } from "../../sim/network/socket";
import { PAGE_PIECE_SIZE } from "../../src/websocket/constants";
import { WebSocketContext } from "../../src/websocket/context";
import { CLOSED, ENDED, STREAM_OPEN } from "../../src/websocket/states";
import { WebSocketStream } from "../../src/websocket/stream";
import { frame, parseFrames, request } from "./support/frames";
import { ServerConnection } from "./support/server-connection";
import { StreamHarness } from "./support/stream-harness";

const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
/** The response that accepts a WebSocket. */
const ACCEPTANCE_BYTES = 159;

/** The payload of a close frame. */
const closePayload = (status: number, reason = "") =>
	Buffer.concat([Buffer.of(status >> 8, status & 255), Buffer.from(reason)]);

describe("golden frames", () => {
	it("a masked ping is answered by an unmasked pong, RFC 6455 §5.7", () => {
		const session = new StreamHarness().open();
		session.tcp.deliver(Buffer.from("898537fa213d7f9f4d5158", "hex"));
		assert.equal(session.tcp.takeSent().toString("hex"), "8a0548656c6c6f");
	});
	it("the same payload in a binary frame is delivered", () => {
		const session = new StreamHarness().open();
		session.tcp.deliver(Buffer.from("828537fa213d7f9f4d5158", "hex"));
		assert.equal(session.received.toString(), "Hello");
	});
	it("256 bytes are sent in one frame, §5.7", () => {
		const session = new StreamHarness().open();
		session.stream.write(new Uint8Array(256).fill(7));
		assert.equal(session.tcp.takeSent().toString("hex"), `827e0100${"07".repeat(256)}`);
		assert.equal(session.tcp.writes, 2);
	});
	it("lengths of 125 and 126 bytes are sent in 7 and in 16 bits", () => {
		const session = new StreamHarness().open();
		session.stream.write(new Uint8Array(125));
		assert.equal(session.tcp.takeSent().subarray(0, 2).toString("hex"), "827d");
		session.stream.write(new Uint8Array(126));
		assert.equal(session.tcp.takeSent().subarray(0, 4).toString("hex"), "827e007e");
	});
	it("65,536 bytes in one frame are received", () => {
		const session = new StreamHarness().open();
		const bytes = Buffer.alloc(65_536, "0123456789");
		session.tcp.deliver(frame(BINARY, bytes));
		assert.deepEqual(session.received, bytes);
	});
});

describe("errors that fail a connection (RFC 6455 §7.1.7)", () => {
	const rows: [why: string, status: number, bytes: Buffer][] = [
		["RSV1 (§5.2)", 1002, frame(BINARY, "x", { rsv: 4 })],
		["RSV2", 1002, frame(BINARY, "x", { rsv: 2 })],
		["RSV3", 1002, frame(PING, "", { rsv: 1 })],
		["a frame that is not masked (§5.1)", 1002, frame(BINARY, "x", { masked: false })],
		["a ping that is not masked", 1002, frame(PING, "", { masked: false })],
		["text [MQTT-6.0.0-1]", 1003, frame(1, "text")],
		["text, to be continued", 1003, frame(1, "text", { fin: false })],
		...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, number, Buffer] => [
			`reserved opcode ${opcode} (§5.2)`,
			1002,
			frame(opcode),
		]),
		["a continuation of nothing (§5.4)", 1002, frame(0, "x")],
		[
			"a new message before the last one ended (§5.4)",
			1002,
			Buffer.concat([frame(BINARY, "a", { fin: false }), frame(BINARY, "b")]),
		],
		[
			"a continuation after the last",
			1002,
			Buffer.concat([frame(BINARY, "a", { fin: false }), frame(0, "b"), frame(0, "c")]),
		],
		["a ping in fragments (§5.5)", 1002, frame(PING, "x", { fin: false })],
		["a close in fragments", 1002, frame(CLOSE, "", { fin: false })],
		["a ping of 126 bytes (§5.5)", 1002, frame(PING, Buffer.alloc(126))],
		["a pong of 64-bit length", 1002, frame(PONG, "", { width: 8 })],
		["16 bits for a length of 125 (§5.2)", 1002, frame(BINARY, Buffer.alloc(125), { width: 2 })],
		["64 bits for a length of 65,535", 1002, frame(BINARY, Buffer.alloc(65_535), { width: 8 })],
		["the most significant bit of a length (§5.2)", 1002, Buffer.from("82ff800000000000000000000000", "hex")],
		["a length of 2^31 (§7.4.1)", 1009, Buffer.from("82ff000000008000000000000000", "hex")],
		["a length of 2^63 - 1", 1009, Buffer.from("82ff7fffffffffffffff00000000", "hex")],
		["a close with one byte (§5.5.1)", 1002, frame(CLOSE, "x")],
		...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((status): [string, number, Buffer] => [
			`a close with status ${status} (§7.4)`,
			1002,
			frame(CLOSE, closePayload(status)),
		]),
	];
	for (const [reason, status, bytes] of rows) {
		it(`${status}: ${reason}`, () => {
			const before = frame(BINARY, "before");
			for (const size of [bytes.length + before.length, 1]) {
				const session = new StreamHarness().open();
				const all = Buffer.concat([before, bytes]);
				for (let at = 0; at < all.length; at += size) session.tcp.deliver(all.subarray(at, at + size));
				assert.deepEqual(parseFrames(session.tcp.takeSent()), [
					{ opcode: CLOSE, fin: true, payload: closePayload(status) },
				]);
				assert.deepEqual(session.failures, [status]);
				assert.equal(session.errors, 1);
				assert.equal(session.tcp.closed, 1);
				assert.equal(session.received.subarray(0, 6).toString(), "before");
				assert.deepEqual(session.exceptions, []);
			}
		});
	}

	it("a length of 2^31 - 1 is waited for", () => {
		const session = new StreamHarness().open();
		session.tcp.deliver(Buffer.from("82ff000000007fffffff0000000001", "hex"));
		assert.deepEqual([...session.received], [1]);
		assert.equal(session.stream.state, STREAM_OPEN);
	});
});

describe("control frames", () => {
	it("pongs carry the payload of their ping, of any length (§5.5.2), also between fragments (§5.4)", () => {
		const session = new StreamHarness().open();
		session.tcp.deliver(frame(BINARY, "one ", { fin: false }));
		for (let length = 0; length <= 125; length++) {
			const payload = Buffer.alloc(length, "payload of a ping");
			session.tcp.deliver(frame(PING, payload));
			assert.deepEqual(parseFrames(session.tcp.takeSent()), [{ opcode: PONG, fin: true, payload }]);
		}
		session.tcp.deliver(frame(0, "message"));
		assert.equal(session.received.toString(), "one message");
	});
	it("an unsolicited pong is ignored (§5.5.3)", () => {
		const session = new StreamHarness().open();
		session.tcp.deliver(Buffer.concat([frame(PONG, "x"), frame(PONG), frame(BINARY, "data")]));
		assert.equal(session.tcp.takeSent().length, 0);
		assert.equal(session.received.toString(), "data");
	});
	for (const status of [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999]) {
		it(`close ${status} is answered with the same, once; the server closes first (§5.5.1, §7.1.1)`, () => {
			const session = new StreamHarness().open();
			session.tcp.deliver(
				Buffer.concat([
					frame(BINARY, "last"),
					frame(CLOSE, closePayload(status, "reason")),
					frame(BINARY, "after"),
					frame(PING),
				]),
			);
			assert.deepEqual(parseFrames(session.tcp.takeSent()), [
				{ opcode: CLOSE, fin: true, payload: closePayload(status) },
			]);
			assert.equal(session.received.toString(), "last");
			assert.deepEqual([session.errors, session.tcp.closed, session.tcp.unread], [1, 1, 0]);
			assert.deepEqual(session.failures, []);
		});
	}
	it("a close without a status is answered without one", () => {
		const session = new StreamHarness().open();
		session.tcp.deliver(frame(CLOSE));
		assert.equal(session.tcp.takeSent().toString("hex"), "8800");
	});
	it("close() sends 1000", () => {
		const session = new StreamHarness().open();
		session.tcp.deliver(Buffer.from([0x82]));
		session.stream.close();
		session.stream.close();
		assert.equal(session.tcp.takeSent().toString("hex"), "880203e8");
		assert.deepEqual([session.tcp.closed, session.errors, session.tcp.unread], [1, 0, 0]);
		assert.equal(session.stream.state, CLOSED);
		assert.equal(session.stream.read(new Uint8Array(1)), undefined);
		assert.equal(session.stream.write(new Uint8Array(1)), undefined);
	});
	it("pings without room for their pongs wait in the socket, and so does all data behind them", () => {
		const session = new StreamHarness({}, { room: SEND_ROOM }).open();
		session.stream.write(new Uint8Array(session.writableRooms[0]));
		session.tcp.takeSent();
		session.tcp.deliver(
			Buffer.concat([
				...Array.from({ length: 10 }, () => frame(PING, Buffer.alloc(100))),
				frame(BINARY, "behind"),
			]),
		);
		assert.equal(parseFrames(session.tcp.takeSent()).length, 1);
		assert.equal(session.received.length, 0);
		assert.equal(session.tcp.unread, 8 * 106 + 100 + 12, "the header of the next one is read");
		for (let i = 0; i < 9; i++) session.tcp.readByPeer(2 + 100);
		assert.equal(parseFrames(session.tcp.takeSent()).length, 9);
		assert.equal(session.received.toString(), "behind");
		assert.deepEqual(session.exceptions, []);
	});
	it("pings are answered on a host that reports room once; onWritable reports the new room", () => {
		const session = new StreamHarness({}, { isWritableOnce: true, room: SEND_ROOM }).open();
		for (let i = 0; i < 20; i++) session.tcp.deliver(frame(PING, Buffer.alloc(125)));
		assert.equal(parseFrames(session.tcp.takeSent()).length, 20);
		assert.ok(session.writableRooms.length > 1);
		assert.equal(session.stream.write(new Uint8Array(session.writableRooms.at(-1)!)), 0);
		parseFrames(session.tcp.takeSent());
	});
	it("a close without room for its answer waits", () => {
		const session = new StreamHarness({}, { room: PAGE_PIECE_SIZE }).open();
		// Pongs leave room for one byte
		for (let room = PAGE_PIECE_SIZE - ACCEPTANCE_BYTES - 1; room > 0; ) {
			const length = Math.min(125, room - 2);
			session.tcp.deliver(frame(PING, Buffer.alloc(length)));
			room -= parseFrames(session.tcp.takeSent())[0].payload.length + 2;
		}
		session.tcp.deliver(frame(CLOSE, closePayload(1000)));
		session.tcp.readByPeer(2);
		assert.equal(session.stream.state, STREAM_OPEN);
		session.tcp.readByPeer(1);
		assert.equal(session.tcp.takeSent().toString("hex"), "880203e8");
		assert.equal(session.errors, 1);
	});
});

describe("room", () => {
	it("all announced room can be written at once, whatever pings arrive meanwhile", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: PAGE_PIECE_SIZE, max: SEND_ROOM }),
				fc.array(fc.integer({ min: 0, max: 125 }), { maxLength: 5 }),
				fc.array(fc.integer({ min: 1, max: 6000 }), { maxLength: 5 }),
				(room, pings, writes) => {
					const session = new StreamHarness({}, { room }).open();
					for (const length of pings) session.tcp.deliver(frame(PING, Buffer.alloc(length)));
					let promised = session.writableRooms.at(-1)!;
					session.tcp.takeSent();
					const sent: Buffer[] = [];
					for (const wanted of [...writes, 6000]) {
						const bytes = Buffer.alloc(Math.min(wanted, promised), sent.length + 1);
						const left = session.stream.write(bytes);
						assert.ok(left !== undefined && left <= promised);
						promised = left;
						sent.push(bytes);
					}
					assert.throws(() => session.stream.write(new Uint8Array(promised + 1)), /would block/);
					const frames = parseFrames(session.tcp.takeSent());
					assert.deepEqual(Buffer.concat(frames.map(({ payload }) => payload)), Buffer.concat(sent));
					for (const { opcode, fin } of frames) assert.deepEqual([opcode, fin], [BINARY, true]);
					assert.deepEqual(session.exceptions, []);
				},
			),
			{ numRuns: 300 },
		);
	});
	it("the reserve is small", () => {
		const session = new StreamHarness().open();
		const room = SEND_ROOM - ACCEPTANCE_BYTES - 127;
		assert.equal(session.writableRooms[0], room - 4 * Math.ceil(room / 516));
	});
	it("data longer than a piece is sent in several binary frames [MQTT-6.0.0-1]", () => {
		const session = new StreamHarness({ size: 512 }).open();
		session.stream.write(Buffer.alloc(1300, 1));
		assert.deepEqual(
			parseFrames(session.tcp.takeSent()).map(({ payload }) => payload.length),
			[512, 512, 276],
		);
	});
	it("a write on a lost connection returns undefined", () => {
		const session = new StreamHarness().open();
		session.tcp.loseUnnoticed();
		assert.equal(session.stream.write(new Uint8Array(10)), undefined);
		assert.equal(session.stream.write(new Uint8Array(600)), undefined);
		session.tcp.run();
		assert.equal(session.errors, 1);
	});
	it("what cannot be answered, as the peer has gone behind it, ends the stream; no exception", () => {
		for (const last of [frame(PING), frame(CLOSE), frame(1, "text")])
			for (const unread of [0, 200]) {
				const session = new StreamHarness().open();
				session.tcp.peer.write(Buffer.concat([last, frame(PING, Buffer.alloc(125)), Buffer.alloc(unread)]));
				session.tcp.end();
				assert.deepEqual(session.exceptions, []);
				assert.deepEqual([session.errors, session.tcp.closed], [1, 1]);
			}
	});
	it("an empty write sends nothing", () => {
		const session = new StreamHarness().open();
		assert.equal(session.stream.write(new Uint8Array(0)), session.writableRooms.at(-1));
		assert.equal(session.tcp.takeSent().length, 0);
	});
	it("a write before the handshake returns undefined", () => {
		const session = new StreamHarness();
		assert.equal(session.stream.write(new Uint8Array(1)), undefined);
		assert.equal(session.stream.read(new Uint8Array(1)), undefined);
	});
});

describe("the user of a stream", () => {
	it("that does not read limits read-ahead to its store", () => {
		const session = new StreamHarness({ size: 512 }).open();
		session.onReadable = () => {};
		for (let i = 0; i < 20; i++) session.tcp.deliver(frame(BINARY, Buffer.alloc(100, i)));
		assert.equal(session.available, 600);
		assert.equal(session.tcp.unread, 15 * 106 - 6);
		session.onReadable = () => session.read(session.available);
		session.onWritable = session.onReadable;
		session.stream.write(new Uint8Array(1));
		session.tcp.run();
		assert.deepEqual(
			session.received,
			Buffer.concat(Array.from({ length: 20 }, (_, i) => Buffer.alloc(100, i))),
		);
	});
	it("may wait for as many bytes as the store holds, in frames of any length", () => {
		for (const length of [1, 2, 7, 100, 511, 512]) {
			const session = new StreamHarness({ size: 512 }).open();
			let got = 0;
			session.onReadable = () => {
				if (session.available < 512) return;
				session.read(512);
				got++;
			};
			const bytes = Buffer.alloc(512, "abc");
			for (let round = 1; round <= 3; round++) {
				for (let at = 0; at < 512; at += length)
					session.tcp.deliver(frame(BINARY, bytes.subarray(at, at + length)));
				assert.equal(got, round);
			}
			assert.deepEqual(session.received, Buffer.concat([bytes, bytes, bytes]));
		}
	});
	it("may close in any callback", () => {
		for (const what of ["onReadable", "onWritable", "onError"] as const) {
			const session = new StreamHarness();
			session[what] = () => session.stream.close();
			session.tcp.deliver(Buffer.concat([request(), frame(BINARY, "x"), frame(BINARY, "y"), frame(1)]));
			assert.equal(session.stream.state, CLOSED);
			assert.equal(session.tcp.closed, 1);
			assert.deepEqual(session.exceptions, []);
		}
	});
	it("that throws loses its stream, and the exception does not reach the host", () => {
		for (const what of ["onReadable", "onWritable"] as const) {
			const session = new StreamHarness();
			session[what] = () => {
				throw new Error(what);
			};
			session.tcp.deliver(Buffer.concat([request(), frame(BINARY, "x")]));
			assert.equal(String(session.exceptions), `Error: ${what}`);
			assert.equal(session.errors, 1);
		}
		const session = new StreamHarness();
		session.onError = () => {
			throw new Error("onError");
		};
		session.tcp.end();
		session.tcp.options.onError?.();
		assert.equal(String(session.exceptions), "Error: onError");
		assert.equal(session.stream.state, ENDED);
	});
	it("may close a stream whose socket has ended", () => {
		const session = new StreamHarness().open();
		session.onReadable = () => {};
		session.tcp.server.discardsOnReset = true;
		session.tcp.deliver(frame(BINARY, "abc"));
		session.tcp.loseUnnoticed();
		session.stream.close();
		assert.equal(session.tcp.closed, 1);
	});
	it("must not read more than is available", () => {
		const session = new StreamHarness().open();
		session.onReadable = () => {};
		session.tcp.deliver(frame(BINARY, "abc"));
		assert.throws(() => session.stream.read(new Uint8Array(4)), /invalid/);
		session.read(3);
		assert.equal(session.stream.read(new Uint8Array(1)), undefined);
	});
	it("must pass a listener's socket", () => {
		const session = new StreamHarness();
		assert.throws(() => new session.server.io({ address: "127.0.0.1", port: 1 }), /listener/);
	});
});

describe("stores", () => {
	/** A context with one free store, and a check whether it is free. */
	function setUpSpareStore() {
		const tcp = new ServerConnection();
		const shared = new WebSocketContext({ tcp: tcp.io, size: 512 });
		const store = shared.takeStore();
		shared.releaseStore(store);
		const spare = () => {
			const got = shared.takeStore();
			shared.releaseStore(got);
			return got === store;
		};
		return { shared, spare, tcp, options: { from: tcp.from } };
	}
	it("are in use during requests and packets in several frames only", () => {
		const { shared, spare, tcp, options } = setUpSpareStore();
		let read: number | undefined = 0;
		const onReadable = (bytes: number) => {
			if (bytes === 300) read = stream.read(new Uint8Array(300));
		};
		const stream = new WebSocketStream(shared, { ...options, onReadable });
		tcp.deliver(request());
		assert.equal(stream.state, STREAM_OPEN);
		assert.ok(spare());
		tcp.deliver(frame(BINARY, Buffer.alloc(100)));
		assert.ok(spare());
		tcp.deliver(frame(BINARY, Buffer.alloc(100)));
		assert.ok(!spare());
		tcp.deliver(frame(BINARY, Buffer.alloc(100)));
		assert.equal(read, 300);
		assert.ok(spare());
	});

	it("are released after a request is accepted, refused, cut off, or closed in a packet", () => {
		for (const [bytes, close] of [
			[request(), true],
			[Buffer.concat([request(), frame(BINARY, Buffer.alloc(10)), frame(BINARY, Buffer.alloc(10))]), true],
			[Buffer.from("POST / HTTP/1.1\r\n"), true],
			[Buffer.from("GET /"), true],
			[Buffer.from("GET /"), false],
		] as const) {
			const { shared, spare, tcp, options } = setUpSpareStore();
			const stream = new WebSocketStream(shared, options);
			tcp.deliver(bytes);
			if (close) stream.close();
			else tcp.end();
			assert.ok(spare());
		}
	});

	it("are not in use after a failed takeover of a socket", () => {
		const { shared, spare, tcp, options } = setUpSpareStore();
		tcp.peer.reset();
		tcp.run();
		assert.throws(() => new WebSocketStream(shared, options), /invalid from/);
		assert.ok(spare());
	});
});
