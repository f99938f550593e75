import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { measure } from "./support/xs-cost";

const { costs, memory } = await measure(`
import { PBKDF2 } from "crypto/pbkdf2";
import { SHA256 } from "crypto/sha256";
import { WebSocketServer } from "websocket/server";
import { utf8 } from "mqtt/utf8";
import { InMachineSocket } from "in-machine-socket";

function frame(opcode, payload, fin = true) {
	const { length } = payload;
	const head = [opcode | (fin ? 0x80 : 0), 0x80 | (length < 126 ? length : 126)];
	if (length > 125) head.push(length >> 8, length & 255);
	head.push(1, 2, 3, 4);
	const bytes = new Uint8Array(head.length + length);
	bytes.set(head, 0);
	for (let i = 0; i < length; i++) bytes[head.length + i] = payload[i] ^ (1 + (i & 3));
	return bytes;
}
function join(...parts) {
	let length = 0;
	for (const part of parts) length += part.length;
	const all = new Uint8Array(length);
	length = 0;
	for (const part of parts) { all.set(part, length); length += part.length; }
	return all;
}
const payload = (length) => new Uint8Array(length).map((_, i) => i);

const request = utf8("GET /mqtt HTTP/1.1\\r\\nHost: 192.168.1.10:8080\\r\\nConnection: Upgrade\\r\\nPragma: no-cache\\r\\nCache-Control: no-cache\\r\\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\\r\\nUpgrade: websocket\\r\\nOrigin: http://192.168.1.10:8080\\r\\nSec-WebSocket-Version: 13\\r\\nAccept-Encoding: gzip, deflate\\r\\nAccept-Language: en-GB,en;q=0.9\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\\r\\nSec-WebSocket-Protocol: mqtt\\r\\n\\r\\n");

const buffer = new ArrayBuffer(512, { maxByteLength: 512 });
const view = new Uint8Array(buffer);
const donor = new InMachineSocket({});
let server;
let stream;
let socket;
let wanted = 512;
let got = 0;
function open() {
	stream = new server.io({
		from: donor,
		onReadable(bytes) {
			while (bytes >= wanted) {
				buffer.resize(wanted);
				stream.read(view);
				bytes -= wanted;
				got++;
			}
		},
		onWritable() {},
		onError() {},
	});
	socket = InMachineSocket.last;
	socket.grant();
	socket.deliver(request);
}
const streams = [];
memory("base", () => {});
memory("server", () => { server = new WebSocketServer({ tcp: InMachineSocket, size: 512 }); });
memory("first stream", () => open());
memory("4 more, with their sockets", () => { for (let i = 0; i < 4; i++) { streams.push(stream); open(); } });
memory("4 sockets", () => {
	for (let i = 0; i < 4; i++)
		streams.push(new InMachineSocket({ from: undefined, onReadable() {}, onWritable() {}, onError() {} }));
});
// What of the costs is the socket's, which copies byte by byte
for (const length of [64, 125, 500]) measure("socket: read " + length + " bytes", (count) => {
	buffer.resize(length);
	socket.input = payload(length);
	for (let i = 0; i < count; i++) { socket.at = 0; socket.end = length; socket.read(view); }
});
measure("loop", (count) => { for (let i = 0; i < count; i++); });

function reading(name, size, ...frames) {
	const bytes = join(...frames);
	measure(name, (count) => {
		wanted = size;
		const before = got;
		for (let i = 0; i < count; i++) socket.deliver(bytes);
		if (size < 1000 && got - before !== count) throw new Error(name + ": " + (got - before));
	});
}
const five = payload(64);
const large = payload(500);
reading("read 64 bytes in a frame", 64, frame(2, five));
reading("read 500 bytes in a frame", 500, frame(2, large));
for (const [whole, middle] of [[five, 33], [large, 301]])
	reading(
		"read " + whole.length + " bytes in three fragments",
		whole.length,
		frame(2, whole.slice(0, 1), false),
		frame(0, whole.slice(1, middle), false),
		frame(0, whole.slice(middle)),
	);
reading("ping of 8 bytes", 1000, frame(9, payload(8)));
reading("ping of 125 bytes", 1000, frame(9, payload(125)));
for (const length of [64, 500]) {
	const bytes = payload(length);
	measure("write " + length + " bytes", (count) => { for (let i = 0; i < count; i++) stream.write(bytes); });
}
measure("handshake", (count) => { for (let i = 0; i < count; i++) { open(); stream.close(); } });

const kdf = new PBKDF2();
const hash = new SHA256();
const password = utf8("correct horse battery staple");
const salt = payload(16);
const digest = new Uint8Array(32);
measure("PBKDF2 iteration", (count) => {
	kdf.start(password, 0, 28, salt, 0, 16, count + 1);
	while (!kdf.step(1));
	kdf.digest(digest, 0);
});
measure("SHA-256 of 64 bytes", (count) => {
	for (let i = 0; i < count; i++) hash.update(five, 0, 64).digest(digest, 0);
});
`);

describe("on XS", () => {
	const computrons = (name: string) =>
		Math.round(costs.get(name)!.computrons - costs.get("loop")!.computrons);
	for (const [name, { slots, chunks }] of costs) {
		if (name === "handshake") continue;
		it(`${name}: nothing is allocated, ${computrons(name)} computrons`, () => {
			assert.equal(slots, 0);
			assert.equal(chunks, 0);
		});
	}

	it("a handshake allocates only the objects of its stream, which are freed", (t) => {
		const { slots, chunks } = costs.get("handshake")!;
		t.diagnostic(`${slots} slots, ${chunks} chunk bytes, ${computrons("handshake")} computrons`);
		assert.ok(slots < 300 && chunks < 2048);
	});

	it("memory of server and streams stays within limits", (t) => {
		for (const [name, { slots, chunks }] of memory)
			t.diagnostic(`${name}: ${slots} slots, ${chunks} chunk bytes = ${slots * 16 + chunks} bytes`);
		const of = (name: string) => memory.get(name)!.slots * 16 + memory.get(name)!.chunks;
		assert.ok(of("server") < 2304);
		assert.ok((of("4 more, with their sockets") - of("4 sockets")) / 4 <= 1152);
	});
});
