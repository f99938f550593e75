import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Flushable, FlushScheduler } from "../../sim/service/flush-scheduler";

/** A turn, and sockets that note when they are flushed. */
function setUp(): {
	readonly turn: FlushScheduler;
	readonly flushed: string[];
	readonly read: (peer: object, ...to: readonly string[]) => void;
} {
	const turn = new FlushScheduler();
	const flushed: string[] = [];
	const sender = (name: string): Flushable => ({ flush: () => flushed.push(name) });
	const read = (peer: object, ...to: readonly string[]): void => {
		turn.beginRead();
		for (const name of to) turn.scheduleFlush(sender(name));
		turn.endRead(peer);
	};
	return { turn, flushed, read };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("when what sockets were given leaves", () => {
	const a = {};
	const b = {};

	test("what several peers send in one turn: when it ends, in its order", async () => {
		const { flushed, read } = setUp();
		read(a, "x", "y");
		read(b, "z");
		assert.deepEqual(flushed, []);
		await nextTurn();
		assert.deepEqual(flushed, ["x", "y", "z"]);
	});

	test("what a peer sends again, nobody else having sent: at once; then others wait again", async () => {
		const { flushed, read } = setUp();
		read(a, "x");
		await nextTurn();
		read(a, "y", "z");
		assert.deepEqual(flushed, ["x", "y", "z"]);
		read(b, "x");
		assert.equal(flushed.length, 3);
		await nextTurn();
		assert.equal(flushed.length, 4);
		read(a, "y");
		assert.equal(flushed.length, 4);
		await nextTurn();
		assert.equal(flushed.length, 5);
	});

	test("a peer that sends twice in a turn whose end is awaited waits for it too, so that nothing overtakes", async () => {
		const { flushed, read } = setUp();
		read(b, "x");
		read(a, "y");
		read(a, "z");
		assert.deepEqual(flushed, []);
		await nextTurn();
		assert.deepEqual(flushed, ["x", "y", "z"]);
	});

	test("a read that gives nobody anything does not count, as an acknowledgement between two messages", async () => {
		const { flushed, read } = setUp();
		read(a, "x");
		await nextTurn();
		read(b);
		read(a, "y");
		assert.deepEqual(flushed, ["x", "y"]);
	});

	test("what is given outside a read: when the turn ends", async () => {
		const { turn, flushed, read } = setUp();
		read(a, "x");
		await nextTurn();
		turn.scheduleFlush({ flush: () => flushed.push("timer") });
		read(a, "y");
		assert.deepEqual(flushed, ["x"]);
		await nextTurn();
		assert.deepEqual(flushed, ["x", "timer", "y"]);
	});

	test("what is given to a socket while others are flushed is not lost", async () => {
		const { turn, flushed } = setUp();
		turn.scheduleFlush({ flush: () => turn.scheduleFlush({ flush: () => flushed.push("late") }) });
		await nextTurn();
		await nextTurn();
		assert.deepEqual(flushed, ["late"]);
	});
});
