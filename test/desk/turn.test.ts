import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Sender, Turn } from "../../sim/desk/turn";

/** A turn, and sockets that note when they are flushed. */
function scene(): { readonly turn: Turn; readonly flushed: string[]; readonly read: (peer: object, ...to: readonly string[]) => void } {
	const turn = new Turn();
	const flushed: string[] = [];
	const sender = (name: string): Sender => ({ flush: () => flushed.push(name) });
	const read = (peer: object, ...to: readonly string[]): void => {
		turn.beginRead();
		for (const name of to) turn.send(sender(name));
		turn.endRead(peer);
	};
	return { turn, flushed, read };
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("when what sockets were given leaves", () => {
	const a = {};
	const b = {};

	test("what several peers send in one turn: when it ends, in its order", async () => {
		const { flushed, read } = scene();
		read(a, "x", "y");
		read(b, "z");
		assert.deepEqual(flushed, []);
		await soon();
		assert.deepEqual(flushed, ["x", "y", "z"]);
	});

	test("what a peer sends again, nobody else having sent: at once; then others wait again", async () => {
		const { flushed, read } = scene();
		read(a, "x");
		await soon();
		read(a, "y", "z");
		assert.deepEqual(flushed, ["x", "y", "z"]);
		read(b, "x");
		assert.equal(flushed.length, 3);
		await soon();
		assert.equal(flushed.length, 4);
		read(a, "y");
		assert.equal(flushed.length, 4);
		await soon();
		assert.equal(flushed.length, 5);
	});

	test("a peer that sends twice in a turn whose end is awaited waits for it too, so that nothing overtakes", async () => {
		const { flushed, read } = scene();
		read(b, "x");
		read(a, "y");
		read(a, "z");
		assert.deepEqual(flushed, []);
		await soon();
		assert.deepEqual(flushed, ["x", "y", "z"]);
	});

	test("a read that gives nobody anything does not count, as an acknowledgement between two messages", async () => {
		const { flushed, read } = scene();
		read(a, "x");
		await soon();
		read(b);
		read(a, "y");
		assert.deepEqual(flushed, ["x", "y"]);
	});

	test("what is given outside a read: when the turn ends", async () => {
		const { turn, flushed, read } = scene();
		read(a, "x");
		await soon();
		turn.send({ flush: () => flushed.push("timer") });
		read(a, "y");
		assert.deepEqual(flushed, ["x"]);
		await soon();
		assert.deepEqual(flushed, ["x", "timer", "y"]);
	});

	test("what is given to a socket while others are flushed is not lost", async () => {
		const { turn, flushed } = scene();
		turn.send({ flush: () => turn.send({ flush: () => flushed.push("late") }) });
		await soon();
		await soon();
		assert.deepEqual(flushed, ["late"]);
	});
});
