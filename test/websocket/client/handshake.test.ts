import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ResponseParser } from "../../../src/websocket/client/response-parser";
import { acceptOf, answer, ClientHarness } from "./client-harness";

test("the request is that of RFC 6455 §4.1, and asks for mqtt [MQTT-6.0.0-3]", () => {
	const request = new ClientHarness().connect();
	const lines = request.split("\r\n");
	assert.equal(lines[0], "GET /mqtt HTTP/1.1");
	const fields = new Map(lines.slice(1, -2).map((line) => line.split(": ") as [string, string]));
	const key = fields.get("Sec-WebSocket-Key") ?? "";
	fields.delete("Sec-WebSocket-Key");
	assert.deepEqual(Object.fromEntries(fields), {
		Host: "broker.example:9001",
		Upgrade: "websocket",
		Connection: "Upgrade",
		"Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Protocol": "mqtt",
	});
	assert.equal(Buffer.from(key, "base64").length, 16);
	assert.ok(request.endsWith("\r\n\r\n"));
});

test("Host leaves the scheme's own port away, and brackets an IPv6 address", () => {
	const hostOf = (host: string, port: number, defaultPort: number) =>
		/Host: (.*)\r/.exec(new ClientHarness({ host, port, defaultPort }).connect())?.[1];
	assert.equal(hostOf("b", 80, 80), "b");
	assert.equal(hostOf("b", 443, 443), "b");
	assert.equal(hostOf("b", 443, 80), "b:443");
	assert.equal(hostOf("fe80::1", 9001, 80), "[fe80::1]:9001");
});

test("each connection has a key of its own", () => {
	const keys = new Set(Array.from({ length: 50 }, () => new ClientHarness().connect()));
	assert.equal(keys.size, 50);
});

test("the answer of RFC 6455 §1.3 opens the socket, in any pieces and any case of names", () => {
	for (let size = 1; size < 200; size += 7) {
		const harness = new ClientHarness();
		const accept = acceptOf(harness.connect());
		const text = answer(accept, { Upgrade: "WebSocket", Connection: "keep-alive, upgrade" }).replace(
			"Sec-WebSocket-Accept",
			"SEC-WebSocket-accept",
		);
		assert.deepEqual(harness.rooms, []);
		for (let at = 0; at < text.length; at += size)
			harness.server.deliver(Buffer.from(text.slice(at, at + size), "latin1"));
		assert.equal(harness.rooms.length, 1, `pieces of ${size}`);
		assert.deepEqual(harness.failures, []);
	}
});

const rows: readonly (readonly [
	what: string,
	message: RegExp,
	fault: string,
	text: (accept: string) => string,
])[] = [
	["another accept", /Accept does not match/, "configuration", () => answer("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")],
	["no accept", /lacks Upgrade/, "configuration", (a) => answer(a, { "Sec-WebSocket-Accept": undefined })],
	["no upgrade", /lacks Upgrade/, "configuration", (a) => answer(a, { Upgrade: undefined })],
	["another upgrade", /lacks Upgrade/, "configuration", (a) => answer(a, { Upgrade: "h2c" })],
	["no connection", /lacks Upgrade/, "configuration", (a) => answer(a, { Connection: "close" })],
	[
		"no subprotocol",
		/does not speak MQTT/,
		"configuration",
		(a) => answer(a, { "Sec-WebSocket-Protocol": undefined }),
	],
	[
		"another subprotocol",
		/not offered/,
		"configuration",
		(a) => answer(a, { "Sec-WebSocket-Protocol": "MQTT" }),
	],
	[
		"an extension",
		/extension/,
		"configuration",
		(a) => answer(a, { "Sec-WebSocket-Extensions": "permessage-deflate" }),
	],
	["status 200", /status 200/, "configuration", (a) => answer(a, {}, "HTTP/1.1 200 OK")],
	["status 404", /status 404/, "configuration", (a) => answer(a, {}, "HTTP/1.1 404 Not Found")],
	[
		"status 421, of a server that has another name",
		/status 421: it is not called by this name/,
		"configuration",
		(a) => answer(a, {}, "HTTP/1.1 421 Misdirected Request"),
	],
	["status 503", /status 503/, "resource", (a) => answer(a, {}, "HTTP/1.1 503 Busy")],
	[
		"HTTP/1.0",
		/does not speak HTTP/,
		"configuration",
		(a) => answer(a, {}, "HTTP/1.0 101 Switching Protocols"),
	],
	["MQTT", /not HTTP/, "configuration", () => "\x20\x02\x00\x00"],
	["a line without LF", /CR without LF/, "configuration", () => "HTTP/1.1 101 x\r!"],
	[
		"a name with a space",
		/malformed/,
		"configuration",
		() => "HTTP/1.1 101 x\r\nUpgrade : websocket\r\n\r\n",
	],
	["a control character", /control/, "configuration", () => "HTTP/1.1 101 x\r\nServer: \0\r\n\r\n"],
	[
		"a head without end",
		/longer than 8192/,
		"configuration",
		() => `HTTP/1.1 101 x\r\nServer: ${"x".repeat(9000)}`,
	],
];
for (const [what, message, fault, text] of rows)
	test(`${what}: the connection fails, and says why`, () => {
		const harness = new ClientHarness();
		harness.server.deliver(Buffer.from(text(acceptOf(harness.connect())), "latin1"));
		assert.equal(harness.failures.length, 1);
		assert.match(harness.failures[0]!.message, message);
		assert.equal(harness.failures[0]!.fault, fault);
		assert.deepEqual(harness.rooms, []);
		assert.equal(harness.socket.write(Uint8Array.of(1)), undefined);
		assert.equal(harness.socket.read(new Uint8Array(1)), undefined);
	});

test("a server that closes before its answer: the connection fails, and says so", () => {
	const harness = new ClientHarness();
	harness.connect();
	harness.server.fail();
	assert.match(harness.failures[0]!.message, /closed before it answered/);
	assert.equal(new ClientHarness().failures.length, 0);
});

for (const how of ["throws", "returns undefined"] as const)
	test(`a request that TCP cannot take, as its peer has gone (write ${how}): the connection fails once`, () => {
		const harness = new ClientHarness();
		harness.server.write = () => {
			if (how === "throws") throw new Error("write failed");
			return undefined;
		};
		harness.server.grant();
		harness.server.grant();
		assert.deepEqual(harness.failures, [
			{ fault: "transport", message: "the connection ended before the WebSocket request" },
		]);
		harness.socket.close();
	});

test("TCP that is refused: no reason of our own", () => {
	const harness = new ClientHarness();
	harness.server.fail();
	assert.deepEqual(harness.failures, [undefined]);
});

test("frames right behind the answer are delivered, after the socket was announced", () => {
	const harness = new ClientHarness();
	const head = Buffer.from(answer(acceptOf(harness.connect())), "latin1");
	harness.server.deliver(Buffer.concat([head, Buffer.from("820148", "hex")]));
	assert.equal(harness.rooms.length, 1);
	assert.equal(harness.received.toString(), "H");
});

test("random answers: the parser ends with a problem or wants more, and never reads beyond the head", () => {
	const accept = Buffer.from("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	const valid = answer(accept.toString());
	const mutated = fc
		.array(fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 })
		.map((changes) => {
			const bytes = Buffer.from(valid, "latin1");
			for (const [at, byte] of changes) bytes[at] = byte;
			return bytes;
		});
	fc.assert(
		fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (bytes) => {
			const parser = new ResponseParser(accept);
			let at = 0;
			while (at < bytes.length && parser.problem === undefined && !parser.isComplete) {
				const end = Math.min(at + parser.wantedBytes, bytes.length);
				parser.push(bytes, at, end);
				at = end;
			}
			if (!parser.isComplete || parser.problem !== undefined) return;
			const text = Buffer.from(bytes.subarray(0, at)).toString("latin1");
			assert.ok(text.endsWith("\r\n\r\n") && text.indexOf("\r\n\r\n") === text.length - 4);
			assert.match(text, /^HTTP\/1\.1 101/);
			assert.match(text, /\r\nsec-websocket-accept:[ \t]*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=[ \t]*\r\n/i);
			assert.match(text, /\r\nsec-websocket-protocol:[ \t]*mqtt[ \t]*\r\n/i);
		}),
		{ numRuns: 5000 },
	);
});
