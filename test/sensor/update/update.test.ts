import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { imageVersion, makeImage } from "../../../sim/board/esp-image";
import { VERSION } from "../../../src/version";
import { executed } from "../commands/support";
import { MINUTE } from "../support/payloads";
import { digest, image, updateBoard } from "./support";

const accepted = { id: 1, ok: true, state: "accepted" };
const running = { id: 1, ok: true, state: "running", version: VERSION };
const failed = (error: string) => ({ id: 1, ok: false, error, state: "failed" });

describe("an image over HTTP", () => {
	test("the image is right: fetched after the report, started on trial, confirmed by its first report, answered", () => {
		const { board, broker, server, flash, update, phases, answers } = updateBoard();
		board.run(MINUTE / 2);
		update();
		assert.deepEqual(phases(), ["fetching", "activated", "confirmed"]);
		assert.deepEqual(answers(), [accepted, running]);
		assert.deepEqual(executed(board), ["update"]);
		assert.equal(flash.running, 1);
		assert.equal(imageVersion(flash.runningImage!), "works");
		assert.equal(flash.isOnTrial, false);
		assert.match(
			server.requests.join("|"),
			/^GET \/firefly\.bin HTTP\/1\.0\r\nHost: 10\.0\.0\.1:8070\r\n[^|]+$/,
		);
		assert.equal(board.reportCounts.lost, 0);
		assert.equal(broker.waiting, 0);
		// Later resets start it again
		board.reset("watchdog");
		board.run(MINUTE);
		assert.equal(flash.running, 1);
	});

	test("a second image goes to the slot that is free again, an older one too", () => {
		const { board, flash, update, answers } = updateBoard();
		board.run(MINUTE / 2);
		update(image("works", 7000));
		update(image("works", 6000), { id: 2 });
		assert.equal(flash.running, 0);
		assert.deepEqual(answers().slice(2), [
			{ ...accepted, id: 2 },
			{ ...running, id: 2 },
		]);
	});

	test("an image that runs already is not fetched again", () => {
		const { board, server, update, answers } = updateBoard();
		board.run(MINUTE / 2);
		update();
		update(server.body, { id: 2 });
		assert.equal(server.requests.length, 1);
		assert.deepEqual(answers().slice(2), [
			{ ...accepted, id: 2 },
			{ ...running, id: 2 },
		]);
	});

	test("a node that stays connected fetches meanwhile, says goodbye, and starts anew", () => {
		const { board, broker, flash, update, phases, answers } = updateBoard({ sleep: { mode: "none" } });
		board.run(MINUTE / 2);
		update();
		assert.deepEqual(phases(), ["fetching", "activated", "confirmed"]);
		assert.deepEqual(answers(), [accepted, running]);
		assert.equal(flash.running, 1);
		assert.equal(broker.packets.filter(({ cmd }) => cmd === "disconnect").length, 1);
		assert.equal(board.reportCounts.lost, 0);
	});

	test("the new image cannot report: after five wakes the one before runs again, and says so", () => {
		for (const mode of ["deep", "none"]) {
			const { board, flash, update, phases, answers } = updateBoard({ sleep: { mode } });
			board.run(MINUTE / 2);
			update(image("mute"));
			board.run(60 * MINUTE);
			assert.deepEqual(phases(), ["fetching", "activated", "returned", "failed"], mode);
			assert.deepEqual(answers(), [
				accepted,
				failed("returned to the image before: no report within 5 wakes"),
			]);
			assert.equal(flash.running, 0);
			assert.equal(flash.wasRejected, true);
		}
	});

	test("the new image crashes at its start: the bootloader returns to the one before, which says so", () => {
		const { board, flash, update, phases, answers } = updateBoard();
		board.run(MINUTE / 2);
		update(image("crashes"));
		assert.deepEqual(phases(), ["fetching", "activated", "failed"]);
		assert.deepEqual(answers(), [
			accepted,
			failed("returned to the image before: the new one was reset before it could report"),
		]);
		assert.equal(flash.running, 0);
	});

	test("after a failed update the next one works", () => {
		const { board, flash, update, answers } = updateBoard();
		board.run(MINUTE / 2);
		update(image("crashes"));
		update(image("works"), { id: 2 });
		assert.equal(flash.running, 1);
		assert.deepEqual(answers().at(-1), { ...running, id: 2 });
	});
});

describe("a try that fails", () => {
	for (const [what, prepare, error] of [
		["nobody listens", ({ board }) => board.network.listeners.delete(8070), "the server cannot be reached"],
		[
			"the server is silent",
			({ server }) => {
				server.sends = 3000;
				server.afterwards = "is silent";
			},
			"no byte for 10 s",
		],
		[
			"the connection ends early",
			({ server }) => {
				server.sends = 3000;
			},
			/^the connection ended after 3000 of \d+ bytes$/,
		],
		[
			"the server is overloaded",
			({ server }) => {
				server.head = () => "HTTP/1.1 503 Service Unavailable\r\n\r\n";
			},
			"the server answers with status 503",
		],
	] as const satisfies readonly [string, (all: ReturnType<typeof updateBoard>) => unknown, string | RegExp][])
		test(`${what}: tried again after later reports, three times in all, then given up`, () => {
			const all = updateBoard();
			const { board, update, phases, answers, flash } = all;
			board.run(MINUTE / 2);
			prepare(all);
			update();
			assert.deepEqual(phases(), [
				"fetching",
				"interrupted",
				"fetching",
				"interrupted",
				"fetching",
				"failed",
			]);
			const [first, last] = answers() as { readonly error?: string }[];
			assert.deepEqual(first, accepted);
			if (typeof error === "string") assert.equal(last.error, error);
			else assert.match(String(last.error), error);
			assert.equal(answers().length, 2);
			assert.equal(flash.running, 0);
			assert.equal(board.reportCounts.lost, 0);
			assert.ok(board.reportCounts.acknowledged > 30);
		});

	test("the server is back in time: the image is fetched from the start", () => {
		const { board, server, update, phases, answers } = updateBoard();
		board.run(MINUTE / 2);
		server.sends = 3000;
		board.network.clock.after(MINUTE, () => {
			server.sends = Infinity;
		});
		update();
		assert.deepEqual(phases(), ["fetching", "interrupted", "fetching", "activated", "confirmed"]);
		assert.deepEqual(answers(), [accepted, running]);
	});

	test("a server that sends slowly for ever: update.awakeLimit ends the try, and the node sleeps", () => {
		const { board, server, update, phases } = updateBoard({ update: { awakeLimit: "20s", tries: 1 } });
		board.run(MINUTE / 2);
		board.network.serve(8070, (peer) => {
			peer.write(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"));
			const drip = (): void => {
				if (peer.ended) return;
				peer.write(new Uint8Array(server.body.subarray(0, 1)));
				board.network.clock.after(1000, drip);
			};
			drip();
		});
		update();
		assert.deepEqual(phases(), ["fetching", "failed"]);
		assert.ok(board.traces.some((line) => line.includes("update.awakeLimit is over")));
		assert.ok(board.longestAwakeMs > 20_000 && board.longestAwakeMs < 30_000, `${board.longestAwakeMs} ms`);
	});
});

describe("what is not fetched again", () => {
	for (const [what, bytes, error] of [
		[
			"an image for another chip",
			makeImage("works", 5000, 5),
			"the image is for another chip, number 5, not for esp32",
		],
		[
			"no image",
			new Uint8Array(5000).fill(0x3c),
			"what is there is no image of an ESP32: it does not begin with 0xe9",
		],
		[
			"an image larger than the slot",
			image("works", 66_000),
			/^the image has 66\d\d\d bytes; the slot has 65536$/,
		],
		["next to nothing", image().subarray(0, 20), "what is there has only 20 bytes"],
	] as const)
		test(`${what}: refused before anything is erased, once`, () => {
			const { board, flash, server, update, answers } = updateBoard();
			board.run(MINUTE / 2);
			update(bytes);
			const last = answers().at(-1) as { readonly error: string };
			if (typeof error === "string") assert.equal(last.error, error);
			else assert.match(last.error, error);
			assert.equal(server.requests.length, 1);
			assert.equal(flash.steps, 0);
		});

	test("an image with another SHA-256: written, and not activated", () => {
		const { board, flash, server, update, answers } = updateBoard();
		board.run(MINUTE / 2);
		update(image(), { sha256: digest(new Uint8Array(1)) });
		assert.deepEqual(answers().at(-1), failed("the image has another SHA-256"));
		assert.equal(server.requests.length, 1);
		board.reset("reset");
		board.run(MINUTE);
		assert.equal(flash.running, 0);
		assert.equal(flash.runningImage, undefined);
	});

	test("an image that is damaged at its source, with its right SHA-256: found by its own checksum", () => {
		const { board, flash, update, answers } = updateBoard();
		const damaged = image().slice();
		damaged[2000]! ^= 1;
		board.run(MINUTE / 2);
		update(damaged);
		assert.deepEqual(answers().at(-1), failed("the image cannot be activated: Error: image: error 0x1503"));
		assert.equal(flash.running, 0);
	});

	for (const [head, error] of [
		["HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n", "the server answers with status 404"],
		["HTTP/1.1 302 Found\r\nLocation: http://b/\r\n\r\n", "the server answers with status 302"],
		["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "the answer has a transfer encoding"],
		["HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", "the answer's content is encoded"],
		[
			"HTTP/1.1 200 OK\r\n\r\n",
			"the server does not say how long the image is: its answer lacks Content-Length",
		],
		[
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
			"the answer's Content-Length is wrong",
		],
		["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "the answer's Content-Length is wrong"],
		[
			`HTTP/1.1 200 OK\r\nContent-Length:${" ".repeat(46)}1000\r\n\r\n`,
			"the answer's Content-Length is wrong",
		],
		["HTTP/1.1 200 OK\r\nno field\r\n\r\n", "the answer cannot be read: malformed header field"],
		["HTTP/1.1 200 OK\nContent-Length: 3\n\n", "the answer cannot be read: not HTTP"],
		["SSH-2.0-OpenSSH_9.2\r\n", "the server does not speak HTTP/1"],
		[
			`HTTP/1.1 200 OK\r\n${"X-Filler: 0123456789\r\n".repeat(400)}`,
			"the answer cannot be read: head longer than 8192 bytes",
		],
	] as const)
		test(`answer ${JSON.stringify(head.slice(0, 60))}: ${error}`, () => {
			const { board, server, flash, update, answers } = updateBoard();
			board.run(MINUTE / 2);
			server.head = () => head;
			update();
			assert.deepEqual(answers().at(-1), failed(error));
			assert.equal(server.requests.length, 1);
			assert.equal(flash.steps, 0);
		});
});

describe("a command that is refused", () => {
	const sha256 = digest(image());
	for (const [members, error] of [
		[{ url: undefined }, "url is not a text"],
		[{ url: "https://h/i" }, "url: https is not possible; sha256 protects an image over http"],
		[{ url: "ftp://h/i" }, "url does not begin with http://"],
		[{ url: "http://u:p@h/i" }, "url holds a user name, which is not possible"],
		[{ url: "http://h/a b" }, "url has an impossible character"],
		[{ url: "http://h:99999/" }, "url has an impossible port"],
		[{ url: `http://h/${"x".repeat(200)}` }, "url has 209 characters; at most 200 are allowed"],
		[{ sha256: undefined }, "sha256 does not have 64 hexadecimal digits"],
		[{ sha256: sha256.slice(1) }, "sha256 does not have 64 hexadecimal digits"],
		[{ sha256: `${sha256.slice(1)}g` }, "sha256 does not have 64 hexadecimal digits"],
	] as const)
		test(`${JSON.stringify(members).slice(0, 40)}: ${error}`, () => {
			const { board, server, update, answers, phases } = updateBoard();
			board.run(MINUTE / 2);
			update(image(), members);
			assert.deepEqual(answers(), [{ id: 1, ok: false, error }]);
			assert.deepEqual(phases(), []);
			assert.deepEqual(server.requests, []);
		});

	test("an upper-case SHA-256 and a URL without a path are taken", () => {
		const { board, server, update, answers } = updateBoard();
		board.run(MINUTE / 2);
		update(image(), { url: "http://10.0.0.1:8070", sha256: sha256.toUpperCase() });
		assert.match(server.requests[0], /^GET \/ HTTP/);
		assert.deepEqual(answers().at(-1), running);
	});

	test("what the device lacks is named: configuration, include, slots, storage", () => {
		for (const [lacks, error] of [
			["update", "the configuration has no update"],
			["Update", "the image lacks firmware/update/manifest.json"],
			["imageFlash", "this device has no second slot for an image"],
			["storage", "this device has no storage"],
		] as const) {
			const { board, update, answers } = updateBoard();
			if (lacks === "update") {
				const { update: _, ...settings } = board.settings;
				board.settings = settings;
			} else board[lacks] = undefined;
			board.run(MINUTE / 2);
			update();
			assert.deepEqual(answers(), [{ id: 1, ok: false, error }]);
		}
	});

	test("the battery is low: refused; low only afterwards: fetched once it has recovered", () => {
		const battery = { sensor: "temperature", low: 20, empty: 5, recovery: 2 };
		const { board, update, answers, phases, broker, server } = updateBoard({ battery });
		let charge = 10;
		board.sample = () => ({ temperature: charge });
		board.run(MINUTE / 2);
		update();
		assert.deepEqual(answers(), [{ id: 1, ok: false, error: "the battery is low" }]);
		charge = 90;
		board.run(60 * MINUTE);
		server.sends = 3000;
		broker.send({ command: "update", id: 2, url: "http://10.0.0.1:8070/", sha256 });
		board.network.clock.after(90_000, () => {
			charge = 10;
		});
		board.run(3 * MINUTE);
		assert.equal(phases().at(-1), "interrupted");
		const { length } = server.requests;
		board.run(300 * MINUTE);
		assert.equal(server.requests.length, length);
		server.sends = Infinity;
		charge = 90;
		board.run(60 * MINUTE);
		assert.deepEqual(answers().at(-1), { ...running, id: 2 });
	});

	test("while another image is on trial: refused", () => {
		const { board, broker, update, answers, flash } = updateBoard({ sleep: { mode: "none" } });
		board.run(MINUTE / 2);
		update();
		assert.equal(flash.running, 1);
		// Its otadata is as after a start that was not confirmed
		Object.defineProperty(flash, "isOnTrial", { get: () => true });
		board.losePower();
		broker.silentTopic = "home/node/temperature";
		broker.send({ command: "update", id: 3, url: "http://10.0.0.1:8070/", sha256 });
		board.run(1000);
		assert.deepEqual(answers().at(-1), { id: 3, ok: false, error: "the image that runs is on trial itself" });
	});
});
