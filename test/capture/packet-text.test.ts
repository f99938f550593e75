import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { ConnectionTrace } from "../../sim/capture/connection-trace";
import { packetText } from "../../sim/capture/packet-text";
import { ACK, SYN } from "../../sim/capture/tap";
import type { TracedPacket } from "../../sim/capture/traced-packet";

/** A traced connection whose two streams are written by hand. */
class Conversation {
	readonly packets: TracedPacket[] = [];
	readonly #trace = new ConnectionTrace((packet) => this.packets.push(packet));
	readonly #positions = { client: 0, server: 0 };
	readonly #version: 4 | 5;

	constructor(version: 4 | 5) {
		this.#version = version;
		this.#trace.client.segment(SYN, 0, new Uint8Array(0), 0, 0);
		this.#trace.server.segment(SYN | ACK, 0, new Uint8Array(0), 0, 0);
	}

	get lines(): string[] {
		return this.packets.map(packetText);
	}

	/** @param pieceSize bytes of a segment */
	send(from: "client" | "server", packet: Packet | Uint8Array | string, pieceSize = 1440): this {
		const bytes =
			typeof packet === "string"
				? Buffer.from(packet)
				: packet instanceof Uint8Array
					? packet
					: generate(packet, { protocolVersion: this.#version });
		for (let at = 0; at < bytes.length; at += pieceSize) {
			const piece = bytes.subarray(at, at + pieceSize);
			this.#trace[from].segment(ACK, this.#positions[from], piece, 0, 0);
			this.#positions[from] += piece.length;
		}
		return this;
	}

	connect(): this {
		return this.send("client", {
			cmd: "connect",
			protocolId: "MQTT",
			protocolVersion: this.#version,
			clean: true,
			clientId: "ben",
			keepalive: 0,
		});
	}
}

describe("packets as text", () => {
	test("every packet type of MQTT 5.0, in both directions", () => {
		const conversation = new Conversation(5)
			.send("client", {
				cmd: "connect",
				protocolId: "MQTT",
				protocolVersion: 5,
				clean: false,
				clientId: "green house",
				keepalive: 60,
				username: "anna",
				password: Buffer.from("secret"),
				properties: { sessionExpiryInterval: 3600, userProperties: { a: ["b", "c"] } },
				will: {
					topic: "home/status",
					payload: Buffer.from("gone"),
					qos: 1,
					retain: true,
					properties: { willDelayInterval: 5 },
				},
			})
			.send("server", {
				cmd: "connack",
				reasonCode: 0,
				sessionPresent: true,
				properties: { maximumQoS: 1, reasonString: 'a "b"' },
			})
			.send("client", {
				cmd: "subscribe",
				messageId: 1,
				subscriptions: [
					{ topic: "home/#", qos: 1 },
					{ topic: "a b", qos: 0, nl: true, rap: true, rh: 2 },
				],
				properties: { subscriptionIdentifier: 200 },
			})
			.send("server", { cmd: "suback", messageId: 1, granted: [1, 0x87] })
			.send("client", {
				cmd: "publish",
				messageId: 7,
				topic: "home/x/temperature",
				payload: "21.4",
				qos: 1,
				retain: true,
				dup: false,
			})
			.send("server", { cmd: "puback", messageId: 7, reasonCode: 0x10 })
			.send("client", {
				cmd: "publish",
				messageId: 8,
				topic: "",
				payload: Buffer.from([0xff, 0, 1]),
				qos: 2,
				retain: false,
				dup: true,
				properties: { topicAlias: 3, correlationData: Buffer.from([1, 2]) },
			})
			.send("server", { cmd: "pubrec", messageId: 8 })
			.send("client", { cmd: "pubrel", messageId: 8 })
			.send("server", { cmd: "pubcomp", messageId: 8 })
			.send("client", { cmd: "unsubscribe", messageId: 2, unsubscriptions: ["home/#", "b"] })
			.send("server", { cmd: "unsuback", messageId: 2, granted: [0, 0x11] } as never)
			.send("client", { cmd: "pingreq" })
			.send("server", { cmd: "pingresp" })
			.send("client", {
				cmd: "auth",
				reasonCode: 0x19,
				properties: { authenticationMethod: "m", authenticationData: Buffer.from("secret") },
			})
			.send("server", { cmd: "disconnect", reasonCode: 0x8e });
		assert.deepEqual(conversation.lines, [
			'→ CONNECT 5.0 client "green house", keep alive 60 s, user anna, password: 6 bytes, ' +
				'will q1 r home/status "gone" {will delay interval 5} ' +
				'{session expiry interval 3600, user property "a=b", user property "a=c"}',
			'← CONNACK session present {maximum QoS 1, reason string "a \\"b\\""}',
			'→ SUBSCRIBE id 1 home/# q1, "a b" q0 no local retain as published retain handling 2 ' +
				"{subscription identifier 200}",
			"← SUBACK id 1 q1, 0x87 Not authorized",
			'→ PUBLISH q1 r id 7 home/x/temperature "21.4"',
			"← PUBACK id 7 0x10 No matching subscribers",
			'→ PUBLISH q2 dup id 8 0xff0001 {topic alias 3, correlation data "0x0102"}',
			"← PUBREC id 8",
			"→ PUBREL id 8",
			"← PUBCOMP id 8",
			"→ UNSUBSCRIBE id 2 home/#, b",
			"← UNSUBACK id 2 0x00 Success, 0x11 No subscription existed",
			"→ PINGREQ",
			"← PINGRESP",
			'→ AUTH 0x19 Re-authenticate {authentication method "m", authentication data "6 bytes"}',
			"← DISCONNECT 0x8e Session taken over",
		]);
		assert.doesNotMatch(JSON.stringify(conversation.packets), /secret/);
	});

	test("MQTT 3.1.1: the broker's packets have the version of CONNECT", () => {
		const conversation = new Conversation(4)
			.connect()
			.send("server", { cmd: "connack", returnCode: 5, sessionPresent: false })
			.send("client", { cmd: "publish", topic: "a", payload: "", qos: 0, retain: false, dup: false })
			.send("server", { cmd: "suback", messageId: 3, granted: [2, 128] })
			.send("server", { cmd: "unsuback", messageId: 4 } as never)
			.send("client", { cmd: "disconnect" });
		assert.deepEqual(conversation.lines, [
			"→ CONNECT 3.1.1 client ben, clean start, keep alive 0 s",
			"← CONNACK 0x87 Not authorized",
			'→ PUBLISH q0 a ""',
			"← SUBACK id 3 q2, 0x80 Unspecified error",
			"← UNSUBACK id 4",
			"→ DISCONNECT",
		]);
	});

	test("a packet in any number of segments is one line, with its size; a repeated segment adds none", () => {
		const whole = new Conversation(4).connect();
		const pieces = new Conversation(4);
		const publish = {
			cmd: "publish",
			topic: "a/b",
			payload: "x".repeat(3000),
			qos: 0,
			retain: false,
		} as const;
		pieces.connect().send("client", { ...publish, dup: false }, 7);
		whole.send("client", { ...publish, dup: false }, 100_000);
		assert.deepEqual(pieces.packets, whole.packets);
		assert.equal(pieces.packets[1]?.size, 3 + 5 + 3000);

		const trace: TracedPacket[] = [];
		const { client } = new ConnectionTrace((packet) => trace.push(packet));
		const stream = Buffer.concat([1, 2, 3].map(() => generate({ cmd: "pingreq" })));
		const send = (start: number, end: number): void =>
			client.segment(ACK, start, stream.subarray(start, end), 0, 0);
		send(0, 2);
		send(0, 2);
		send(4, 6);
		assert.equal(trace.length, 1, "not decoded before the bytes that are missing");
		send(1, 3);
		send(2, 6);
		assert.deepEqual(
			trace.map(({ packet }) => packet),
			["PINGREQ", "PINGREQ", "PINGREQ"],
		);
	});

	test("payloads are cut after 200 bytes, not within a character", () => {
		const publish = (payload: string | Buffer): string =>
			new Conversation(4)
				.connect()
				.send("client", { cmd: "publish", topic: "t", payload, qos: 0, retain: false, dup: false })
				.lines.at(-1) ?? "";
		assert.equal(publish("y".repeat(200)), `→ PUBLISH q0 t "${"y".repeat(200)}"`);
		assert.equal(publish("y".repeat(201)), `→ PUBLISH q0 t "${"y".repeat(200)}" … 201 bytes`);
		assert.equal(publish(`y${"°".repeat(150)}`), `→ PUBLISH q0 t "y${"°".repeat(99)}" … 301 bytes`);
		assert.equal(publish(Buffer.alloc(200_000, 0xfe)), `→ PUBLISH q0 t 0x${"fe".repeat(200)} … 200000 bytes`);
		assert.equal(publish("0x12"), '→ PUBLISH q0 t "0x12"');
	});

	test("characters that would control a terminal are escaped", () => {
		const line = new Conversation(4)
			.connect()
			.send("client", {
				cmd: "publish",
				topic: "a\u202eb",
				payload: "\u001b[31m\n\t\u0085\\\u2028\ufeff",
				qos: 0,
				retain: false,
				dup: false,
			})
			.lines.at(-1);
		assert.equal(line, '→ PUBLISH q0 "a\\u{202e}b" "\\u{1b}[31m\\n\\t\\u{85}\\\\\\u{2028}\\u{feff}"');
	});

	test("what is no MQTT is shown in hexadecimal", () => {
		const conversation = new Conversation(4)
			.connect()
			.send(
				"client",
				Buffer.concat([generate({ cmd: "pingreq" }), Buffer.from("\u007f\u0000hello, world\n")]),
			)
			.send("client", "and more than is shown")
			.send("server", generate({ cmd: "pingresp" }));
		assert.deepEqual(conversation.lines.slice(1), [
			"→ PINGREQ",
			"→ malformed (reserved flags) 15 bytes 0x7f0068656c6c6f2c20776f726c640a",
			"→ undecoded 22 bytes 0x616e64206d6f7265207468616e206973…",
			"← PINGRESP",
		]);
	});

	test("MQTT over WebSocket is unwrapped, whatever the frames", () => {
		const ping = generate({ cmd: "pingreq" });
		const masked = (first: number, payload: Uint8Array): Buffer =>
			Buffer.from([
				first,
				0x80 | payload.length,
				1,
				2,
				3,
				4,
				...payload.map((byte, i) => byte ^ ((i & 3) + 1)),
			]);
		const conversation = new Conversation(4)
			.send("client", "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n", 5)
			.send("server", "HTTP/1.1 101 Switching Protocols\r\n\r\n")
			.send("client", masked(0x02, ping.subarray(0, 1)))
			.send("client", masked(0x89, Buffer.from("hi")))
			.send("client", masked(0x80, ping.subarray(1)), 1)
			.send("server", Buffer.from([0x82, 126, 0, 2, ...generate({ cmd: "pingresp" })]))
			.send("server", Buffer.from([0x88, 2, 3, 0xe8]));
		assert.deepEqual(conversation.lines, [
			"→ HTTP GET /mqtt",
			"← HTTP 101 Switching Protocols",
			"→ WebSocket ping",
			"→ PINGREQ",
			"← PINGRESP",
			"← WebSocket close 1000",
		]);
	});

	test("a page is a request and a response", () => {
		const conversation = new Conversation(4)
			.send("client", "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			.send("server", "HTTP/1.1 200 OK\r\n\r\n<html>")
			.send("server", "</html>");
		assert.deepEqual(conversation.lines, ["→ HTTP GET /", "← HTTP 200 OK"]);
	});

	test("any bytes in any pieces are one line each, and never an exception", () => {
		const starts = ["GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1 101 x\r\n\r\n", ""];
		fc.assert(
			fc.property(
				fc.constantFrom(...starts),
				fc.constantFrom(...starts),
				fc.array(fc.tuple(fc.constantFrom("client", "server"), fc.uint8Array({ minLength: 1 }))),
				(client, server, pieces) => {
					const conversation = new Conversation(4).send("client", client).send("server", server);
					for (const [from, bytes] of pieces) conversation.send(from, bytes, 3);
					for (const line of conversation.lines) assert.match(line, /^[→←] \P{Cc}+$/u);
				},
			),
		);
	});
});
