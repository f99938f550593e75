import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { PAGE_PIECE_SIZE } from "../../src/websocket/constants";
import type { Pages, WebSocketOptions } from "../../src/websocket/server";
import { CLOSED, READING_REQUEST, STREAM_OPEN } from "../../src/websocket/states";
import { KEY, request, VALID_FIELDS } from "./support/frames";
import { StreamHarness } from "./support/stream-harness";

/** Status of the response, 0 if there is none. */
function statusOf(bytes: Uint8Array, options: Partial<WebSocketOptions> = {}): number {
	const session = new StreamHarness(options);
	session.tcp.deliver(bytes);
	const answer = session.tcp.takeSent().toString("latin1");
	assert.deepEqual(session.exceptions, []);
	if (answer === "") return 0;
	const status = Number(/^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/.exec(answer)?.[1]);
	if (status === 101) {
		assert.equal(session.stream.state, STREAM_OPEN);
		assert.equal(session.errors, 0);
		assert.ok(session.writableRooms.length > 0);
	} else {
		assert.match(answer, /\r\nConnection: close\r\n/);
		assert.equal(session.stream.state, CLOSED);
		assert.equal(session.errors, 1);
		assert.equal(session.tcp.closed, 1);
		assert.deepEqual(session.writableRooms, []);
		if (status !== 200) {
			assert.deepEqual(session.refusals, [status]);
			const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
			assert.match(answer, new RegExp(`\r\nContent-Length: ${body.length}\r\n`));
		}
	}
	return status;
}

const EMPTY_PAGES: Pages = {
	get: (_request, reply) => reply.page(),
	writePiece: () => 0,
};

describe("the opening handshake", () => {
	it("is answered as in RFC 6455 §1.3, with the subprotocol mqtt [MQTT-6.0.0-4]", () => {
		const session = new StreamHarness();
		session.tcp.deliver(request());
		assert.equal(
			session.tcp.takeSent().toString(),
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
		);
		assert.equal(session.tcp.writes, 1);
	});

	it("is answered correctly for any key", () => {
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (nonce) => {
				const key = Buffer.from(nonce).toString("base64");
				const session = new StreamHarness();
				session.tcp.deliver(request({ "Sec-WebSocket-Key": key }));
				const accept = createHash("sha1")
					.update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
					.digest("base64");
				assert.ok(session.tcp.takeSent().toString().endsWith(`Sec-WebSocket-Accept: ${accept}\r\n\r\n`));
			}),
			{ numRuns: 50 },
		);
	});

	const rows: [why: string, status: number, bytes: Buffer][] = [
		["as it should be", 101, request()],
		["on /mqtt", 101, request({}, "GET /mqtt HTTP/1.1")],
		["with a query", 101, request({}, "GET /?token=1 HTTP/1.1")],
		["another path", 404, request({}, "GET /other HTTP/1.1")],
		["mqtt among other subprotocols", 101, request({ "Sec-WebSocket-Protocol": "mqttv3.1, mqtt" })],
		["mqtt in a second field", 101, request({ "Sec-WebSocket-Protocol": ["other", "mqtt"] })],
		["an empty element before it", 101, request({ "Sec-WebSocket-Protocol": " ,, mqtt ," })],
		["other subprotocols only [MQTT-6.0.0-3]", 400, request({ "Sec-WebSocket-Protocol": "mqttv3.1, mqtt5" })],
		["MQTT in upper case, which is another name", 400, request({ "Sec-WebSocket-Protocol": "MQTT" })],
		["no subprotocol [MQTT-6.0.0-3]", 400, request({ "Sec-WebSocket-Protocol": undefined })],
		[
			"names and tokens in any case",
			101,
			request({ Upgrade: "WebSocket", Connection: "keep-alive, UPGRADE" }),
		],
		["no Upgrade", 426, request({ Upgrade: undefined })],
		["another Upgrade", 426, request({ Upgrade: "h2c" })],
		["no Connection", 400, request({ Connection: undefined })],
		["another Connection", 400, request({ Connection: "keep-alive" })],
		["no version", 400, request({ "Sec-WebSocket-Version": undefined })],
		["version 8", 426, request({ "Sec-WebSocket-Version": "8" })],
		["version 013", 426, request({ "Sec-WebSocket-Version": "013" })],
		["version twice", 400, request({ "Sec-WebSocket-Version": ["13", "13"] })],
		["no key", 400, request({ "Sec-WebSocket-Key": undefined })],
		["a key of 15 bytes", 400, request({ "Sec-WebSocket-Key": Buffer.alloc(15).toString("base64") })],
		["a key of 17 bytes", 400, request({ "Sec-WebSocket-Key": Buffer.alloc(17).toString("base64") })],
		["a key of 18 bytes", 400, request({ "Sec-WebSocket-Key": Buffer.alloc(18).toString("base64") })],
		["a key that is no base64", 400, request({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ*=" })],
		["key twice", 400, request({ "Sec-WebSocket-Key": [KEY, KEY] })],
		["no Host", 400, request({ Host: undefined })],
		["an empty Host", 400, request({ Host: "" })],
		["Host twice", 400, request({ Host: ["127.0.0.1", "127.0.0.1"] })],
		[
			"extensions, of which none is taken",
			101,
			request({ "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" }),
		],
		["a cookie larger than the store", 101, request({ Cookie: "x".repeat(3000) })],
		["text above ASCII in a field", 101, request({ "X-Name": "\xe9" })],
		["POST", 405, request({}, "POST / HTTP/1.1")],
		["HEAD", 405, request({}, "HEAD / HTTP/1.1")],
		["get, which is another method", 405, request({}, "get / HTTP/1.1")],
		["HTTP/1.0", 505, request({}, "GET / HTTP/1.0")],
		["HTTP/2.0", 505, request({}, "GET / HTTP/2.0")],
		["no version of HTTP", 400, request({}, "GET /")],
		["another protocol", 400, request({}, "GET / GOPHER/1")],
		["a full URL", 400, request({}, "GET http://127.0.0.1/ HTTP/1.1")],
		["two spaces", 400, request({}, "GET  / HTTP/1.1")],
		["a control character in the path", 400, request({}, "GET /\x01 HTTP/1.1")],
		["LF without CR", 400, Buffer.from(request().toString().replaceAll("\r\n", "\n"))],
		["CR without LF", 400, Buffer.from(request().toString().replace("\r\n", "\r"))],
		["a space before a colon", 400, request({ "X-Name ": "1" })],
		["a folded line", 400, request({ "X-Name": "1\r\n 2" })],
		["a line without a name", 400, request({ "": "1" })],
		["NUL in a field", 400, request({ "X-Name": "\0" })],
		["content", 400, request({ "Content-Length": "5" })],
		["no content, said so", 101, request({ "Content-Length": "0" })],
		["content of unknown length", 400, request({ "Transfer-Encoding": "chunked" })],
		["an empty line before it", 400, Buffer.concat([Buffer.from("\r\n"), request()])],
		["an MQTT CONNECT", 400, Buffer.from("101000044d5154540402003c0000", "hex")],
		["a TLS ClientHello", 400, Buffer.from("160301", "hex")],
		["a request line of 256 bytes", 101, request({}, `GET /?${"q".repeat(256 - 16)} HTTP/1.1`)],
		["a request line of 257 bytes", 414, request({}, `GET /?${"q".repeat(257 - 16)} HTTP/1.1`)],
		[
			"64 fields",
			101,
			request({ ...Object.fromEntries(Array.from({ length: 64 - 6 }, (_, i) => [`X-${i}`, "1"])) }),
		],
		[
			"65 fields",
			431,
			request({ ...Object.fromEntries(Array.from({ length: 65 - 6 }, (_, i) => [`X-${i}`, "1"])) }),
		],
		["a request of 8192 bytes", 101, request({ X: "1".repeat(8192 - 5 - request().length) })],
		["a request of 8193 bytes", 431, request({ X: "1".repeat(8193 - 5 - request().length) })],
		["what is to be kept is larger than the store", 431, request({ Authorization: "x".repeat(500) })],
		["a list that is larger than the store", 431, request({ "Sec-WebSocket-Protocol": "x,".repeat(300) })],
	];
	for (const [reason, status, bytes] of rows)
		it(`${status}: ${reason}`, () => assert.equal(statusOf(bytes), status));

	it("a refusal names the supported version and subprotocol", () => {
		const answer = (bytes: Buffer) => {
			const session = new StreamHarness();
			session.tcp.deliver(bytes);
			return session.tcp.takeSent().toString();
		};
		assert.match(
			answer(request({ "Sec-WebSocket-Version": "8" })),
			/\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n/,
		);
		assert.match(answer(request({}, "PUT / HTTP/1.1")), /\r\nAllow: GET\r\n/);
	});

	it("waits for room", () => {
		const session = new StreamHarness({}, { room: 100 });
		session.tcp.deliver(request());
		assert.equal(session.tcp.takeSent().length, 0);
		assert.deepEqual(session.writableRooms, []);
		session.tcp.readByPeer(PAGE_PIECE_SIZE - 100 - 1);
		assert.equal(session.tcp.takeSent().length, 0);
		session.tcp.readByPeer(1);
		assert.match(session.tcp.takeSent().toString(), /^HTTP\/1.1 101 /);
		assert.equal(session.writableRooms.length, 1);
	});

	it("a request in any pieces is answered the same, and what follows it is not lost", () => {
		const requests = rows.map(([, , bytes]) => bytes);
		fc.assert(
			fc.property(
				fc.constantFrom(...requests),
				fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
				(bytes, sizes) => {
					const whole = new StreamHarness();
					whole.tcp.deliver(bytes);
					const pieces = new StreamHarness();
					for (let at = 0, i = 0; at < bytes.length; i++) {
						const size = sizes[i % sizes.length];
						pieces.tcp.deliver(bytes.subarray(at, at + size));
						at += size;
					}
					assert.deepEqual(pieces.tcp.takeSent(), whole.tcp.takeSent());
					assert.equal(pieces.stream.state, whole.stream.state);
				},
			),
			{ numRuns: 300 },
		);
		const early = new StreamHarness();
		early.tcp.deliver(Buffer.concat([request(), Buffer.from("828300000000010203", "hex")]));
		assert.deepEqual([...early.received], [1, 2, 3]);
	});

	it("an incomplete request is waited for", () => {
		const session = new StreamHarness();
		session.tcp.deliver(request().subarray(0, -1));
		assert.equal(session.stream.state, READING_REQUEST);
		session.stream.close();
		assert.equal(session.tcp.takeSent().length, 0);
	});
});

describe("Host", () => {
	for (const host of [
		"127.0.0.1",
		"10.0.0.1:80",
		"255.255.255.255:65535",
		"[::1]:8080",
		"[fe80::1]",
		"[::ffff:1.2.3.4]",
		"localhost",
		"LOCALHOST:8080",
		"greenhouse.local:8080",
		"greenhouse-2.local:8080",
		"GREENHOUSE-9999.Local",
	])
		it(`${host} is accepted`, () =>
			assert.equal(statusOf(request({ Host: host }), { hosts: ["Greenhouse.local"] }), 101));
	for (const host of [
		"evil.example",
		"evil.example:8080",
		"127.0.0.1.evil.example",
		"1.2.3",
		"1.2.3.4.5",
		"256.1.1.1",
		"1.2.3.4.",
		"1..2.3",
		"0x7f.0.0.1",
		"[evil]",
		"[]",
		"localhost.evil.example",
		"localhos",
		"xlocalhost",
		"other.local",
		"greenhouse-.local",
		"greenhouse-02.local",
		"greenhouse-2x.local",
		"greenhouse-10000.local",
		"greenhouse2.local",
		"greenhous-2.local",
		"greenhouse-2.local.evil.example",
		"greenhouse.local-2",
	])
		it(`${host} is rejected (DNS rebinding)`, () => {
			assert.equal(statusOf(request({ Host: host }), { hosts: ["greenhouse.local"] }), 421);
			assert.equal(
				statusOf(
					request({
						Host: host,
						Upgrade: undefined,
						"Sec-WebSocket-Key": undefined,
						"Sec-WebSocket-Version": undefined,
					}),
					{
						pages: EMPTY_PAGES,
					},
				),
				421,
			);
		});
	it("localhost-2, and a number at a name that is not of Multicast DNS: rejected", () => {
		for (const host of ["localhost-2", "panel-2.example", "-2.local"])
			assert.equal(statusOf(request({ Host: host }), { hosts: ["panel.example", ".local"] }), 421, host);
	});
	for (const host of [":80", "[::1", "[::1]x", "1.2.3.4:x", "1.2.3.4:123456", "a:b:c"])
		it(`${host} is malformed`, () => assert.equal(statusOf(request({ Host: host })), 400));
});

describe("Origin", () => {
	const origin = (
		Origin: string | string[] | undefined,
		Host = VALID_FIELDS.Host,
		options: Partial<WebSocketOptions> = {},
	) => statusOf(request({ Origin, Host }), options);
	it("may be absent: not a browser", () => assert.equal(origin(undefined), 101));
	it("may be the server's own", () => {
		assert.equal(origin("http://192.168.1.10:8080"), 101);
		assert.equal(origin("https://192.168.1.10:8080"), 101);
		assert.equal(origin("http://LocalHost:8080", "localhost:8080"), 101);
		assert.equal(origin("http://127.0.0.1", "127.0.0.1"), 101);
		assert.equal(origin("http://[::1]:8080", "[::1]:8080"), 101);
	});
	for (const foreign of [
		"https://evil.example",
		"http://192.168.1.10",
		"http://192.168.1.10:80801",
		"http://192.168.1.1:8080",
		"null",
		"",
		"http://",
		"file://192.168.1.10:8080",
		"192.168.1.10:8080",
		"http://192.168.1.10:8080/",
	])
		it(`"${foreign}" is rejected`, () => assert.equal(origin(foreign), 403));
	it("is checked on loopback, too", () => {
		assert.equal(origin("https://evil.example", "127.0.0.1:8080"), 403);
		assert.equal(origin("http://localhost:3000", "localhost:8080"), 403);
	});
	it("is accepted if listed", () => {
		const origins = ["https://Panel.example", "null"];
		assert.equal(origin("https://panel.example", undefined, { origins }), 101);
		assert.equal(origin("null", undefined, { origins }), 101);
		assert.equal(origin("http://panel.example", undefined, { origins }), 403);
		assert.equal(origin("https://panel.example:444", undefined, { origins }), 403);
	});
	it("is accepted if the list has *", () =>
		assert.equal(origin("https://evil.example", undefined, { origins: ["*"] }), 101));
	it("must not be repeated", () =>
		assert.equal(origin(["http://192.168.1.10:8080", "http://192.168.1.10:8080"]), 400));
});
