import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RECEIVE_WINDOW, SEND_ROOM } from "../../sim/network/socket";
import { PAGE_PIECE_SIZE, TURN_PAUSE_MS } from "../../src/websocket/constants";
import type { HttpRequest, Pages, Reply } from "../../src/websocket/server";
import { AWAITING_PAGES, CLOSED } from "../../src/websocket/states";
import { VirtualClock } from "../support/virtual-clock";
import { request } from "./support/frames";
import { StreamHarness } from "./support/stream-harness";

function get(path: string, fields: Record<string, string> = {}): Buffer {
	const none = {
		Upgrade: undefined,
		Connection: undefined,
		"Sec-WebSocket-Key": undefined,
		"Sec-WebSocket-Version": undefined,
	};
	return request({ ...none, "Sec-WebSocket-Protocol": undefined, ...fields }, `GET ${path} HTTP/1.1`);
}

const textOf = (request: HttpRequest, start: number, end: number) =>
	Buffer.from(request.bytes.subarray(start, end)).toString("latin1");

/** A page of `count` numbered lines. */
function linePages(count: number): Pages & { asked: string[] } {
	return {
		asked: [],
		get(request: HttpRequest, reply: Reply) {
			const path = textOf(request, 0, request.pathEnd);
			this.asked.push(path + textOf(request, request.pathEnd, request.queryEnd));
			if (path === "/") reply.page();
			else if (path === "/plain") reply.page("text/plain");
			else reply.refuse(404, "no such page");
		},
		writePiece(reply: Reply, bytes: Uint8Array, start: number, end: number) {
			let at = start;
			while (reply.position < count && at + 10 <= end) {
				bytes.set(Buffer.from(`line ${String(reply.position++).padStart(4, "0")}\n`), at);
				at += 10;
			}
			return at - start;
		},
	};
}

const page = (count: number) =>
	Array.from({ length: count }, (_, i) => `line ${String(i).padStart(4, "0")}\n`).join("");

describe("pages", () => {
	it("are streamed as fast as the peer reads", () => {
		const pages = linePages(1000);
		const session = new StreamHarness({ pages }, { room: SEND_ROOM });
		session.tcp.deliver(get("/?a=b"));
		let got = session.tcp.takeSent().toString();
		assert.ok(got.length > SEND_ROOM - PAGE_PIECE_SIZE && got.length <= SEND_ROOM);
		assert.equal(session.stream.state !== CLOSED, true);
		for (let i = 0; i < 50 && session.errors === 0; i++) {
			session.tcp.readByPeer(i & 1 ? RECEIVE_WINDOW : 300);
			got += session.tcp.takeSent().toString();
		}
		const [head, body] = got.split("\r\n\r\n");
		assert.equal(body, page(1000));
		assert.match(
			head,
			/^HTTP\/1.1 200 OK\r\nConnection: close\r\nContent-Type: text\/html; charset=utf-8\r\nCache-Control: no-store\r\n/,
		);
		assert.match(head, /default-src 'none'/);
		assert.deepEqual(pages.asked, ["/?a=b"]);
		assert.equal(session.errors, 1);
		assert.equal(session.stream.state, CLOSED);
		assert.deepEqual(session.writableRooms, []);
		assert.deepEqual(session.exceptions, []);
	});

	it("are sent in turns on a host with timers, so that a long page does not block others", () => {
		const clock = new VirtualClock();
		const open = () =>
			new StreamHarness({ pages: linePages(1000), timer: clock.timer }, { clock, sendRoom: 60_000 });
		const session = open();
		session.tcp.deliver(get("/"));
		let got = session.tcp.takeSent().toString();
		assert.ok(got.length > 0 && got.length <= 1024);
		session.tcp.deliver(Buffer.from("more"));
		assert.equal(session.tcp.takeSent().length, 0, "not before its turn");
		for (let turns = 0; clock.scheduledTimers > 0 && turns < 100; turns++) {
			clock.advance(TURN_PAUSE_MS);
			const more = session.tcp.takeSent().toString();
			assert.ok(more.length <= 1024);
			got += more;
		}
		assert.equal(got.split("\r\n\r\n")[1], page(1000));
		assert.equal(session.stream.state, CLOSED);
		assert.equal(clock.scheduledTimers, 0);

		const gone = open();
		gone.tcp.deliver(get("/"));
		gone.tcp.takeSent();
		gone.tcp.end();
		assert.equal(gone.errors, 1);
		clock.advance(100 * TURN_PAUSE_MS);
		assert.equal(gone.tcp.takeSent().length, 0);
		assert.equal(clock.scheduledTimers, 0);
	});

	it("end with their peer, also if it has left bytes unread: no exception", () => {
		const clock = new VirtualClock();
		const { tcp, ...session } = new StreamHarness(
			{ pages: linePages(1000), timer: clock.timer },
			{ clock, sendRoom: 60_000 },
		);
		tcp.deliver(get("/"));
		tcp.deliver(Buffer.from("more"));
		tcp.end();
		clock.advance(100 * TURN_PAUSE_MS);
		assert.deepEqual(session.exceptions, []);
		assert.equal(tcp.closed, 1);
		assert.equal(clock.scheduledTimers, 0);
	});

	it("have a type, and may be empty", () => {
		const session = new StreamHarness({ pages: linePages(0) });
		session.tcp.deliver(get("/plain"));
		assert.match(session.tcp.takeSent().toString(), /\r\nContent-Type: text\/plain\r\n(.|\r\n)*\r\n\r\n$/);
		assert.equal(session.errors, 1);
	});

	it("that do not exist are refused with 404", () => {
		const session = new StreamHarness({ pages: linePages(1) });
		session.tcp.deliver(get("/other"));
		assert.match(
			session.tcp.takeSent().toString(),
			/^HTTP\/1.1 404 Not Found\r\n(.|\r\n)*\r\n\r\nno such page\n$/,
		);
		assert.deepEqual(session.refusals, [404]);
	});

	it("may refuse with any status", () => {
		for (const [status, reason] of [
			[429, "Too Many Requests"],
			[503, "Service Unavailable"],
			[403, "Forbidden"],
		] as const) {
			const session = new StreamHarness({
				pages: { get: (_request, reply) => reply.refuse(status, "later"), writePiece: () => 0 },
			});
			session.tcp.deliver(get("/"));
			assert.ok(
				session.tcp.takeSent().toString().startsWith(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\n`),
			);
		}
	});

	it("if absent, every request is answered with 426", () => {
		const session = new StreamHarness();
		session.tcp.deliver(get("/"));
		assert.match(session.tcp.takeSent().toString(), /^HTTP\/1.1 426 Upgrade Required\r\n/);
	});

	it("are sent whatever the origin: without CORS no other page can read them", () => {
		const session = new StreamHarness({ pages: linePages(1) });
		session.tcp.deliver(get("/", { Origin: "https://evil.example" }));
		assert.match(session.tcp.takeSent().toString(), /^HTTP\/1.1 200 /);
	});

	it("may require name and password, and answer later", () => {
		const waiting: { reply: Reply; user: string }[] = [];
		const pages: Pages = {
			get(request, reply) {
				if (!request.readCredentials()) reply.refuse(401, "who are you");
				else {
					const user = `${textOf(request, request.userStart, request.userEnd)}/${textOf(request, request.passwordStart, request.passwordEnd)}`;
					reply.reader = 7;
					waiting.push({ reply, user });
				}
			},
			writePiece(reply, bytes, start) {
				if (reply.position++ > 0) return 0;
				bytes[start] = 0x30 + reply.reader;
				return 1;
			},
		};
		for (const bad of [
			{},
			{ Authorization: "Bearer x" },
			{ Authorization: "Basic" },
			{ Authorization: "Basic !" },
			{ Authorization: "Basic eHg=" },
		] as Record<string, string>[]) {
			const session = new StreamHarness({ pages });
			session.tcp.deliver(get("/", bad));
			assert.match(
				session.tcp.takeSent().toString(),
				/^HTTP\/1.1 401 Unauthorized\r\n(.|\r\n)*WWW-Authenticate: Basic realm="Firefly"/,
			);
		}
		const session = new StreamHarness({ pages });
		session.tcp.deliver(
			get("/", { Authorization: `bAsic ${Buffer.from("ada:pass:word").toString("base64")}` }),
		);
		assert.equal(session.stream.state, AWAITING_PAGES);
		session.tcp.deliver(Buffer.from("more"));
		assert.equal(session.tcp.takeSent().length, 0);
		assert.equal(waiting[0].user, "ada/pass:word");
		waiting[0].reply.page();
		assert.match(session.tcp.takeSent().toString(), /\r\n\r\n7$/);
		waiting[0].reply.page();
		waiting[0].reply.refuse(404, "again");
		assert.equal(session.tcp.takeSent().length, 0);

		const gone = new StreamHarness({ pages });
		gone.tcp.deliver(get("/", { Authorization: `Basic ${Buffer.from("ada:").toString("base64")}` }));
		gone.tcp.end();
		const { reply, user } = waiting[1];
		assert.equal(user, "ada/");
		assert.equal(reply.closed, true);
		reply.refuse(401, "no");
		assert.equal(gone.tcp.takeSent().length, 0);
		assert.equal(gone.errors, 1);
	});

	it("an exception in a page ends its connection only", () => {
		const pages: Pages = {
			get() {
				throw new Error("broken page");
			},
			writePiece: () => 0,
		};
		const session = new StreamHarness({ pages });
		session.tcp.deliver(get("/"));
		assert.equal(String(session.exceptions), "Error: broken page");
		assert.equal(session.errors, 1);
		assert.equal(session.tcp.closed, 1);
	});
});
