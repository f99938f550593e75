import assert from "node:assert/strict";
import { test } from "node:test";
import { keepClockSynchronised } from "../../firmware/clock-sync";
import type { Device, TimerId } from "../../src/device";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A device with scripted answers of its time server, and the time of its next timer. */
function setUp() {
	const asked: string[] = [];
	const traces: string[] = [];
	const answers: ((set: boolean) => void)[] = [];
	const state = { delay: 0, repeat: 0, throws: false };
	let onTimer: (id: TimerId) => void = () => {};
	const id = {};
	const device = {
		timer: {
			set(callback: (id: TimerId) => void, delay: number, repeat: number) {
				onTimer = callback;
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
	return { asked, traces, answers, state, fireTimer: () => onTimer(id) };
}

test("the time is requested at once, then once a day", () => {
	const { asked, answers, state, fireTimer } = setUp();
	assert.deepEqual([state.delay, state.repeat], [0, DAY]);
	fireTimer();
	answers[0]!(true);
	assert.deepEqual(asked, ["pool.example"]);
	assert.deepEqual([state.delay, state.repeat], [0, DAY]);
});

test("no answer: the request is repeated after 1, 2, 4 … minutes, at most an hour", () => {
	const { answers, state, fireTimer } = setUp();
	const pauses: number[] = [];
	for (let i = 0; i < 8; i++) {
		fireTimer();
		answers[i]!(false);
		pauses.push(state.delay / MINUTE);
		assert.equal(state.repeat, DAY);
	}
	assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
	fireTimer();
	answers[8]!(true);
	fireTimer();
	answers[9]!(false);
	assert.equal(state.delay, MINUTE, "and after an answer from the beginning");
});

test("a device that cannot request now retries later", () => {
	const { traces, state, fireTimer } = setUp();
	state.throws = true;
	fireTimer();
	assert.deepEqual([state.delay, traces], [MINUTE, ["firefly: time server: Error: no socket"]]);
});
