import assert from "node:assert/strict";
import { test } from "node:test";
import { BufferPool } from "../../sim/engine/buffer-pool";
import { type ProgramBoard, ProgramInstance } from "../../sim/engine/program-instance";

/** A program with one variable, and one constant of its configuration. */
function counter() {
	let runs = 0;
	let tick = (): string => "";
	const instance = new ProgramInstance({
		run(_native, _trace, _global, _date, _math, _buffer, main, state, config) {
			runs++;
			let count = 0;
			let name = String(config());
			state({
				reset: () => {
					count = 0;
				},
				configure: () => {
					name = String(config());
				},
				save: (into) => {
					into[0] = count;
					into[1] = name;
				},
				load: (from) => {
					count = Number(from[0]);
					name = String(from[1]);
				},
			});
			tick = () => `${name} ${++count}`;
			main(() => {});
		},
		map: "",
		runsFromROM: true,
	});
	return { instance, tick: () => tick(), runs: () => runs };
}

function board(config: string): ProgramBoard {
	return { chip: undefined, config, buffers: new BufferPool() };
}

test("two boards of one program: its modules run once, and each board has its variables", () => {
	const { instance, tick, runs } = counter();
	const [a, b] = [board("a"), board("b")];
	for (const each of [a, b]) instance.call(each, () => instance.start());
	const calls = [a, a, b, a, b].map((each) => instance.call(each, tick));
	assert.deepEqual(calls, ["a 1", "a 2", "b 1", "a 3", "b 2"]);
	assert.equal(runs(), 1);
	instance.call(a, () => instance.start());
	assert.deepEqual([instance.call(a, tick), instance.call(b, tick)], ["a 1", "b 3"], "a has restarted");
});

test("a call of one board inside one of another, even if it throws: each goes on with its own variables", () => {
	const { instance, tick } = counter();
	const [a, b] = [board("a"), board("b")];
	instance.call(a, () => instance.start());
	const calls = instance.call(a, () => {
		const before = tick();
		const inner = instance.call(b, tick);
		assert.throws(() =>
			instance.call(b, () => {
				throw new Error(tick());
			}),
		);
		return [before, inner, tick()];
	});
	assert.deepEqual(calls, ["a 1", "b 1", "a 2"]);
	assert.equal(instance.call(b, tick), "b 3");
});

test("a board that has left: if it comes back, its variables are as at a start", () => {
	const { instance, tick } = counter();
	const [a, b] = [board("a"), board("b")];
	for (const each of [a, b]) instance.call(each, tick);
	instance.call(a, () => instance.start());
	for (const each of [a, b]) instance.call(each, tick);
	instance.leave(a);
	instance.leave(b);
	assert.deepEqual([instance.call(b, tick), instance.call(a, tick)], ["b 1", "a 1"]);
});
