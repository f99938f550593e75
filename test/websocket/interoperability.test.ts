import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { WebSocket } from "ws";
import type { Listener, TCP } from "../../src/device";
import { type Pages, WebSocketServer } from "../../src/websocket/server";
import { nodeHost } from "../broker/support/node-host";
import { request } from "./support/frames";

const pages: Pages = {
	get: (_request, reply) => reply.page("text/plain"),
	writePiece(reply, bytes, start, end) {
		const count = Math.min(end - start, 100_000 - reply.position);
		bytes.fill(0x61, start, start + count);
		reply.position += count;
		return count;
	},
};

function webSocket(): WebSocketServer {
	return new WebSocketServer({
		tcp: nodeHost().tcp.io,
		size: 512,
		pages,
		onException(error) {
			throw error;
		},
	});
}

/** Echoes received messages. */
class Echo {
	readonly listener: Listener;
	readonly #open = new Set<TCP>();

	constructor(server: WebSocketServer) {
		this.listener = new (nodeHost().listener!.io)({
			port: 0,
			onReadable: () => {
				for (;;) {
					const from = this.listener.read();
					if (from === undefined) return;
					this.#accept(server, from);
				}
			},
		});
	}

	#accept(server: WebSocketServer, from: TCP): void {
		let available = 0;
		let room = 0;
		const sendEcho = () => {
			while (available > 0 && room > 0) {
				const bytes = new Uint8Array(Math.min(available, room));
				socket.read(bytes);
				available -= bytes.length;
				room = socket.write(bytes) ?? 0;
			}
		};
		const socket: TCP = new server.io({
			from,
			onReadable(bytes) {
				available = bytes;
				sendEcho();
			},
			onWritable(bytes) {
				room = bytes;
				sendEcho();
			},
			onError: () => {
				socket.close();
				this.#open.delete(socket);
			},
		});
		this.#open.add(socket);
	}

	close(): void {
		this.listener.close();
		for (const socket of this.#open) socket.close();
	}
}

describe("ws against an echo", () => {
	let echo: Echo;
	let port: number;
	before(async () => {
		echo = new Echo(webSocket());
		while (echo.listener.port === 0) await new Promise(setImmediate);
		port = echo.listener.port;
	});
	after(() => echo.close());

	it("sends and receives messages of any length, in fragments, and pings", async () => {
		const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, "mqtt");
		await once(socket, "open");
		assert.equal(socket.protocol, "mqtt");
		assert.equal(socket.extensions, "");
		let received = Buffer.alloc(0);
		let pongs = 0;
		socket.on("message", (data, isBinary) => {
			assert.ok(isBinary && Buffer.isBuffer(data));
			received = Buffer.concat([received, data]);
		});
		socket.on("pong", (data) => {
			assert.equal(data.toString(), "are you there?");
			pongs++;
		});
		const sent: Buffer[] = [];
		for (const length of [1, 125, 126, 65_535, 65_536, 200_000, 3]) {
			const bytes = Buffer.alloc(length, `${length};`);
			socket.send(bytes.subarray(0, length >> 1), { fin: false });
			socket.ping("are you there?");
			socket.send(bytes.subarray(length >> 1), { fin: true });
			sent.push(bytes);
		}
		const all = Buffer.concat(sent);
		while (received.length < all.length || pongs < 7)
			await once(socket, received.length < all.length ? "message" : "pong");
		assert.deepEqual(received, all);
		socket.close(3001, "done");
		const [code] = await once(socket, "close");
		assert.equal(code, 3001);
	});

	it("reports errors to ws: text, a foreign origin, another subprotocol", async () => {
		const text = new WebSocket(`ws://127.0.0.1:${port}/`, "mqtt");
		await once(text, "open");
		text.send("text");
		const [code] = await once(text, "close");
		assert.equal(code, 1003);
		for (const [protocol, origin, status] of [
			["mqtt", "https://evil.example", 403],
			["other", undefined, 400],
		] as const) {
			const socket = new WebSocket(
				`ws://127.0.0.1:${port}/`,
				protocol,
				origin === undefined ? {} : { origin },
			);
			const [error] = await once(socket, "error");
			assert.match(String(error), new RegExp(`Unexpected server response: ${status}`));
		}
	});

	it("answers Node's HTTP client with a page of 100 kB", async () => {
		const [response] = await once(get(`http://127.0.0.1:${port}/`), "response");
		let length = 0;
		for await (const chunk of response) length += chunk.length;
		assert.deepEqual(
			[response.statusCode, response.headers["content-type"], length],
			[200, "text/plain", 100_000],
		);
	});

	it("a refusal is delivered whole, although the request was longer than accepted", async () => {
		const socket = connect(port, "127.0.0.1");
		socket.write(Buffer.concat([request({ Host: "evil.example" }), Buffer.alloc(20_000)]));
		let answer = "";
		for await (const chunk of socket) answer += chunk;
		assert.match(answer, /^HTTP\/1.1 421 (.|\r\n)*a configured name\n$/);
	});
});
