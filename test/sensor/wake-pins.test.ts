import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Sensor } from "../../src/device";
import { ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE } from "./support/payloads";
import { EPOCH, type Overrides, settings, TestBoard } from "./support/test-board";

const PIN = 4;
const door = {
	name: "door",
	driver: "digital",
	property: ["digital", "active"],
	options: { pin: PIN },
	wake: true,
	every: HOUR,
} as const;

/** A board with contacts at its pins, which are high at rest. */
function start(overrides: Overrides = {}) {
	const board = new TestBoard({ sensors: [door], ...overrides });
	let samples = 0;
	board.drivers.digital = class implements Sensor {
		readonly #pin: number;
		readonly #activeLow: boolean;
		constructor(options: object) {
			const { pin, activeLow = false } = options as { pin: number; activeLow?: boolean };
			this.#pin = pin;
			this.#activeLow = activeLow;
		}
		configure(): void {}
		sample(): object {
			samples++;
			return { digital: { active: (board.pins.get(this.#pin) === 1) !== this.#activeLow } };
		}
		close(): void {}
	};
	board.pins.set(PIN, 1);
	return { board, broker: new ScriptedBroker(board.network, 1883), samples: () => samples };
}

function reports(broker: ScriptedBroker, sensor = "door"): [at: number, value: string][] {
	return broker.packets.flatMap((packet, i): [number, string][] =>
		packet.cmd === "publish" && packet.topic === `home/node/${sensor}`
			? [[broker.times[i]!, packet.payload.toString()]]
			: [],
	);
}

const values = (broker: ScriptedBroker, sensor?: string): string =>
	reports(broker, sensor)
		.map(([, value]) => value)
		.join("");

test("a change of the pin: the node wakes and reports at once, and sleeps until the next one", () => {
	const { board, broker } = start();
	board.run(10 * MINUTE);
	board.setPin(PIN, 0);
	board.run(10 * MINUTE);
	board.setPin(PIN, 1);
	board.run(10 * MINUTE);
	assert.equal(values(broker), "101");
	const [, closed = NaN, open = NaN] = reports(broker).map(([at]) => at);
	assert.ok(closed - 10 * MINUTE < 500 && open - 20 * MINUTE < 500, `${closed} ${open}`);
	assert.equal(board.boots, 3);
	assert.deepEqual(
		board.traces.filter((line) => line.startsWith("woken")),
		["woken by pin 4", "woken by pin 4"],
	);
	assert.equal(board.reportCounts.lost, 0);
});

test("a contact that stays closed wakes the node once", () => {
	const { board, broker } = start();
	board.run(MINUTE);
	board.setPin(PIN, 0);
	board.run(50 * MINUTE);
	assert.equal(values(broker), "10");
	assert.equal(board.boots, 2);
	assert.deepEqual([...board.armed], [[PIN, 1]]);
});

test("a pulse that is over before the firmware runs: both its edges are reported", () => {
	const { board, broker } = start();
	board.bootTimeMs = 300;
	board.run(MINUTE);
	board.setPin(PIN, 0);
	board.run(100);
	board.setPin(PIN, 1);
	board.run(MINUTE);
	assert.equal(values(broker), "101");
	assert.equal(board.boots, 2);
	assert.deepEqual([...board.armed], [[PIN, 0]]);
});

test("a change during the exchange: the node wakes again at once", () => {
	const { board, broker } = start();
	board.run(MINUTE);
	board.setPin(PIN, 0);
	board.run(100);
	board.setPin(PIN, 1);
	board.run(10_000);
	assert.equal(values(broker), "101");
	assert.equal(board.boots, 3);
});

test("activeLow: the values are the other way round", () => {
	const { board, broker } = start({ sensors: [{ ...door, options: { pin: PIN, activeLow: true } }] });
	board.run(MINUTE);
	board.setPin(PIN, 0);
	board.run(MINUTE);
	board.setPin(PIN, 1);
	board.run(MINUTE);
	assert.equal(values(broker), "010");
});

test("a value that did not change is not reported twice, with a deadband neither", () => {
	for (const more of [{}, { delta: 1, heartbeat: 24 * HOUR }]) {
		const { board, broker } = start({ sensors: [{ ...door, ...more }] });
		board.run(MINUTE);
		board.setPin(PIN, 0);
		board.run(MINUTE);
		assert.equal(values(broker), "10");
		assert.equal(board.events("accepted").length, 2);
	}
});

test("the next regular value follows `every` after the event", () => {
	const { board, broker } = start();
	board.run(30 * MINUTE);
	board.setPin(PIN, 0);
	board.run(HOUR + MINUTE);
	assert.deepEqual(
		reports(broker).map(([at, value]) => [Math.round(at / MINUTE), value]),
		[
			[0, "1"],
			[30, "0"],
			[90, "0"],
		],
	);
});

test("other sensors keep their schedule and are not sampled by it", () => {
	const { board, broker } = start({ sensors: [{ name: "temperature", every: 10 * MINUTE }, door] });
	board.run(5 * MINUTE);
	board.setPin(PIN, 0);
	board.run(30 * MINUTE);
	assert.deepEqual(
		reports(broker, "temperature").map(([at]) => Math.round(at / MINUTE)),
		[0, 10, 20, 30],
	);
	assert.equal(values(broker), "10");
});

describe("node time over a sleep that a pin has ended", () => {
	for (const clockIsSet of [true, false])
		test(`with a clock that is ${clockIsSet ? "set" : "not set"}: it goes on by what has passed`, () => {
			const { board, broker } = start({
				sensors: [{ name: "temperature", every: 10 * MINUTE }, door],
				...(clockIsSet ? {} : { time: { server: undefined } }),
			});
			board.clockIsSet = clockIsSet;
			for (let i = 1; i <= 12; i++) {
				board.run(3 * MINUTE);
				board.setPin(PIN, i % 2 === 0 ? 1 : 0);
			}
			board.run(30_000);
			for (const [i, [at]] of reports(broker, "temperature").entries())
				assert.ok(Math.abs(at - i * 10 * MINUTE) < 1000, `${i}: ${at}`);
			assert.equal(reports(broker, "temperature").length, 4);
		});

	test("a pin that wakes a little early leaves the estimate of the drift alone", () => {
		const { board } = start({ sensors: [{ ...door, every: 10 * MINUTE }] });
		for (let i = 0; i < 20; i++) {
			board.run(9.5 * MINUTE);
			board.setPin(PIN, i % 2);
		}
		const [slept] = board.events("sleep").slice(-1);
		assert.ok(Math.abs(slept!.details[0] - 10 * MINUTE) < 1000, `${slept!.details[0]}`);
	});
});

describe("pinWakeLimit", () => {
	const bouncing = (limit: number, ms: number) => {
		const setup = start({ sleep: { pinWakeLimit: limit } });
		setup.board.run(MINUTE);
		for (let i = 0; i < ms / 1000; i++) {
			setup.board.setPin(PIN, i % 2);
			setup.board.run(1000);
		}
		setup.board.run(2000);
		return setup;
	};

	test("a contact that bounces for a day wakes the node so many times an hour, after the first hour's worth", () => {
		const { board, broker } = bouncing(10, 24 * HOUR);
		const woken = board.traces.filter((line) => line === "woken by pin 4").length;
		assert.ok(woken >= 10 + 10 * 23 && woken <= 10 + 10 * 24, `${woken}`);
		// A wake that sets the pins again for each of them, without Wi-Fi, and one an hour for the samples
		assert.ok(board.boots <= 2 * woken + 25, `${board.boots}`);
		assert.ok(board.events("join").length <= woken + 25);
		assert.ok(reports(broker).length >= woken);
		assert.ok(board.traces.some((line) => /^more wakes by pin than sleep.pinWakeLimit allows/.test(line)));
		assert.equal(board.reportCounts.lost, 0);
	});

	test("the default, 60: two of them a minute at first cost no more than one a minute", () => {
		const { board } = bouncing(settings().sleep.pinWakeLimit, 6 * HOUR);
		const woken = board.traces.filter((line) => line === "woken by pin 4").length;
		assert.ok(woken <= 60 + 60 * 6, `${woken}`);
	});

	test("a change while it is reached: reported as soon as pins may wake the node again", () => {
		const { board, broker } = start({ sleep: { pinWakeLimit: 2 } });
		board.run(MINUTE);
		for (const level of [0, 1]) {
			board.setPin(PIN, level);
			board.run(MINUTE);
		}
		board.setPin(PIN, 0);
		board.run(10 * MINUTE);
		assert.equal(values(broker), "101");
		board.run(20 * MINUTE);
		assert.equal(values(broker), "1010");
	});
});

test("two sensors of one pin: both are reported, and the pin is set once", () => {
	const { board, broker } = start({ sensors: [door, { ...door, name: "lamp" }] });
	board.run(MINUTE);
	board.setPin(PIN, 0);
	board.run(MINUTE);
	assert.equal(values(broker), "10");
	assert.equal(values(broker, "lamp"), "10");
	assert.equal(board.boots, 2);
});

test("two sensors of one pin, of which one was sampled later: both have the value that the pin woke with", () => {
	const sensors = [
		{ ...door, every: MINUTE },
		{ ...door, name: "lamp", every: 6 * HOUR },
	];
	const { board, broker } = start({ sensors, sleep: { pinWakeLimit: 1 } });
	board.run(MINUTE);
	board.setPin(PIN, 0);
	board.run(30 * MINUTE);
	// Only the door notices, as the limit is reached.
	board.setPin(PIN, 1);
	board.run(HOUR);
	board.setPin(PIN, 0);
	board.run(MINUTE);
	assert.equal(values(broker, "lamp"), "100");
});

test("two pins wake the node, a third one does not", () => {
	const sensors = [PIN, 5, 6, 6].map((pin, i) => ({
		...door,
		name: `${i < 3 ? "p" : "q"}${pin}`,
		options: { pin },
	}));
	const { board, broker } = start({ sensors });
	board.run(MINUTE);
	assert.deepEqual([...board.armed].sort(), [
		[PIN, 0],
		[5, 1],
	]);
	board.setPin(5, 1);
	board.setPin(PIN, 0);
	board.run(MINUTE);
	assert.equal(values(broker, "p5"), "01");
	assert.equal(values(broker, "p4"), "10");
	board.setPin(6, 1);
	board.run(MINUTE);
	assert.equal(values(broker, "p6"), "0");
});

test("a pin that cannot wake the chip is traced, and the timer wakes the node", () => {
	const { board, broker } = start({ sensors: [{ ...door, options: { pin: 23 }, every: MINUTE }] });
	board.run(2 * MINUTE + 1000);
	assert.equal(values(broker), "000");
	assert.match(board.traces.join("\n"), /pin 23 cannot wake the node: RangeError/);
});

test("options without a pin, or wake of false: no pin wakes the node", () => {
	for (const sensor of [
		{ ...door, options: {} },
		{ ...door, wake: false },
	]) {
		const { board } = start({ sensors: [sensor] });
		board.run(MINUTE);
		assert.equal(board.armed.size, 0);
	}
});

test("a node that stays awake sets no pin", () => {
	const { board } = start({ sleep: { mode: "none" } });
	board.run(2 * HOUR);
	assert.equal(board.armed.size, 0);
});

test("failed tries: the event waits in the outbox for the next try, and is not lost", () => {
	const { board, broker } = start();
	board.run(MINUTE);
	board.wifi = "fails";
	board.setPin(PIN, 0);
	board.run(3 * MINUTE);
	assert.equal(values(broker), "1");
	board.wifi = "joins";
	board.run(20 * MINUTE);
	assert.equal(values(broker), "10");
});

test("an empty battery: pins do not wake the node any more", () => {
	const { board } = start({
		battery: { sensor: "battery", low: 3.5, slowdown: 4, empty: 3.2, recovery: 0.1, checkEvery: 6 * HOUR },
		sensors: [{ name: "battery", property: ["battery", "voltage"] }, door],
	});
	let voltage = 3.9;
	board.sample = () => ({ battery: { voltage } });
	board.run(MINUTE + 1000);
	assert.equal(board.armed.size, 1);
	voltage = 3;
	board.run(10 * MINUTE);
	assert.equal(board.armed.size, 0);
	const { boots } = board;
	board.setPin(PIN, 0);
	board.run(HOUR);
	assert.equal(board.boots, boots);
});

test("a reset between event and report: the event is not lost, nor counted twice", () => {
	for (let budget = 1; budget < 600; budget += 7) {
		const { board, broker } = start();
		board.run(MINUTE);
		board.retained.writeBudget = budget;
		board.setPin(PIN, 0);
		board.run(3 * MINUTE);
		board.retained.writeBudget = Infinity;
		board.run(2 * HOUR);
		assert.equal(reports(broker)[1]?.[1], "0", `${budget}`);
		assert.equal(board.reportCounts.lost, 0);
		assert.equal(board.reportCounts.dropped, 0);
	}
});

test("diagnostics: what has ended each sleep", () => {
	const { board, broker } = start({
		sensors: [{ ...door, every: 10 * MINUTE }],
		diagnostics: { every: MINUTE, topic: "home/{id}/diagnostics" },
	});
	board.run(10 * MINUTE + 50_000);
	board.setPin(PIN, 0);
	board.run(50_000);
	const causes = broker.packets.flatMap((packet) =>
		packet.cmd === "publish" && packet.topic === "home/node/diagnostics"
			? [(JSON.parse(packet.payload.toString()) as { wakeCause: string }).wakeCause]
			: [],
	);
	assert.equal(causes[0], "power-on");
	assert.deepEqual([...new Set(causes.slice(1))], ["timer", "pin 4"]);
});

test("an event has the time of the wake", () => {
	const { board, broker } = start({ payload: "json" });
	board.run(10 * MINUTE);
	board.setPin(PIN, 0);
	board.run(MINUTE);
	const [, text = ""] = reports(broker)[1] ?? [];
	assert.equal((JSON.parse(text) as { time: string }).time, new Date(EPOCH + 10 * MINUTE).toISOString());
});
