import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SimulationCounters } from "../../sim/report/counters";
import { currents } from "../../sim/report/currents";
import { batteryDays, EnergyMeter, radioSteps } from "../../sim/report/energy";
import type { SimulationEvent, TimedEvent } from "../../sim/report/events";
import { formatNumber } from "../../sim/report/format";
import { Histogram } from "../../sim/report/histogram";
import { JSONReport } from "../../sim/report/json-report";
import { LineReport } from "../../sim/report/line-report";
import { summarize } from "../../sim/report/summary";

const start = Date.UTC(2026, 0, 1);

/** Events of one node; times are ms after the start. */
function events(...timedEvents: readonly (readonly [number, SimulationEvent])[]): TimedEvent[] {
	return timedEvents.map(([time, event]) => ({ time: start + time, node: "shed", ...event }));
}

/** One wake that delivers a report, and the next one without a report. */
const dayEvents = events(
	[0, { type: "node", role: "sensor", sensors: [{ name: "t", unit: "°C", decimals: 1 }] }],
	[0, { type: "boot", reason: "power-on" }],
	[100, { type: "wake", reason: "power-on" }],
	[110, { type: "sample", sensor: "t", value: 21.25 }],
	[110, { type: "accepted", sequence: 1, waiting: 1 }],
	[120, { type: "join" }],
	[920, { type: "radio", step: "scan", duration: 780 }],
	[1120, { type: "joined", fast: false }],
	[1120, { type: "open" }],
	[1140, { type: "publish", sequence: 1, qos: 1, again: false }],
	[1160, { type: "connected", sessionPresent: false }],
	[1160, { type: "acknowledged", sequence: 1, waiting: 0 }],
	[1170, { type: "exchange", sent: 80, received: 20, roundTrips: 2, reports: 1 }],
	[1200, { type: "sleep", duration: 58_800, waiting: 0 }],
	[60_000, { type: "boot", reason: "deep-sleep" }],
	[60_100, { type: "wake", reason: "deep-sleep" }],
	[60_110, { type: "sample", sensor: "t", value: undefined }],
	[60_110, { type: "filtered", sensor: "t" }],
	[60_120, { type: "sleep", duration: 59_880, waiting: 0 }],
	[120_000, { type: "trace", message: "end" }],
);

function summaryOf(list: readonly TimedEvent[]) {
	const counters = new SimulationCounters();
	for (const event of list) counters.event(event);
	return summarize(counters);
}

/** The text that a report prints. */
function render(
	createReport: (sink: { write(text: string): void }) => JSONReport | LineReport,
	list: readonly TimedEvent[],
	end = 0,
): string {
	let text = "";
	const write = (more: string): void => {
		text += more;
	};
	const report = createReport({ write });
	for (const event of list) report.event(event);
	report.note("a note");
	report.finish(end);
	return text;
}

describe("summary", () => {
	test("the power is lost while a report waits: the report is lost, and the summary says what would keep it", () => {
		const until = dayEvents.findIndex(({ type }) => type === "join");
		const list = [...dayEvents.slice(0, until), ...events([5000, { type: "boot", reason: "power-on" }])];
		const { lost, lostWithPower } = summaryOf(list);
		assert.deepEqual([lost, lostWithPower], [1, 1]);
		assert.match(
			render((sink) => new LineReport(sink), list, start + 6000),
			/, 1 lost \(1 with the power, which outbox\.storage "flash" would have kept\); /,
		);
	});

	test("one wake with a report and one without", () => {
		const { energy, ...rest } = summaryOf(dayEvents);
		assert.deepEqual(rest, {
			nodes: 1,
			duration: 120_000,
			wakes: 2,
			samples: 2,
			filtered: 1,
			accepted: 1,
			published: 1,
			repeated: 0,
			acknowledged: 1,
			waiting: 0,
			dropped: 0,
			lost: 0,
			crashes: 0,
			limits: 0,
			failed: {},
			failedReadings: { t: 1 },
			awake: { p50: 20, p95: 1100, maximum: 1100 },
			exchange: { bytesPerReport: 100, roundTripsPerExchange: 2, reportsPerExchange: 1 },
			joins: {
				count: 1,
				fast: 0,
				steps: {
					...Object.fromEntries(radioSteps.map((step) => [step, { time: 0, charge: 0 }])),
					scan: { time: 780, charge: 0.78 * currents.receive },
				},
			},
		});
		const times = Object.fromEntries(Object.entries(energy.phases).map(([phase, { time }]) => [phase, time]));
		assert.deepEqual(times, { boot: 200, join: 1000, exchange: 50, awake: 70, light: 0, sleep: 118_680 });
		assert.equal(energy.phases.join.charge, currents.receive);
		assert.equal(energy.phases.sleep.charge, 118.68 * currents.deepSleep);
	});

	test("light sleep: from its start until the next boot, but for Wi-Fi and 50 ms after each traffic", () => {
		const list = events(
			[0, { type: "boot", reason: "power-on" }],
			[200, { type: "wake", reason: "power-on" }],
			[210, { type: "lightSleep" }],
			[220, { type: "join" }],
			[320, { type: "joined", fast: true }],
			[330, { type: "publish", sequence: 1, qos: 1, again: false }],
			[370, { type: "acknowledged", sequence: 1, waiting: 0 }],
			[10_000, { type: "boot", reason: "reset" }],
			[10_200, { type: "wake", reason: "reset" }],
			[10_300, { type: "trace", message: "end" }],
		);
		const { energy } = summaryOf(list);
		const times = Object.fromEntries(Object.entries(energy.phases).map(([phase, { time }]) => [phase, time]));
		assert.deepEqual(times, {
			boot: 400,
			join: 100,
			exchange: 90,
			awake: 10 + 100,
			light: 10 + 10 + (10_000 - 420),
			sleep: 0,
		});
		assert.ok(Math.abs(energy.phases.light.charge - 9.6 * currents.lightSleep) < 1e-9);
		const lines = render((sink) => new LineReport(sink), list);
		assert.match(lines, /, CPU awake [\d,.]+ mC \(\d+ %\), light sleep 32\.1 mC \(37 %\), deep sleep /);
		assert.match(lines, /WROOM-32 datasheet, and of the ESP-IDF guide for light sleep\)$/m);
	});

	test("a report that is neither acknowledged nor waiting is lost", () => {
		const list = events(
			[0, { type: "boot", reason: "power-on" }],
			[1, { type: "accepted", sequence: 1, waiting: 1 }],
			[2, { type: "accepted", sequence: 2, waiting: 2 }],
			[3, { type: "dropped", count: 1, waiting: 1 }],
			[4, { type: "sleep", duration: 1, waiting: 0 }],
		);
		assert.deepEqual([summaryOf(list).accepted, summaryOf(list).dropped, summaryOf(list).lost], [2, 1, 1]);
	});

	test("a report in retained memory is lost at power loss, but not at a reset", () => {
		const accepted = (time: number, sequence: number) =>
			[time, { type: "accepted", sequence, waiting: 1 }] as const;
		const reset = events(accepted(1, 1), [2, { type: "boot", reason: "reset" }]);
		const power = events(
			accepted(1, 1),
			[2, { type: "boot", reason: "power-on" }],
			[2, { type: "wake", reason: "power-on", waiting: 0, accepted: 0, dropped: 0 }],
			accepted(3, 1),
		);
		assert.deepEqual([summaryOf(reset).lost, summaryOf(reset).waiting], [0, 1]);
		assert.deepEqual([summaryOf(power).lost, summaryOf(power).waiting, summaryOf(power).accepted], [1, 1, 2]);
	});

	test("a report that is acknowledged twice, or accepted without an event, is counted once", () => {
		const list = events(
			[0, { type: "wake", reason: "power-on", waiting: 0, accepted: 0, dropped: 0 }],
			[1, { type: "accepted", sequence: 1, waiting: 1 }],
			[2, { type: "acknowledged", sequence: 1, waiting: 0 }],
			// A reset came between the acknowledgement and the removal, and another after an acceptance.
			[3, { type: "boot", reason: "reset" }],
			[4, { type: "wake", reason: "reset", waiting: 2, accepted: 2, dropped: 0 }],
			[5, { type: "acknowledged", sequence: 1, waiting: 1 }],
			[6, { type: "acknowledged", sequence: 2, waiting: 0 }],
			[7, { type: "boot", reason: "reset" }],
			[8, { type: "wake", reason: "reset", waiting: 0, accepted: 4, dropped: 2 }],
		);
		const { accepted, acknowledged, waiting, dropped, lost } = summaryOf(list);
		assert.deepEqual([accepted, acknowledged, waiting, dropped, lost], [4, 2, 0, 2, 0]);
	});

	test("each of several samples of a value counts as a sample, and the value as none", () => {
		const { samples, failedReadings } = summaryOf(
			events(
				[1, { type: "gathered", sensor: "t", value: undefined }],
				[2, { type: "gathered", sensor: "t", value: 3 }],
				[2, { type: "sample", sensor: "t", value: 3 }],
				[2, { type: "sample", sensor: "h", value: 50 }],
			),
		);
		assert.deepEqual([samples, failedReadings], [3, { t: 1 }]);
	});

	test("failures by fault, crashes, limits, and retransmissions are counted", () => {
		const summary = summaryOf(
			events(
				[1, { type: "failed", fault: "wifi", reasonCode: 0 }],
				[2, { type: "failed", fault: "peer", reasonCode: 0x87 }],
				[3, { type: "failed", fault: "wifi", reasonCode: 0 }],
				[4, { type: "limit" }],
				[5, { type: "crash", kind: "heap", message: "full" }],
				[6, { type: "publish", sequence: 1, qos: 1, again: true }],
			),
		);
		assert.deepEqual(
			[summary.failed, summary.limits, summary.crashes, summary.repeated],
			[{ peer: 1, wifi: 2 }, 1, 1, 1],
		);
	});

	test("no events give an empty summary", () => {
		const { duration, energy, awake, exchange } = summaryOf([]);
		assert.deepEqual(
			[duration, energy.average, energy.battery, awake, exchange],
			[0, 0, undefined, undefined, undefined],
		);
	});

	test("brokers are not part of the energy estimate", () => {
		const list: TimedEvent[] = [
			{ time: 0, node: "broker", type: "node", role: "broker", sensors: [] },
			{ time: 0, node: "broker", type: "boot", reason: "power-on" },
			{ time: 1000, node: "broker", type: "wake", reason: "power-on" },
		];
		assert.deepEqual([summaryOf(list).nodes, summaryOf(list).energy.average], [0, 0]);
	});
});

describe("energy", () => {
	test("the estimate is close to a measurement: 774 ms, 108.6 mC (upy-esp32-experiments)", () => {
		const meter = new EnergyMeter();
		for (const event of events(
			[0, { type: "boot", reason: "deep-sleep" }],
			[70, { type: "wake", reason: "deep-sleep" }],
			[70, { type: "join" }],
			[734, { type: "joined", fast: false }],
			[734, { type: "open" }],
			[774, { type: "exchange", sent: 100, received: 30, roundTrips: 2, reports: 1 }],
			[774, { type: "sleep", duration: 1, waiting: 0 }],
		))
			meter.event(event);
		assert.ok(meter.charge > 108.6 / 2 && meter.charge < 108.6, String(meter.charge));
	});

	test("an open connection uses the radio only around its traffic", () => {
		const meter = new EnergyMeter();
		for (const event of events(
			[0, { type: "boot", reason: "power-on" }],
			[0, { type: "wake", reason: "power-on" }],
			[0, { type: "open" }],
			[60_000, { type: "publish", sequence: 1, qos: 1, again: false }],
		))
			meter.event(event);
		meter.integrateTo(start + 60_500);
		assert.deepEqual([meter.shares.exchange.time, meter.shares.awake.time], [1500, 59_000]);
	});

	test("an exchange counted after sleep began does not count as awake time", () => {
		const meter = new EnergyMeter();
		for (const event of events(
			[0, { type: "boot", reason: "power-on" }],
			[0, { type: "sleep", duration: 1, waiting: 0 }],
			[5, { type: "exchange", sent: 1, received: 1, roundTrips: 1, reports: 1 }],
		))
			meter.event(event);
		assert.equal(meter.phase, "sleep");
	});

	test("battery life", () => assert.equal(batteryDays(2400, 1), 100));
});

test("quantiles are exact for small values and within 0.1 % for large ones", () => {
	fc.assert(
		fc.property(
			fc.array(fc.nat(1e9), { minLength: 1 }),
			fc.double({ min: 0, max: 1, noNaN: true }),
			(values, rank) => {
				const histogram = new Histogram();
				for (const value of values) histogram.add(value);
				const exact = values.sort((a, b) => a - b)[Math.max(1, Math.ceil(rank * values.length)) - 1];
				const found = histogram.quantile(rank) ?? Number.NaN;
				assert.ok(Math.abs(found - exact) <= (exact < 2048 ? 0 : exact / 1000), `${found} for ${exact}`);
			},
		),
	);
	assert.equal(new Histogram().quantile(0.5), undefined);
});

describe("reports", () => {
	test("each kind of event has its line", () => {
		assert.equal(
			render((sink) => new LineReport(sink), dayEvents),
			`2026-01-01 00:00:00.000  shed  1 sensor: t
2026-01-01 00:00:00.000  shed  boots: power-on
2026-01-01 00:00:01.200  shed  awake 1.1 s, t 21.3 °C, 1 acknowledged; sleeps 58.8 s
2026-01-01 00:01:00.120  shed  awake 0.02 s, t –, 1 held back; sleeps 59.88 s
2026-01-01 00:02:00.000  shed  | end
a note

1 node, 2 min simulated: 2 wakes, 2 samples (1 held back), 1 report
reports      1 published, 1 acknowledged, 0 waiting, 0 dropped, 0 lost; 0 sent again
failures     failed readings of t 1
awake        p50 0.02 s, p95 1.1 s, longest 1.1 s
network      100 bytes a report; 2 round trips and 1 reports an exchange
joins        1, 0 of them fast; scan 0.78 s and 78 mC
energy       boot 13.6 mC (11 %), Wi-Fi join 100 mC (80 %), exchange 5.3 mC (4 %), CPU awake 4.8 mC (4 %), deep sleep 1.2 mC (1 %)
battery      1.041 mA on average: 100 days on 2,500 mAh (ESP32 chip alone, currents of the ESP32-WROOM-32 datasheet)
`,
		);
	});

	test("each kind of failure has its line", () => {
		const lines = render(
			(sink) => new LineReport(sink),
			events(
				[0, { type: "failed", fault: "peer", reasonCode: 0x87 }],
				[1, { type: "failed", fault: "wifi", reasonCode: 0 }],
				[2, { type: "limit" }],
				[3, { type: "dropped", count: 2, waiting: 5 }],
				[4, { type: "crash", kind: "stack", message: "overflow" }],
				[5, { type: "value", topic: "a/b", payload: "1", retained: true }],
				[6, { type: "value", topic: "a/b", payload: "", retained: true }],
				[7, { type: "dropped", count: 1, waiting: 5, reason: "damaged" }],
				[8, { type: "dropped", count: 1, waiting: 5, reason: "unreadable" }],
				[9, { type: "sleep", duration: 1000, waiting: 5 }],
			),
		).split("\n");
		assert.deepEqual(
			lines.slice(0, 9).map((line) => line.slice(25)),
			[
				"shed  report failed: peer (reason code 0x87)",
				"shed  report failed: wifi",
				"shed  awakeLimit reached",
				"shed  outbox full: 2 reports dropped, 5 waiting",
				"shed  crashed: stack: overflow",
				"shed  a/b = 1",
				"shed  a/b = (cleared)",
				"shed  retained memory damaged: 1 report dropped, 5 waiting",
				"shed  recorded for other settings: 1 report dropped, 5 waiting",
			],
		);
		assert.match(lines[9], /nothing to do, 5 waiting; sleeps 1 s$/);
	});

	test("a node that never sleeps reports when everything is acknowledged", () => {
		const text = render(
			(sink) => new LineReport(sink),
			events(
				[0, { type: "node", role: "sensor", sensors: [{ name: "t" }], alwaysOn: true }],
				[1, { type: "sample", sensor: "t", value: 0.00476416302416414 }],
				[2, { type: "acknowledged", sequence: 1, waiting: 1 }],
				[3, { type: "acknowledged", sequence: 2, waiting: 0 }],
			),
		);
		assert.match(text, /003 {2}shed {2}t 0\.00476416, 2 acknowledged\n/);
	});

	test("JSON: every event unchanged, then the summary, and nothing about this machine", () => {
		const lines = render((sink) => new JSONReport(sink), dayEvents)
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line));
		assert.deepEqual(lines.slice(0, -1), JSON.parse(JSON.stringify(dayEvents)));
		assert.deepEqual(lines.at(-1), {
			time: start + 120_000,
			type: "summary",
			...JSON.parse(JSON.stringify(summaryOf(dayEvents))),
		});
	});

	test("the end is later than the last event: a final sleep is accounted", () => {
		const { energy } = summaryOf(dayEvents);
		const text = render((sink) => new JSONReport(sink), dayEvents, start + 240_000);
		const summary = JSON.parse(text.trimEnd().split("\n").at(-1)!);
		assert.deepEqual([summary.time, summary.duration], [start + 240_000, 240_000]);
		assert.equal(summary.energy.phases.sleep.time, energy.phases.sleep.time + 120_000);
		assert.match(
			render((sink) => new LineReport(sink), dayEvents, start + 240_000),
			/1 node, 4 min simulated/,
		);
	});

	test("a board without power draws no charge", () => {
		const list = events(
			[0, { type: "boot", reason: "power-on" }],
			[100, { type: "wake", reason: "power-on" }],
			[1100, { type: "off" }],
			[9000, { type: "trace", message: "end" }],
		);
		assert.equal(summaryOf(list).energy.phases.awake.time, 1000);
	});
});

test("numbers are written as Intl writes them in English", () => {
	const digits = fc.integer({ min: 0, max: 3 });
	fc.assert(
		fc.property(fc.integer({ min: -(10 ** 12), max: 10 ** 12 }), digits, digits, (number, scale, maximum) => {
			const value = number / 10 ** scale;
			// At a tie Intl rounds the decimal, not the double.
			fc.pre(
				scale <= maximum || Math.abs(number) % 10 ** (scale - maximum) !== 5 * 10 ** (scale - maximum - 1),
			);
			assert.equal(
				formatNumber(value, maximum),
				value.toLocaleString("en-US", { maximumFractionDigits: maximum }),
			);
		}),
	);
});
