import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pace } from "../../sim/clock/pace";
import { Random } from "../../sim/clock/random";
import { Scheduler } from "../../sim/clock/scheduler";

test("events run by time, and in scheduling order at equal times; cancelled ones do not run", () => {
	fc.assert(
		fc.property(
			fc.array(fc.record({ time: fc.integer({ min: 0, max: 9 }), cancelled: fc.boolean() }), {
				maxLength: 60,
			}),
			(plan) => {
				const scheduler = new Scheduler(0);
				const executed: number[] = [];
				const entries = plan.map(({ time }, index) =>
					scheduler.at(time, () => {
						assert.equal(scheduler.now, time);
						executed.push(index);
					}),
				);
				plan.forEach(({ cancelled }, index) => {
					if (cancelled) scheduler.cancel(entries[index]);
				});
				while (scheduler.step(Infinity));
				const expected = plan
					.map(({ time, cancelled }, index) => ({ time, cancelled, index }))
					.filter(({ cancelled }) => !cancelled)
					.sort((a, b) => a.time - b.time || a.index - b.index)
					.map(({ index }) => index);
				assert.deepEqual(executed, expected);
			},
		),
	);
});

test("an event may schedule for now and cancel another; a past time becomes now", () => {
	const scheduler = new Scheduler(100);
	const executed: string[] = [];
	const cancelledEvent = scheduler.at(105, () => executed.push("doomed"));
	scheduler.at(103, () => {
		scheduler.cancel(cancelledEvent);
		scheduler.cancel(cancelledEvent);
		scheduler.after(0, () => executed.push("now"));
		scheduler.at(50, () => executed.push("past"));
		executed.push("first");
	});
	scheduler.at(103, () => executed.push("second"));
	while (scheduler.step(Infinity));
	assert.deepEqual(executed, ["first", "second", "now", "past"]);
	assert.equal(scheduler.now, 103);
	assert.equal(scheduler.next, Infinity);
});

test("time does not jump over an event", () => {
	const scheduler = new Scheduler(0);
	scheduler.at(5, () => {});
	assert.equal(scheduler.step(4), false);
	scheduler.advance(4);
	assert.throws(() => scheduler.advance(6), RangeError);
});

test("at full speed a run ends exactly at its end, independent of the wall clock", async () => {
	const scheduler = new Scheduler(0);
	let ticks = 0;
	const tick = (): void => {
		ticks++;
		scheduler.after(1000, tick);
	};
	scheduler.after(0, tick);
	await new Pace(scheduler, { speed: "max" }).run(3_600_000);
	assert.equal(ticks, 3601);
	assert.equal(scheduler.now, 3_600_000);
});

test("a run without events and sockets ends", async () => {
	const scheduler = new Scheduler(0);
	await new Pace(scheduler, { speed: 1 }).run();
	assert.equal(scheduler.now, 0);
});

test("virtual time follows the wall clock while a socket is open, else its own speed", async () => {
	const scheduler = new Scheduler(0);
	let wallMs = 0;
	const pace = new Pace(scheduler, { speed: "max", wallClock: () => wallMs });
	const times: number[] = [];
	scheduler.at(60_000, () => pace.holdRealTime());
	scheduler.at(60_010, () => times.push(wallMs));
	scheduler.at(60_020, () => {
		times.push(wallMs);
		pace.releaseRealTime();
	});
	scheduler.at(7_200_000, () => times.push(wallMs));
	const clock = setInterval(() => {
		wallMs += 5;
	}, 1);
	await pace.run();
	clearInterval(clock);
	assert.ok(times[0]! >= 10 && times[1]! >= 20, `${times}`);
	assert.equal(scheduler.now, 7_200_000);
});

test("a real event runs at the present of the wall clock, after events that were due before it", async () => {
	const scheduler = new Scheduler(0);
	let wallMs = 0;
	const pace = new Pace(scheduler, { speed: "max", wallClock: () => wallMs });
	pace.holdRealTime();
	const executed: string[] = [];
	scheduler.at(30, () => executed.push(`due ${scheduler.now}`));
	wallMs = 50;
	pace.runExternalEvent(() => executed.push(`real ${scheduler.now}`));
	assert.deepEqual(executed, ["due 30", "real 50"]);
	pace.runExternalEvent(() => {
		throw new Error("broken");
	});
	await assert.rejects(pace.run(), /broken/);
});

test("a change of speed and a pause move no time that has passed; a person's action is at the present", async () => {
	let wallMs = 0;
	const scheduler = new Scheduler(0);
	const pace = new Pace(scheduler, { speed: 1, wallClock: () => wallMs });
	const log: string[] = [];
	scheduler.at(10_000, () => log.push(`event ${scheduler.now}`));
	const run = pace.run(20_000);
	wallMs = 3000;
	assert.equal(pace.now, 3000);
	pace.speed = 10;
	wallMs = 3200;
	assert.equal(pace.now, 5000);
	pace.paused = true;
	wallMs = 60_000;
	assert.equal(pace.now, 5000);
	pace.runAtPresent(() => log.push(`action ${scheduler.now}`));
	pace.paused = false;
	wallMs = 60_100;
	assert.equal(pace.now, 6000);
	wallMs = 70_000;
	assert.equal(pace.now, 10_000, "no later than the next event");
	pace.speed = "max";
	await run;
	assert.deepEqual(log, ["action 5000", "event 10000"]);
	assert.deepEqual([scheduler.now, pace.now], [20_000, 20_000]);
});

test("an interrupted run ends at the present of the wall clock, a stopped one at its last event", async () => {
	for (const [end, expected] of [
		["interrupt", 2500],
		["stop", 1000],
	] as const) {
		let wallMs = 0;
		const scheduler = new Scheduler(0);
		const pace = new Pace(scheduler, { speed: 1, wallClock: () => wallMs });
		scheduler.at(1000, () => {});
		scheduler.at(9000, () => {});
		const run = pace.run();
		wallMs = 1000;
		pace.runExternalEvent(() => {});
		wallMs = 2500;
		pace[end]();
		await run;
		assert.equal(scheduler.now, expected);
	}
});

test("the same seed and label give the same stream, others give another", () => {
	const take = (random: Random): number[] => Array.from({ length: 5 }, () => random.uint32());
	assert.deepEqual(take(new Random(7, "a")), take(new Random(7, "a")));
	assert.notDeepEqual(take(new Random(7, "a")), take(new Random(7, "b")));
	assert.notDeepEqual(take(new Random(7, "a")), take(new Random(8, "a")));
	const random = new Random(1);
	const values = Array.from({ length: 20_000 }, () => random.normal());
	const mean = values.reduce((sum, value) => sum + value) / values.length;
	const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
	assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `${mean} ${variance}`);
	assert.ok(values.every(Number.isFinite));
});
