import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Flushable, FlushScheduler } from "../../sim/service/flush-scheduler";

/** A flush scheduler, and sockets that record when they are flushed. */
function setUp(): {
	readonly scheduler: FlushScheduler;
	readonly flushed: string[];
	readonly read: (peer: object, ...to: readonly string[]) => void;
} {
	const scheduler = new FlushScheduler();
	const flushed: string[] = [];
	const sender = (name: string): Flushable => ({ flush: () => flushed.push(name) });
	const read = (peer: object, ...to: readonly string[]): void => {
		scheduler.beginRead();
		for (const name of to) scheduler.scheduleFlush(sender(name));
		scheduler.endRead(peer);
	};
	return { scheduler, flushed, read };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the time at which written data is sent", () => {
	const a = {};
	const b = {};

	test("data of several peers in one turn is sent at the end of the turn, in order", async () => {
		const { flushed, read } = setUp();
		read(a, "x", "y");
		read(b, "z");
		assert.deepEqual(flushed, []);
		await nextTurn();
		assert.deepEqual(flushed, ["x", "y", "z"]);
	});

	test("further data of the only sending peer is sent at once; with other peers it waits again", async () => {
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

	test("a second write of a peer waits for a scheduled flush too, which keeps the order", async () => {
		const { flushed, read } = setUp();
		read(b, "x");
		read(a, "y");
		read(a, "z");
		assert.deepEqual(flushed, []);
		await nextTurn();
		assert.deepEqual(flushed, ["x", "y", "z"]);
	});

	test("a read without writes, such as an acknowledgement between two messages, does not count", async () => {
		const { flushed, read } = setUp();
		read(a, "x");
		await nextTurn();
		read(b);
		read(a, "y");
		assert.deepEqual(flushed, ["x", "y"]);
	});

	test("data written outside a read is sent at the end of the turn", async () => {
		const { scheduler, flushed, read } = setUp();
		read(a, "x");
		await nextTurn();
		scheduler.scheduleFlush({ flush: () => flushed.push("timer") });
		read(a, "y");
		assert.deepEqual(flushed, ["x"]);
		await nextTurn();
		assert.deepEqual(flushed, ["x", "timer", "y"]);
	});

	test("data written to a socket during a flush is not lost", async () => {
		const { scheduler, flushed } = setUp();
		scheduler.scheduleFlush({ flush: () => scheduler.scheduleFlush({ flush: () => flushed.push("late") }) });
		await nextTurn();
		await nextTurn();
		assert.deepEqual(flushed, ["late"]);
	});
});
