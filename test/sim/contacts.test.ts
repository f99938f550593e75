import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Contacts } from "../../sim/board/contacts";
import { DeviceClock } from "../../sim/board/device-clock";
import { Scheduler } from "../../sim/clock/scheduler";
import type { EngineName } from "../../sim/engine/engine-factory";
import type { TimedEvent } from "../../sim/report/events";
import { DEFAULT_START_TIME, Simulation } from "../../sim/simulation";

const HOUR = 3_600_000;

function contacts(seed: number, options: object, hours: number) {
	const scheduler = new Scheduler(0);
	const subject = new Contacts(scheduler, seed, [{ options }]);
	const changes: [time: number, level: number][] = [];
	subject.onChange = () => changes.push([scheduler.now, subject.level(4)]);
	subject.start();
	while (scheduler.step(hours * HOUR));
	return { subject, changes };
}

describe("contacts at digital pins", () => {
	test("they close and open by turns, about once an hour for about a minute", () => {
		const { changes } = contacts(1, { pin: 4 }, 1000);
		for (const [i, [, level]] of changes.entries()) assert.equal(level, i % 2);
		assert.ok(changes.length > 1600 && changes.length < 2400, `${changes.length}`);
		let closed = 0;
		for (let i = 0; i + 1 < changes.length; i += 2) closed += changes[i + 1]![0] - changes[i]![0];
		const mean = closed / (changes.length / 2);
		assert.ok(mean > 50_000 && mean < 70_000, `${mean}`);
	});

	test("the same seed gives the same times, another one others", () => {
		const { changes } = contacts(7, { pin: 4 }, 100);
		assert.deepEqual(contacts(7, { pin: 4 }, 100).changes, changes);
		assert.notDeepEqual(contacts(8, { pin: 4 }, 100).changes, changes);
	});

	for (const [options, level, value] of [
		[{ pin: 4 }, 1, 1],
		[{ pin: 4, activeLow: true }, 1, 0],
		[{ pin: 4, pull: "down" }, 0, 0],
		[{ pin: 4, pull: "none", activeLow: true }, 0, 1],
	] as const)
		test(`${JSON.stringify(options)}: open, the pin has level ${level} and the value is ${value}; closed, the others`, () => {
			const subject = new Contacts(new Scheduler(0), 1, [{ options }]);
			assert.deepEqual([subject.level(4), subject.valueOf(options)], [level, value]);
			subject.held = true;
			assert.deepEqual([subject.level(4), subject.valueOf(options)], [1 - level, 1 - value]);
		});

	test("a pin without a contact is low, and has no value", () => {
		const subject = new Contacts(new Scheduler(0), 1, []);
		assert.deepEqual(
			[subject.level(4), subject.valueOf({ pin: 4 }), subject.valueOf({})],
			[0, undefined, undefined],
		);
	});
});

test("a sleep that ends early: the device's clock has gone on by what has passed, and its error", () => {
	for (const drift of [0, 50_000, -50_000])
		for (const share of [0, 0.3, 1]) {
			const clock = new DeviceClock(0, drift, 1000);
			const real = clock.sleep(0, 100_000);
			const now = Math.round(real * share);
			clock.endSleep(now);
			const expected = 1000 + now / (1 + drift / 1e6);
			assert.ok(Math.abs(clock.timeAt(now) - expected) <= 1, `${drift} ${share}: ${clock.timeAt(now)}`);
			// Awake it runs as the true time does.
			assert.equal(clock.timeAt(now + 500) - clock.timeAt(now), 500);
		}
});

for (const engine of ["node", "xs"] satisfies EngineName[])
	test(`${engine}: a day with a door: the node wakes with each of its changes and reports it, and its clock is right`, async () => {
		const events: TimedEvent[] = [];
		const simulation = await Simulation.build({
			manifest: {
				path: fileURLToPath(new URL("../../manifest.json", import.meta.url)),
				json: {
					include: ["./firmware/manifest.json", "./firmware/drivers/digital/manifest.json"],
					config: {
						firefly: {
							id: "shed",
							wifi: { ssid: "shed" },
							broker: { url: "mqtt://broker.home" },
							sensors: [
								{
									name: "door",
									driver: "digital",
									property: "contact.open",
									options: { pin: 4 },
									wake: true,
									every: "1h",
								},
							],
						},
					},
				},
				overrides: {},
			},
			speed: "max",
			seed: 5,
			engine,
			listener: { event: (event) => events.push(event) },
		});
		try {
			await simulation.run(24 * HOUR);
		} finally {
			simulation.dispose();
		}
		const woken = events.filter((event) => event.type === "boot" && event.pin === 4);
		assert.ok(woken.length > 20 && woken.length < 120, `${woken.length}`);
		const lines = events.filter((event) => event.type === "trace" && event.message === "woken by pin 4");
		assert.equal(lines.length, woken.length);
		for (const { time } of woken)
			assert.ok(
				events.some(
					(event) => event.type === "acknowledged" && event.time > time && event.time < time + 5000,
				),
			);
		const values = events.flatMap((event) =>
			event.type === "value" && event.topic.endsWith("/door") ? [event] : [],
		);
		assert.ok(values.length >= woken.length);
		const regular = events.filter(
			(event) => event.type === "boot" && event.reason === "deep-sleep" && event.pin === undefined,
		);
		for (const { time } of regular) {
			const before = Math.max(
				...woken.filter((event) => event.time < time).map((event) => event.time),
				DEFAULT_START_TIME,
			);
			const since = (time - before) % HOUR;
			assert.ok(Math.min(since, HOUR - since) < 10_000, `${since}`);
		}
	});
