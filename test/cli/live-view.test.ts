import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { RunControls } from "../../sim/report/controls";
import type { SimulationEvent } from "../../sim/report/events";
import { type Frame, frameLines } from "../../sim/report/frame";
import { TableReport } from "../../sim/report/table-report";
import { TerminalScreen } from "../support/terminal-screen";

const start = Date.UTC(2026, 0, 1);

class FakeControls implements RunControls {
	time = start;
	speed: number | "max" = 1;
	paused = false;
	wifiOutage = false;
	brokerOutage: boolean | undefined = false;
	readonly calls: string[] = [];

	reset(node: string): void {
		this.calls.push(`reset ${node}`);
	}

	togglePower(node: string): void {
		this.calls.push(`power ${node}`);
	}
}

/** A live view on a terminal of 80 × 24, with a broker and a node. */
function createView(columns = 80, rows = 24) {
	const screen = new TerminalScreen(columns, rows);
	const resizes: (() => void)[] = [];
	const terminal = {
		columns,
		rows,
		write: (text: string) => screen.write(text),
		on: (_: "resize", listener: () => void) => resizes.push(listener),
	};
	const report = new TableReport(terminal, true);
	const controls = new FakeControls();
	const emit = (time: number, node: string, event: SimulationEvent): void =>
		report.event({ time: start + time, node, ...event });
	emit(0, "broker", { type: "node", role: "broker", sensors: [] });
	emit(0, "broker", { type: "boot", reason: "power-on" });
	emit(0, "shed", { type: "node", role: "sensor", sensors: [{ name: "t", unit: "°C", decimals: 1 }] });
	return {
		screen,
		report,
		controls,
		emit,
		resize(newColumns: number, newRows: number): void {
			Object.assign(terminal, { columns: newColumns, rows: newRows });
			screen.resize(newColumns, newRows);
			for (const listener of resizes) listener();
		},
	};
}

describe("the live view", () => {
	test("before simulated time begins: nothing is drawn", () => {
		const { screen } = createView();
		assert.deepEqual([screen.text.trim(), screen.alternate], ["", false]);
	});

	test("on 80 × 24: both addresses whole, a line each, and a line of values for the node", () => {
		const { screen, report, controls, emit } = createView();
		report.note("the broker on the board also listens on mqtt://127.0.0.1:65535");
		report.note("its status page: http://127.0.0.1:65534/");
		report.note("its status page: http://127.0.0.1:65534/"); // as after a reset
		emit(0, "shed", { type: "boot", reason: "power-on" });
		emit(100, "shed", { type: "wake", reason: "power-on" });
		emit(110, "shed", { type: "sample", sensor: "t", value: 21.25 });
		emit(120, "broker", { type: "value", topic: "home/t", payload: "21.3", retained: true });
		emit(130, "shed", { type: "sleep", duration: 60_000, waiting: 0 });
		controls.time = start + 30_130;
		report.begin(controls);
		report.close();
		assert.equal(screen.alternate, false);
		assert.equal(screen.text.trim(), "", "nothing remains");
		report.begin(controls);
		assert.ok(screen.alternate && !screen.cursorVisible);
		assert.deepEqual(screen.lines, [
			" Firefly  2026-01-01 00:00:30 UTC, simulated, × 1",
			" the broker on the board also listens on mqtt://127.0.0.1:65535",
			" its status page: http://127.0.0.1:65534/",
			"",
			" node                      state           wakes  acked waiting      mA battery",
			"›shed                      asleep 30 s         1      0       0     0.3",
			"   t 21.3 °C",
			" broker                    running",
			"",
			" topic at the broker                                 value              since",
			" home/t                                              21.3               00:00:00",
			"",
			" 00:00:00.000  1 sensor: t",
			" 00:00:00.000  boots: power-on",
			" 00:00:00.130  awake 0.03 s, t 21.3 °C; sleeps 60 s",
			...Array.from({ length: 8 }, () => ""),
			" ? keys   space pause   q end",
		]);
		report.finish(start + 40_000);
		assert.ok(!screen.alternate && screen.cursorVisible && screen.wraps);
		assert.match(screen.text, /^1 node, 40 s simulated/m);
	});

	test("several nodes: an event begins with the name of its node", () => {
		const { screen, report, controls, emit } = createView();
		emit(0, "barn", { type: "node", role: "sensor", sensors: [] });
		emit(0, "shed", { type: "boot", reason: "power-on" });
		emit(0, "barn", { type: "boot", reason: "power-on" });
		report.begin(controls);
		for (const node of ["shed", "barn"])
			assert.ok(screen.lines.includes(` 00:00:00.000  ${node}  boots: power-on`), screen.text);
		report.close();
	});

	test("a broker outside the simulation: no table of its topics", () => {
		const { screen, report, controls } = createView();
		report.begin(controls);
		assert.match(screen.text, /topic at the broker/);
		controls.brokerOutage = undefined;
		report.key("?");
		assert.doesNotMatch(screen.text, /topic at the broker/);
		assert.match(screen.text, /1 sensor: t\n/);
		report.close();
	});

	test("the summary on 80 columns: lines break between words, below their text", () => {
		let text = "";
		const report = new TableReport({ columns: 80, rows: 24, write: (more) => (text += more) }, true);
		const emit = (time: number, event: SimulationEvent): void =>
			report.event({ time: start + time, node: "shed", ...event });
		emit(0, { type: "node", role: "sensor", sensors: [] });
		emit(0, { type: "boot", reason: "power-on" });
		emit(100, { type: "wake", reason: "power-on" });
		emit(130, { type: "sleep", duration: 60_000, waiting: 0 });
		report.finish(start + 40_000);
		assert.match(text, /^reports {6}0 published, .* 0 lost; 0 sent\n {13}again\n/m);
		assert.match(text, / \(ESP32 chip alone,\n {13}currents of /);
		for (const line of text.split("\n")) assert.ok(line.length <= 80, line);
	});

	test("after a resize: no line of the old frame", () => {
		const { screen, report, controls, resize } = createView(140, 40);
		report.begin(controls);
		resize(80, 24);
		assert.equal(screen.lines.filter((line) => line.includes("Firefly")).length, 1);
		assert.equal(screen.lines.filter((line) => line.includes("? keys")).length, 1);
		resize(120, 30);
		assert.equal(screen.lines.length, 30);
		assert.equal(
			screen.lines.findIndex((line) => line.includes("? keys")),
			29,
		);
		assert.equal(screen.lines.filter((line) => line.includes("? keys")).length, 1);
		report.close();
	});

	test("keys: pause, speed, outages, next board, reset, power; ? lists them", () => {
		const { screen, report, controls } = createView();
		report.begin(controls);
		const press = (keys: string): string => {
			for (const key of keys) report.key(key);
			return screen.text;
		};
		assert.match(press(" "), /simulated, paused/);
		assert.match(press(" +"), /simulated, × 10\n/);
		press("+++++");
		assert.equal(controls.speed, "max");
		press("-");
		assert.equal(controls.speed, 3600);
		press("-----");
		assert.equal(controls.speed, 1);
		assert.match(press("w"), /× 1 {2}Wi-Fi out\n/);
		assert.match(press("b"), /Wi-Fi out {2}broker out\n/);
		press("wb");
		assert.deepEqual([controls.wifiOutage, controls.brokerOutage], [false, false]);
		press("rp");
		assert.match(press("n"), /^›broker/m);
		press("rpnr");
		assert.deepEqual(controls.calls, [
			"reset shed",
			"power shed",
			"reset broker",
			"power broker",
			"reset shed",
		]);
		const help = press("?");
		for (const text of ["space  pause", "faster, slower", "outage of Wi-Fi", "outage of the broker"])
			assert.ok(help.includes(text), text);
		for (const text of ["next board", "reset the board", "its power off, on", "end with a summary"])
			assert.ok(help.includes(text), text);
		assert.doesNotMatch(press("?"), /next board/);
		controls.brokerOutage = undefined;
		assert.match(press("b"), /the broker is not part of this simulation/);
		report.close();
	});
});

test("a frame of any content fits any screen, and holds no control character but colours", () => {
	const text = fc.string({ unit: "binary", maxLength: 200 });
	const node = fc.record({
		name: text,
		state: text,
		numbers: fc.oneof(fc.constant([]), fc.array(fc.constant("12,345"), { minLength: 5, maxLength: 5 })),
		values: text,
	});
	const value = fc.record({ topic: text, payload: text, time: fc.nat() });
	const frames: fc.Arbitrary<Frame> = fc.record({
		time: fc.nat(),
		speed: fc.constantFrom(1, 60, "max" as const),
		paused: fc.boolean(),
		outages: fc.array(text, { maxLength: 2 }),
		notes: fc.array(text, { maxLength: 3 }),
		nodes: fc.array(node, { maxLength: 30 }),
		selected: fc.constant(0),
		values: fc.option(fc.array(value, { maxLength: 40 }), { nil: undefined }),
		news: fc.array(text, { maxLength: 100 }),
		keys: fc.boolean(),
		help: fc.boolean(),
	});
	fc.assert(
		fc.property(
			frames,
			fc.integer({ min: 20, max: 200 }),
			fc.integer({ min: 5, max: 60 }),
			(frame, columns, rows) => {
				const selected = Math.max(0, frame.nodes.length - 1);
				const lines = frameLines({ ...frame, selected }, columns, rows);
				assert.equal(lines.length, rows);
				for (const line of lines) {
					// biome-ignore lint/suspicious/noControlCharactersInRegex: colours
					const plain = line.replace(/\x1b\[\d+m/g, "");
					assert.doesNotMatch(plain, /\p{Cc}/u);
					assert.ok(plain.length <= columns, plain);
				}
			},
		),
	);
});

test("more topics than rows: as many as fit, and how many more there are", () => {
	const frame: Frame = {
		time: 0,
		speed: 1,
		paused: false,
		outages: [],
		notes: [],
		nodes: [{ name: "shed", state: "awake", numbers: [], values: "" }],
		selected: 0,
		values: Array.from({ length: 30 }, (_, index) => ({ topic: `t/${index}`, payload: "1", time: 0 })),
		news: ["an event"],
		keys: true,
		help: false,
	};
	const text = frameLines(frame, 80, 24).join("\n");
	assert.match(text, /t\/10 .*\n.* … 19 more/);
	assert.match(text, /an event/);
});
