import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { deltaChoices } from "../../cli/history/delta-choices";
import { recordedNodes } from "../../cli/history/recorded-nodes";
import { largestError, type Savings } from "../../cli/history/savings";
import { formatValue } from "../../sim/report/format";
import { chooseColumn } from "../../sim/sensors/column-choice";
import { columnOf } from "../../sim/sensors/replay";
import { unitConversion } from "../../sim/sensors/units";
import { Project } from "./project";

const firmware = fileURLToPath(new URL("../../firmware", import.meta.url));
const project = new Project();
after(() => project.remove());

const MINUTE = 60_000;
const START = Date.UTC(2024, 2, 14, 9);

/** A manifest of an SHT31 whose temperature has a deadband. */
function manifest(changes: object = {}): string {
	return JSON.stringify({
		include: [`${firmware}/manifest.json`, `${firmware}/drivers/sht3x/manifest.json`],
		config: {
			firefly: {
				wifi: { ssid: "x" },
				broker: { url: "mqtt://192.168.1.10" },
				topic: "home/{id}/{sensor}",
				sensors: [
					{
						name: "temperature",
						driver: "sht3x",
						property: "thermometer.temperature",
						every: "60s",
						delta: 0.2,
						heartbeat: "15m",
						...changes,
					},
				],
			},
		},
	});
}

/** Rows of a table, a minute apart; undefined: the row is missing. */
function table(values: readonly (number | undefined)[], name = "temperature"): string {
	return `time,${name}\n${values
		.flatMap((value, i) =>
			value === undefined ? [] : [`${new Date(START + i * MINUTE).toISOString()},${value}\n`],
		)
		.join("")}`;
}

function savingsOf(text: string, options: Parameters<typeof recordedNodes>[1] = {}): readonly Savings[] {
	project.write("readings.csv", text);
	return recordedNodes(`${project.directory}/readings.csv`, options).nodes.map((node) => node.savings());
}

test("a deadband: reports and the largest error are what a reader would have had", () => {
	const [savings] = savingsOf(table([20, 20.1, 20.19, 20.2, 20.3, 21, 21, 21]));
	const { readings, minimum, maximum, gaps, deadbands } = savings!.sensors[0]!;
	assert.deepEqual([readings, minimum, maximum, gaps], [8, 20, 21, { count: 0, length: 0 }]);
	const [none, ...others] = deadbands;
	assert.deepEqual([none!.delta, none!.reports, none!.saved, none!.largestError], [undefined, 8, 0, 0]);
	const fifth = others.find(({ delta }) => delta === 0.2);
	assert.deepEqual([fifth!.reports, fifth!.saved], [3, 1 - 3 / 8]);
	assert.equal(fifth!.largestError.toFixed(2), "0.19");
	assert.ok(fifth!.days > none!.days && fifth!.charge < none!.charge);
});

test("values of a history hold until the next one; unavailable ones are a gap", () => {
	const line = (minutes: number, state: string): string =>
		`sensor.t,${state},${new Date(START + minutes * MINUTE).toISOString()}\n`;
	const text = `entity_id,state,last_changed\n${line(0, "20")}${line(10, "unavailable")}${line(20, "21")}${line(39, "22")}`;
	const { readings, gaps, deadbands } = savingsOf(text, { every: MINUTE })[0]!.sensors[0]!;
	assert.deepEqual([readings, gaps], [3, { count: 1, length: 10 * MINUTE }]);
	assert.equal(deadbands[0]!.reports, 30);
});

test("rows that are missing are a gap, and no value counts in it", () => {
	const values = Array.from({ length: 60 }, (_, i) => (i >= 20 && i < 50 ? undefined : 20 + i / 10));
	const { gaps, deadbands } = savingsOf(table(values))[0]!.sensors[0]!;
	assert.deepEqual(gaps, { count: 1, length: 25 * MINUTE });
	assert.equal(deadbands[0]!.reports, 35);
});

test("a history of hours between values: other heartbeats change the reports, and the longest none", () => {
	const { deadbands } = savingsOf(table(Array.from({ length: 361 }, (_, i) => 20 + (i % 2) / 100)), {
		heartbeat: 15 * MINUTE,
	})[0]!.sensors[0]!;
	const { delta } = deadbands.at(-1)!;
	const reports = (heartbeat: number): number | undefined =>
		deadbands.find((each) => each.delta === delta && each.heartbeat === heartbeat)?.reports;
	assert.equal(delta, 0.01);
	// Each value differs from the one before by the deadband.
	assert.deepEqual([reports(15 * MINUTE), reports(5 * MINUTE), reports(60 * MINUTE)], [361, 361, 361]);
	const constant = savingsOf(table(Array.from({ length: 361 }, () => 20)))[0]!.sensors[0]!;
	assert.deepEqual(
		constant.deadbands.map((each) => each.delta),
		[undefined],
	);
});

describe("sensors of a manifest", () => {
	test("are found by name, in their unit; the configured deadband is marked", () => {
		project.write("manifest.json", manifest());
		const text = JSON.stringify([
			[70, 71, 70].map((value, i) => ({
				entity_id: "sensor.hall_temperature",
				state: `${value}`,
				attributes: { unit_of_measurement: "°F" },
				last_changed: new Date(START + i * MINUTE).toISOString(),
			})),
		]);
		const [{ sensors }] = savingsOf(text, { manifest: `${project.directory}/manifest.json` }) as [Savings];
		const [{ name, series, unit, minimum, maximum, deadbands }] = sensors as [Savings["sensors"][0]];
		assert.deepEqual(
			[name, series, unit, minimum.toFixed(3), maximum.toFixed(3)],
			["temperature", "sensor.hall_temperature", "°C", "21.111", "21.667"],
		);
		assert.deepEqual(
			deadbands.filter(({ configured }) => configured).map(({ delta, heartbeat }) => [delta, heartbeat]),
			[[0.2, 15 * MINUTE]],
		);
	});

	test("what does not fit is said, with what there is", async () => {
		project.write("manifest.json", manifest());
		project.write("two.csv", "time,hall,cellar\n2024-03-14 09:00,20,10\n2024-03-14 09:01,20,10\n");
		const none = await project.run(["history", "two.csv"]);
		assert.equal(none.code, 1);
		assert.match(
			none.stderr,
			/two\.csv:1: no series fits a sensor .* there are hall, cellar; .*--map temperature=COLUMN/,
		);
		const wrong = await project.run(["history", "two.csv", "--map", "temprature=hall"]);
		assert.match(wrong.stderr, /--map temprature: there is no such sensor; there are temperature/);
		const other = await project.run(["history", "two.csv", "--map", "temperature=attic"]);
		assert.match(other.stderr, /two\.csv:1: no column "attic"; there are hall, cellar/);
		const chosen = await project.run(["history", "two.csv", "--map", "temperature=cellar"]);
		assert.deepEqual([chosen.code, chosen.stderr], [0, ""]);
		assert.match(chosen.stdout, /^temperature from cellar: 2 readings, 10 … 10 °C; sampled every 1m$/m);
		assert.match(chosen.stdout, /^\* as in manifest\.json$/m);
		project.write("pressure.csv", "time,Temperature (hPa)\n2024-03-14 09:00,20\n2024-03-14 09:01,20\n");
		const quantity = await project.run(["history", "pressure.csv"]);
		assert.match(quantity.stderr, /Temperature \(hPa\) is in hPa, and temperature in °C/);
		const usage = await project.run(["history", "two.csv", "--zone", "Mars"]);
		assert.equal(usage.code, 2);
	});

	test("--map without a manifest: said, since it would map nothing", async () => {
		const folder = new Project({ "alone.csv": table([1, 2]) });
		const { code, stderr } = await folder.run(["history", "alone.csv", "--map", "temperature=x"]);
		folder.remove();
		assert.deepEqual(
			[code, stderr],
			[1, "--map temperature: there is no manifest whose sensors could be mapped; name it with --manifest\n"],
		);
	});

	test("a file that memory would not hold: refused with its size, and how to give it more", async () => {
		project.write("large.csv", table([1, 2]).padEnd(8 << 20, "\n"));
		const { code, stderr } = await project.run(["history", "large.csv"], {
			NODE_OPTIONS: "--max-old-space-size=64",
		});
		assert.equal(code, 1);
		assert.match(
			stderr,
			/^firefly: large\.csv: 8 MB are more than there is memory for, about [2-7] MB; use a part of it, or set NODE_OPTIONS=--max-old-space-size=320\n$/,
		);
	});

	test("reports and the simulator's replay of the same file agree", async () => {
		const values = Array.from({ length: 400 }, (_, i) => Number((20 + 2 * Math.sin(i / 40)).toFixed(2)));
		project.write("manifest.json", manifest({ grid: true }));
		const options = { manifest: `${project.directory}/manifest.json` };
		const { deadbands } = savingsOf(table(values), options)[0]!.sensors[0]!;
		const run = ["sim", "--replay", "readings.csv", "--speed", "max", "--engine", "node", "--json"];
		const { code, stdout, stderr } = await project.run([...run, "--manifest", "manifest.json"]);
		assert.equal(code, 0, stderr);
		const summary = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as { published: number };
		assert.equal(deadbands.find(({ configured }) => configured)!.reports, summary.published);
	});
});

test("sim --replay: a column by --map, in the sensor's unit", async () => {
	project.write(
		"manifest.json",
		manifest({ grid: true, delta: undefined, heartbeat: undefined, decimals: 1 }),
	);
	project.write("two.csv", "time,hall (°F),cellar (°F)\n2024-03-14 09:00,68,50\n2024-03-14 09:01,68,50\n");
	const args = [
		"sim",
		"--replay",
		"two.csv",
		"--manifest",
		"manifest.json",
		"--map",
		"temperature=cellar (°F)",
	];
	const { code, stdout, stderr } = await project.run([
		...args,
		"--speed",
		"max",
		"--engine",
		"node",
		"--json",
	]);
	assert.equal(code, 0, stderr);
	const values = stdout
		.trimEnd()
		.split("\n")
		.map((line) => JSON.parse(line) as { type: string; payload?: string })
		.filter(({ type }) => type === "value");
	assert.deepEqual(new Set(values.map(({ payload }) => payload)), new Set(["10.0"]));
});

test("as text: a row for each deadband, saved reports, charge, battery, error", async () => {
	const folder = new Project({ "readings.csv": table([20, 20.1, 20.2, 21, 21.1]) });
	after(() => folder.remove());
	const { code, stdout } = await folder.run(["history", "readings.csv"]);
	assert.equal(code, 0);
	const [period, , title, headings, none] = stdout.split("\n");
	assert.equal(period, "2024-03-14 09:00 to 2024-03-14 09:04 UTC, 4 min");
	assert.equal(title, "temperature: 5 readings, 20 … 21.1; sampled every 1m");
	assert.match(headings!, /^ +delta +heartbeat +reports +saved +mAh a day +battery +largest error$/);
	assert.match(none!, /^ +none +– +5 +– +\d+\.\d +\d+ days +0$/);
	const json = JSON.parse((await folder.run(["history", "readings.csv", "--json"])).stdout);
	assert.equal(json.nodes[0].sensors[0].deadbands[0].reports, 5);
});

test("series with different periods: each node samples with that of its own series", () => {
	const rows = [
		["a", 0, 1],
		["b", 0, 1],
		["a", 1, 2],
		["a", 2, 3],
		["b", 10, 2],
		["a", 3, 4],
		["b", 20, 3],
	] as const;
	const time = (minute: number) => (START + minute * MINUTE) * 1_000_000;
	const lines = rows.map(([name, minute, value]) => `${name} value=${value} ${time(minute)}\n`);
	assert.deepEqual(
		savingsOf(lines.join("")).map(({ sensors: [sensor] }) => [sensor!.name, sensor!.every]),
		[
			["value.a", MINUTE],
			["value.b", 10 * MINUTE],
		],
	);
});

test("a recording of thousands of columns: a node for each, and a message names the first ones", () => {
	const names = Array.from({ length: 5000 }, (_, i) => `c${i}`);
	const row = (minute: number, value: number) =>
		`${new Date(START + minute * MINUTE).toISOString()},${names.map(() => value).join(",")}\n`;
	const text = `time,${names.join(",")}\n${row(0, 1)}${row(1, 2)}`;
	assert.deepEqual(
		savingsOf(text).map(({ sensors }) => sensors[0]!.name),
		names,
	);
	project.write("manifest.json", manifest());
	assert.throws(() => savingsOf(text, { manifest: `${project.directory}/manifest.json` }), {
		message: `${project.directory}/readings.csv:1: no series fits a sensor of the manifest; there are ${names.slice(0, 20).join(", ")} and 4980 more; choose one with --map temperature=COLUMN`,
	});
	const doubled = text.replace("c4999", "c0");
	assert.throws(() => savingsOf(doubled), { message: /:1: two columns are called "c0"$/ });
});

test("largest error: as the definition says", () => {
	const ascending = fc
		.array(fc.nat({ max: 50 }), { maxLength: 20 })
		.map((times) => times.sort((a, b) => a - b));
	const value = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constant(NaN));
	fc.assert(
		fc.property(
			ascending,
			ascending,
			fc.array(value, { minLength: 20, maxLength: 20 }),
			(times, reports, values) => {
				const reported = reports.map((_, i) => i * 3);
				let expected = 0;
				for (const [i, time] of times.entries()) {
					const last = reports.findLastIndex((each) => each <= time);
					if (last >= 0 && !Number.isNaN(values[i]!))
						expected = Math.max(expected, Math.abs(values[i]! - reported[last]!));
				}
				assert.equal(largestError(times, values, reports, reported), expected);
			},
		),
	);
});

test("deltas to choose from: 1, 2 and 5, within the range, not below the step of the values", () => {
	const values = Float64Array.from({ length: 100 }, (_, i) => Math.round(Math.sin(i / 9) * 20) / 10);
	assert.deepEqual(deltaChoices(values, undefined, undefined), [0.1, 0.2, 0.5, 1, 2]);
	assert.deepEqual(deltaChoices(values, 0.3, 0.2), [0.1, 0.2, 0.3, 0.5, 1, 2]);
	assert.deepEqual(deltaChoices(new Float64Array(3).fill(7), undefined, undefined), []);
	fc.assert(
		fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 })), (numbers) => {
			const choices = deltaChoices(Float64Array.from(numbers), undefined, undefined);
			assert.ok(choices.length <= 5);
			for (const [i, delta] of choices.entries()) assert.ok(delta > (choices[i - 1] ?? 0));
		}),
	);
});

test("columns of sensors: whole names first, then endings and words, never one of two", () => {
	const choose = (columns: readonly string[]): number =>
		chooseColumn({ name: "temperature", property: ["thermometer", "temperature"] }, columns);
	assert.equal(choose(["humidity", "Temperature"]), 1);
	assert.equal(choose(["x", "thermometer.temperature", "temperature"]), 1);
	assert.equal(choose(["sensor.hall_humidity", "sensor.hall_temperature"]), 1);
	assert.equal(choose(["humidity", "Temperature (°F)"]), 1);
	assert.equal(choose(["temperature indoor", "humidity"]), 0);
	assert.equal(choose(["sensor.hall_temperature", "sensor.cellar_temperature"]), -1);
	assert.equal(choose(["hall", "cellar"]), -1);
});

test("units: what measures the same is converted, and nothing else", () => {
	const convert = (value: number, from: string, to: string): number | undefined =>
		unitConversion(from, to)?.(value);
	assert.equal(convert(68, "°F", "°C"), 20);
	assert.equal(convert(20, "C", "°F"), 68);
	assert.equal(convert(300, "K", "°C"), 26.85);
	assert.equal(convert(1013.25, "hPa", "Pa"), 101_325);
	assert.equal(convert(29.92, "inHg", "hPa")?.toFixed(1), "1013.2");
	assert.equal(convert(3900, "mV", "V"), 3.9);
	assert.equal(convert(7, "furlong", "furlong"), 7);
	assert.equal(convert(7, "furlong", "°C"), undefined);
	assert.equal(convert(7, "hPa", "°C"), undefined);
});

test("a sensor without a unit takes the numbers of a column in any, and is shown without one", () => {
	const acidity = { name: "acidity", property: ["acidity"], unit: "" };
	const { convert } = columnOf("room.csv", ["acidity"], acidity, new Map(), () => "pH");
	assert.equal(formatValue(convert(7), acidity.unit, 1), "7.0");
});
