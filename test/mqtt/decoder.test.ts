import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Decoder, type DecoderHandler } from "../../src/mqtt/decoder";
import { Encoder } from "../../src/mqtt/encoder";
import { Packet } from "../../src/mqtt/packet";
import { publish } from "./arbitrary";
import { decode, oneByteChunks, RecordingHandler } from "./decoder-recorder";
import { bytes } from "./notation";
import { encodePlain, latin1Text, type PlainPacket } from "./plain-packet";

const PINGREQ = bytes("c000");
const HELLO = bytes("30 { s'a/b' 'hello' }");

class LineLog implements DecoderHandler {
	readonly lines: string[] = [];
	decoder: Decoder | undefined;
	/** Called at the start of each callback. */
	onLine: ((line: string, decoder: Decoder) => void) | undefined;

	#addLine(line: string): void {
		this.lines.push(line);
		if (this.decoder) this.onLine?.(line, this.decoder);
	}

	onPacket(packet: Packet): void {
		this.#addLine(`packet ${packet.type}`);
	}

	onPublish(packet: Packet): void {
		this.#addLine(
			`publish ${latin1Text(packet.bytes, packet.topicStart, packet.topicEnd)} ${packet.payloadLength}`,
		);
	}

	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		this.#addLine(`payload ${latin1Text(bytes, start, end)}${last ? "." : ""}`);
	}

	onError(reasonCode: number): void {
		this.#addLine(`error ${reasonCode.toString(16)}`);
	}
}

function createLogged(size = 64): { log: LineLog; decoder: Decoder } {
	const log = new LineLog();
	const decoder = new Decoder({ size, from: "client", version: 4, handler: log });
	log.decoder = decoder;
	return { log, decoder };
}

function concat(...parts: Uint8Array[]): Uint8Array {
	return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe("payloads", () => {
	it("longer than the buffer are streamed, under every split, and delivered whole where they fit", () => {
		const version = fc.constantFrom(4 as const, 5 as const);
		const payload = fc.string({ unit: fc.constantFrom("x", "\x00", "\xff"), maxLength: 600 });
		const packet = version.chain((version) =>
			fc.tuple(fc.constant(version), publish(version, "broker", payload)),
		);
		const split = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 40 });
		fc.assert(
			fc.property(packet, split, fc.integer({ min: 16, max: 700 }), ([version, packet], split, size) => {
				const encoder = new Encoder({ size: 4096, version });
				encodePlain(encoder, packet);
				const raw = Uint8Array.from(encoder.seal());
				assert.ok(packet.type === "PUBLISH");
				const header = raw.length - packet.payload.length;
				const expected = header > size ? [{ error: 0x95 }] : [{ packet }];
				for (const chunks of [[], split, oneByteChunks(raw)]) {
					const recorder = decode(raw, { version, from: "broker", size, split: chunks });
					assert.deepEqual(recorder.events, expected, recorder.message);
					if (raw.length <= size) assert.equal(recorder.pieces, 1);
				}
			}),
			{ numRuns: 400 },
		);
	});

	it("are streamed in pieces of the size received", () => {
		const { log, decoder } = createLogged(16);
		const raw = bytes(`30 { s'a' '${"0123456789".repeat(3)}' }`);
		decoder.push(raw, 0, 3);
		decoder.push(raw, 3, 10);
		decoder.push(raw, 10, 20);
		decoder.push(raw, 20, raw.length);
		assert.deepEqual(log.lines, [
			"publish a 30",
			"payload 01234",
			"payload 5678901234",
			"payload 567890123456789.",
		]);
	});

	it("of no bytes are delivered in one immediate call", () => {
		const { log, decoder } = createLogged();
		decoder.push(bytes("31 { s'a' }"), 0, 5);
		assert.deepEqual(log.lines, ["publish a 0", "payload ."]);
	});

	it("are not copied when the packet is in one chunk, else they are read from the buffer", () => {
		const arrays: Uint8Array[] = [];
		const decoder = new Decoder({
			size: 64,
			from: "client",
			version: 4,
			handler: {
				onPacket() {},
				onPublish: (packet) => arrays.push(packet.bytes),
				onPayload: (bytes) => arrays.push(bytes),
				onError() {},
			},
		});
		decoder.push(HELLO, 0, HELLO.length);
		assert.equal(arrays[0], HELLO);
		assert.equal(arrays[1], HELLO);
		decoder.push(HELLO, 0, 4);
		decoder.push(HELLO, 4, HELLO.length);
		assert.notEqual(arrays[2], HELLO);
		assert.equal(arrays[2], arrays[3]);
	});
});

describe("limits", () => {
	it("a packet above maximumPacketSize is rejected at the fixed header; one of that size is accepted", () => {
		const options = { version: 4, from: "client" } as const;
		assert.deepEqual(decode(HELLO, { ...options, maximumPacketSize: HELLO.length }).message, "");
		const raw = HELLO.slice(0, 2);
		assert.deepEqual(decode(raw, { ...options, maximumPacketSize: HELLO.length - 1 }).events, [
			{ error: 0x95 },
		]);
	});

	it("a packet other than PUBLISH must fit the buffer whole", () => {
		const fits = bytes("82 { 0001 s'a/b/c/d/e' 00 }");
		assert.equal(fits.length, 16);
		assert.equal(decode(fits, { version: 4, from: "client", size: 16 }).message, "");
		const larger = bytes("82 { 0001 s'a/b/c/d/ee' 00 }");
		for (const split of [[], oneByteChunks(larger)])
			assert.deepEqual(decode(larger, { version: 4, from: "client", size: 16, split }).events, [
				{ error: 0x95 },
			]);
	});

	it("the header of a PUBLISH must fit the buffer", () => {
		const fits = bytes(`30 { s'a234567890ab' '${"x".repeat(20)}' }`);
		assert.equal(decode(fits, { version: 4, from: "client", size: 16 }).message, "");
		const larger = bytes(`30 { s'a234567890abc' '${"x".repeat(20)}' }`);
		for (const split of [[], oneByteChunks(larger)])
			assert.deepEqual(decode(larger, { version: 4, from: "client", size: 16, split }).events, [
				{ error: 0x95 },
			]);
	});

	it("a header with inconsistent lengths is malformed however long the packet is", () => {
		const topic = bytes(`30 20 00ff '${"x".repeat(30)}'`);
		const properties = bytes(`30 20 0001 'a' 8000 '${"x".repeat(27)}'`);
		const tooLong = bytes(`30 20 0001 'a' 7f '${"x".repeat(28)}'`);
		for (const raw of [topic, properties, tooLong])
			for (const split of [[], oneByteChunks(raw)])
				assert.deepEqual(decode(raw, { version: 5, from: "client", size: 16, split }).events, [
					{ error: 0x81 },
				]);
	});
});

describe("handlers", () => {
	const stream = concat(PINGREQ, HELLO, PINGREQ);
	const all = ["packet 12", "publish a/b 5", "payload hello.", "packet 12"];

	it("receive everything in order", () => {
		const { log, decoder } = createLogged();
		decoder.push(stream, 0, stream.length);
		assert.deepEqual(log.lines, all);
		assert.equal(decoder.type, 12);
	});

	for (const [i, line] of all.entries()) {
		it(`stop() in "${line}" ends the callbacks, also for later chunks, until reset()`, () => {
			const { log, decoder } = createLogged();
			log.onLine = (_, decoder) => {
				if (log.lines.length === i + 1) decoder.stop();
			};
			decoder.push(stream, 0, stream.length);
			decoder.push(stream, 0, stream.length);
			assert.deepEqual(log.lines, all.slice(0, i + 1));
			log.lines.length = 0;
			log.onLine = undefined;
			decoder.reset();
			decoder.push(stream, 0, stream.length);
			assert.deepEqual(log.lines, all);
		});

		it(`reset() in "${line}" drops the rest of the chunk and reads the next one from its start`, () => {
			const { log, decoder } = createLogged();
			log.onLine = (_, decoder) => {
				if (log.lines.length === i + 1) decoder.reset();
			};
			decoder.push(stream, 0, stream.length);
			assert.deepEqual(log.lines, all.slice(0, i + 1));
			log.lines.length = 0;
			log.onLine = undefined;
			decoder.push(stream, 0, stream.length);
			assert.deepEqual(log.lines, all);
		});
	}

	it("may reset() and push() inside onError, as after a reconnect", () => {
		const { log, decoder } = createLogged();
		log.onLine = (line, decoder) => {
			if (!line.startsWith("error")) return;
			decoder.reset();
			decoder.push(PINGREQ, 0, 2);
		};
		decoder.push(concat(PINGREQ, bytes("00"), HELLO), 0, 3 + HELLO.length);
		assert.deepEqual(log.lines, ["packet 12", "error 81", "packet 12"]);
	});

	it("stop() while a long payload is streamed ends the callbacks", () => {
		const { log, decoder } = createLogged(16);
		const raw = bytes(`30 { s'a' '${"x".repeat(40)}' }`);
		log.onLine = (line, decoder) => {
			if (line.startsWith("payload")) decoder.stop();
		};
		decoder.push(raw, 0, 20);
		decoder.push(raw, 20, raw.length);
		assert.deepEqual(log.lines, ["publish a 40", `payload ${"x".repeat(15)}`]);
	});

	it("receive nothing after an error", () => {
		const { log, decoder } = createLogged();
		decoder.push(concat(bytes("c100"), PINGREQ), 0, 4);
		decoder.push(PINGREQ, 0, 2);
		assert.deepEqual(log.lines, ["error 81"]);
		assert.equal(decoder.type, 12);
	});
});

describe("versions", () => {
	it("CONNECT sets the decoder's version, also for the rest of the chunk", () => {
		const recorder = new RecordingHandler();
		const decoder = new Decoder({ size: 64, from: "client", handler: recorder });
		const four = concat(bytes("10 { s'MQTT' 04 02 0000 s'a' }"), HELLO);
		decoder.push(four, 0, four.length);
		assert.equal(decoder.version, 4);
		assert.equal(recorder.message, "");
		decoder.reset();
		assert.equal(decoder.version, 5);
		const five = concat(bytes("10 { s'MQTT' 05 02 0000 00 s'a' }"), bytes("30 { s'a/b' 00 'hello' }"));
		decoder.push(five, 0, five.length);
		assert.equal(decoder.version, 5);
		assert.deepEqual(
			recorder.events.map((event) => "packet" in event && (event.packet as PlainPacket).type),
			["CONNECT", "PUBLISH", "CONNECT", "PUBLISH"],
		);
	});

	it("a level of 0x84 is a bridge's over MQTT 3.1.1, and says nothing of the next CONNECT", () => {
		const found: (readonly [number, boolean, number])[] = [];
		const recorder = new RecordingHandler();
		recorder.onPacket = (packet) => {
			found.push([packet.version, packet.isBridge, packet.keepAlive]);
			return 0;
		};
		const decoder = new Decoder({ size: 64, from: "client", handler: recorder });
		for (const level of ["84", "04"]) {
			const packet = bytes(`10 { s'MQTT' ${level} 02 003c s'a' }`);
			decoder.push(packet, 0, packet.length);
			decoder.reset();
		}
		assert.deepEqual(found, [
			[4, true, 60],
			[4, false, 60],
		]);
	});

	it("a rejected CONNECT leaves the version for the answer", () => {
		for (const [raw, version] of [
			["10 { s'MQIsdp' 03 02 003c s'a' }", 4],
			["10 { s'MQTT' 03 02 003c s'a' }", 4],
			["10 { s'MQTT' 83 02 003c s'a' }", 4],
			["10 { s'MQTT' 04 03 003c s'a' }", 4],
			["10 { s'MQTT' 05 03 003c 00 s'a' }", 5],
			["10 { s'MQTT' 06 02 003c 00 s'a' }", 5],
		] as const) {
			const decoder = new Decoder({ size: 64, from: "client", handler: new RecordingHandler() });
			const packet = bytes(raw);
			decoder.push(packet, 0, packet.length);
			assert.equal(decoder.version, version, raw);
			assert.equal(decoder.type, 1);
		}
	});

	it("a broker's packets are read in the version that was set, also after reset()", () => {
		const recorder = new RecordingHandler();
		const decoder = new Decoder({ size: 64, from: "broker", handler: recorder });
		decoder.version = 4;
		decoder.reset();
		decoder.push(bytes("20020000"), 0, 4);
		assert.deepEqual(recorder.events, [
			{ packet: { type: "CONNACK", sessionPresent: false, reasonCode: 0, properties: [] } },
		]);
	});
});

describe("packets", () => {
	it("may be shared by decoders", () => {
		const packet = new Packet();
		const seen: boolean[] = [];
		const handler: DecoderHandler = {
			onPacket: (given) => seen.push(given === packet),
			onPublish() {},
			onPayload() {},
			onError() {},
		};
		for (let i = 0; i < 2; i++)
			new Decoder({ size: 16, from: "client", handler, packet }).push(PINGREQ, 0, 2);
		assert.deepEqual(seen, [true, true]);
	});

	it("expose QoS, DUP and retain", () => {
		const seen: unknown[] = [];
		const handler: DecoderHandler = {
			onPacket() {},
			onPublish: ({ qos, dup, retain }) => seen.push([qos, dup, retain]),
			onPayload() {},
			onError() {},
		};
		const decoder = new Decoder({ size: 64, from: "broker", version: 4, handler });
		for (const raw of ["30 { s'a' }", "33 { s'a' 0001 }", "3c { s'a' 0001 }"])
			decoder.push(bytes(raw), 0, bytes(raw).length);
		assert.deepEqual(seen, [
			[0, false, false],
			[1, false, true],
			[2, true, false],
		]);
	});

	it("can be read again after rewind()", () => {
		const filters: string[] = [];
		const handler: DecoderHandler = {
			onPacket(packet) {
				for (let round = 0; round < 2; round++) {
					while (packet.nextFilter())
						filters.push(latin1Text(packet.bytes, packet.filterStart, packet.filterEnd) + packet.options);
					packet.rewind();
				}
			},
			onPublish() {},
			onPayload() {},
			onError() {},
		};
		const raw = bytes("82 { 0001 s'a' 01 s'b' 02 }");
		new Decoder({ size: 16, from: "client", version: 4, handler }).push(raw, 0, raw.length);
		assert.deepEqual(filters, ["a1", "b2", "a1", "b2"]);
	});
});
