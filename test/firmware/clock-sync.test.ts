import assert from "node:assert/strict";
import { test } from "node:test";
import { keepClockSynchronised } from "../../firmware/clock-sync";
import type { Device, TimerId } from "../../src/device";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A device whose time server answers as it is told, and when its timer rings next. */
function setUp() {
	const asked: string[] = [];
	const traces: string[] = [];
	const answers: ((set: boolean) => void)[] = [];
	const state = { delay: 0, repeat: 0, throws: false };
	let ring: (id: TimerId) => void = () => {};
	const id = {};
	const device = {
		timer: {
			set(callback: (id: TimerId) => void, delay: number, repeat: number) {
				ring = callback;
				Object.assign(state, { delay, repeat });
				return id;
			},
			schedule(scheduled: TimerId, delay: number, repeat: number) {
				assert.equal(scheduled, id);
				Object.assign(state, { delay, repeat });
			},
			clear: () => assert.fail(),
		},
		setClock(server: string, callback: (set: boolean) => void) {
			if (state.throws) throw new Error("no socket");
			asked.push(server);
			answers.push(callback);
		},
		trace: (message: string) => traces.push(message),
	} as unknown as Device;
	keepClockSynchronised(device, "pool.example");
	return { asked, traces, answers, state, ring: () => ring(id) };
}

test("the clock is asked for at once, then once a day", () => {
	const { asked, answers, state, ring } = setUp();
	assert.deepEqual([state.delay, state.repeat], [0, DAY]);
	ring();
	answers[0]!(true);
	assert.deepEqual(asked, ["pool.example"]);
	assert.deepEqual([state.delay, state.repeat], [0, DAY]);
});

test("a server that gives no answer is asked again after a minute, two, four … and at most an hour", () => {
	const { answers, state, ring } = setUp();
	const pauses: number[] = [];
	for (let i = 0; i < 8; i++) {
		ring();
		answers[i]!(false);
		pauses.push(state.delay / MINUTE);
		assert.equal(state.repeat, DAY);
	}
	assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
	ring();
	answers[8]!(true);
	ring();
	answers[9]!(false);
	assert.equal(state.delay, MINUTE, "and after an answer from the beginning");
});

test("a device that cannot ask now asks later", () => {
	const { traces, state, ring } = setUp();
	state.throws = true;
	ring();
	assert.deepEqual([state.delay, traces], [MINUTE, ["firefly: time server: Error: no socket"]]);
});
