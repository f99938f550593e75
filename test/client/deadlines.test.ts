import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	ACKNOWLEDGE_DEADLINE,
	CONNECT_DEADLINE,
	Deadlines,
	DISCONNECT_DEADLINE,
	KEEP_ALIVE_DEADLINE,
} from "../../src/client/deadlines";
import { VirtualClock } from "../support/virtual-clock";

function setUp() {
	const clock = new VirtualClock();
	const passed: [deadline: number, at: number][] = [];
	const deadlines = new Deadlines(clock.timer, clock.time, {
		onEvent: (_, deadline) => void passed.push([deadline, clock.now]),
	});
	return { clock, passed, deadlines };
}

test("a deadline that starts later and is shorter does not postpone one that is due before it", () => {
	const { clock, passed, deadlines } = setUp();
	deadlines.start(KEEP_ALIVE_DEADLINE, 1000);
	clock.advance(900);
	deadlines.start(ACKNOWLEDGE_DEADLINE, 500);
	clock.advance(1000);
	assert.deepEqual(passed, [
		[KEEP_ALIVE_DEADLINE, 1000],
		[ACKNOWLEDGE_DEADLINE, 1400],
	]);
});

test("whatever starts, stops and moves, each deadline passes when it is due, and once", () => {
	const all = [CONNECT_DEADLINE, ACKNOWLEDGE_DEADLINE, KEEP_ALIVE_DEADLINE, DISCONNECT_DEADLINE] as const;
	const step = fc.record({
		wait: fc.integer({ min: 0, max: 400 }),
		deadline: fc.constantFrom(...all),
		ms: fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 1000 })),
	});
	fc.assert(
		fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
			const { clock, passed, deadlines } = setUp();
			clock.ticksOffset = 2 ** 31 - 700;
			const due = new Map<number, number>();
			const expected: [number, number][] = [];
			const pass = (): void => {
				for (const [deadline, at] of [...due].sort(([, a], [, b]) => a - b))
					if (at <= clock.now) {
						expected.push([deadline, at]);
						due.delete(deadline);
					}
			};
			for (const { wait, deadline, ms } of steps) {
				clock.advance(wait);
				pass();
				if (ms === undefined) {
					deadlines.stop(deadline);
					due.delete(deadline);
				} else {
					deadlines.start(deadline, ms);
					due.set(deadline, clock.now + ms);
				}
				assert.equal(deadlines.running(deadline), ms !== undefined);
			}
			clock.advance(2000);
			pass();
			const sorted = (list: [number, number][]) => list.toSorted(([a, x], [b, y]) => x - y || a - b);
			assert.deepEqual(sorted(passed), sorted(expected));
			assert.ok(clock.isIdle, "no timer is left");
		}),
	);
});
