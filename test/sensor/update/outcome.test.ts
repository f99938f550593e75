import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MINUTE } from "../support/payloads";
import { digest, image, updateBoard } from "./support";

const URL = "http://10.0.0.1:8070/firefly.bin";
const SET_WRONG_PORT = { command: "set", id: "s", settings: { broker: { url: "mqtt://10.0.0.1:9" } } };

type Board = ReturnType<typeof updateBoard>;

/** A retained command, which each new session of the node is sent. */
function retainUpdate({ broker, server }: Board, bytes: Uint8Array): void {
	server.body = bytes;
	broker.retained = JSON.stringify({ command: "update", id: 1, url: URL, sha256: digest(bytes) });
}

/** The power fails, and the broker has lost the session, too. */
function losePower({ board, broker }: Board): void {
	board.losePower();
	broker.loseSession();
}

const lastAnswer = ({ answers }: Board) =>
	answers().at(-1) as { readonly ok: boolean; readonly error?: string };

describe("a retained command of which the node has lost its memory with the power", () => {
	test("the image has failed: not fetched again, and the answer says why; the same command not retained is a new try", () => {
		const all = updateBoard();
		const { board, server, flash, update } = all;
		retainUpdate(all, image("crashes"));
		board.run(10 * MINUTE);
		const failed = "returned to the image before: the new one was reset before it could report";
		assert.equal(lastAnswer(all).error, failed);
		for (let i = 0; i < 3; i++) {
			losePower(all);
			board.run(10 * MINUTE);
			assert.equal(lastAnswer(all).error, `it has failed before: ${failed}`);
		}
		assert.equal(server.requests.length, 1);
		update(server.body, { id: 2 });
		assert.equal(server.requests.length, 2);
		assert.equal(flash.running, 0);
	});

	test("the power fails at each trial: fetched once", () => {
		const all = updateBoard();
		const { board, server, flash } = all;
		retainUpdate(all, image("mute"));
		const boot = flash.boot.bind(flash);
		flash.boot = (wakes) => {
			boot(wakes);
			if (flash.isOnTrial) board.network.clock.after(5000, () => losePower(all));
		};
		board.run(60 * MINUTE);
		assert.equal(server.requests.length, 1);
		assert.match(String(lastAnswer(all).error), /^it has failed before: returned to the image before/);
	});

	test("the power fails at each fetch: as many fetches as update.tries", () => {
		const all = updateBoard();
		const { board, server } = all;
		retainUpdate(all, image());
		server.sends = 3000;
		server.afterwards = "is silent";
		let seen = 0;
		for (let i = 0; i < 10; i++) {
			board.run(MINUTE / 6);
			if (server.requests.length > seen) losePower(all);
			seen = server.requests.length;
		}
		board.run(10 * MINUTE);
		assert.equal(seen, 3);
		assert.equal(lastAnswer(all).ok, false);
	});
});

describe("settings and an image that are changed together", () => {
	test("the settings are wrong: the image waits until they are restored, and is kept", () => {
		for (const mode of ["deep", "none"]) {
			const all = updateBoard({ sleep: { mode } });
			const { board, broker, flash, update, phases } = all;
			board.run(MINUTE / 2);
			broker.send(SET_WRONG_PORT);
			update();
			board.run(60 * MINUTE);
			assert.deepEqual(
				broker.answers.filter(({ payload: { command, ok } }) => command === "set" && !ok).length,
				1,
				mode,
			);
			assert.deepEqual(phases(), ["fetching", "activated", "confirmed"], mode);
			assert.equal(flash.running, 1, mode);
		}
	});

	test("the settings are right: the image is fetched once a report has confirmed them", () => {
		const all = updateBoard();
		const { board, broker, flash, update } = all;
		board.run(MINUTE / 2);
		broker.send({ command: "set", settings: { every: "2m" } });
		update();
		assert.equal(flash.running, 1);
	});

	test("wrong settings come while the image is on trial: they are restored, and the image is kept", () => {
		const all = updateBoard({ commands: { trialWakes: 3 } });
		const { board, broker, flash, update, phases } = all;
		board.run(MINUTE / 2);
		const boot = flash.boot.bind(flash);
		let sent = false;
		flash.boot = (wakes) => {
			boot(wakes);
			if (!flash.isOnTrial || sent) return;
			sent = true;
			broker.silentTopic = "home/node/temperature";
			broker.send(SET_WRONG_PORT);
			board.network.clock.after(2 * MINUTE, () => {
				broker.silentTopic = undefined;
			});
		};
		update();
		assert.ok(sent);
		board.run(60 * MINUTE);
		assert.equal(broker.answers.filter(({ payload: { command, ok } }) => command === "set" && !ok).length, 1);
		assert.deepEqual(phases(), ["fetching", "activated", "confirmed"]);
		assert.equal(flash.running, 1);
	});
});

describe("the answer with an outcome", () => {
	test("the area of answers is full when the update ends: it follows once the others are acknowledged", () => {
		const all = updateBoard({ sleep: { mode: "none" }, update: { tries: 1 } });
		const { board, broker, server, update, phases, answers } = all;
		board.run(MINUTE / 2);
		server.sends = 3000;
		server.afterwards = "is silent";
		const { run } = board;
		board.run = () => {};
		update();
		board.run = run;
		for (let s = 0; phases().length === 0 && s < 120; s++) board.run(1000);
		broker.silentTopic = "firefly/node/answer";
		for (let id = 10; id < 26; id++) broker.send({ command: "identify", id });
		board.run(MINUTE / 4);
		const before = broker.answers.length;
		assert.deepEqual(phases(), ["fetching", "failed"]);
		assert.ok(
			answers().every((answer) => !("state" in answer && answer.state === "failed")),
			"not yet",
		);
		broker.silentTopic = undefined;
		board.run(10 * MINUTE);
		assert.ok(broker.answers.length > before);
		assert.equal(answers().filter((answer) => "state" in answer && answer.state === "failed").length, 1);
	});

	test("another image fails before the broker has the first one's outcome: both are told", () => {
		const { board, broker, server, phases, answers } = updateBoard({ sleep: { mode: "none" } });
		board.run(MINUTE / 2);
		server.head = () => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
		server.body = new Uint8Array(0);
		broker.silentTopic = "firefly/node/answer";
		for (const id of [1, 2]) {
			broker.send({ command: "update", id, url: URL, sha256: digest(image(`works`, 5000 + id)) });
			board.run(2000);
		}
		assert.deepEqual(phases(), ["fetching", "failed", "fetching", "failed"]);
		broker.silentTopic = undefined;
		board.run(10 * MINUTE);
		const told = answers().filter((answer) => "state" in answer && answer.state === "failed");
		assert.deepEqual([...new Set(told.map((answer) => "id" in answer && answer.id))], [1, 2]);
	});

	test("the power fails between the outcome and the report that would tell it: it is told", () => {
		for (const program of ["works", "crashes"] as const) {
			const all = updateBoard();
			const { board, flash, phases, answers, update } = all;
			board.run(MINUTE / 2);
			const { run } = board;
			board.run = () => {};
			update(image(program));
			board.run = run;
			const end = program === "works" ? "confirmed" : "failed";
			for (let ms = 0; phases().at(-1) !== end && ms < 10 * MINUTE; ms++) board.run(1);
			losePower(all);
			board.run(10 * MINUTE);
			const state = program === "works" ? "running" : "failed";
			const told = answers().filter((answer) => "state" in answer && answer.state === state).length;
			// The first report of the new image may have told it already
			assert.ok(told === 1 || (told === 2 && program === "works"), `${program}: ${told}`);
			assert.equal(flash.running, program === "works" ? 1 : 0);
		}
	});

	test("the area of answers is full when settings are restored: the answer follows", () => {
		const { board, broker } = updateBoard({ commands: { trialWakes: 3 } });
		board.run(MINUTE / 2);
		broker.silentTopic = "firefly/node/answer";
		broker.send(SET_WRONG_PORT);
		for (let id = 10; id < 26; id++) broker.send({ command: "identify", id });
		for (let s = 0; board.events("command").at(-1)?.details[0] !== "restored" && s < 3600; s++)
			board.run(1000);
		broker.silentTopic = undefined;
		board.run(30 * MINUTE);
		const restored = broker.answers.filter(({ payload: { command, ok } }) => command === "set" && !ok);
		assert.deepEqual(
			restored.map(({ payload }) => payload.error),
			["restored the settings before: no report within 3 wakes"],
		);
	});
});
