import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ownDeclarations } from "../../cli/config/declarations";
import { JSONDocument } from "../../cli/config/json";
import { deviceSettings } from "../../cli/config/sizes";
import { type Meaning, meaningOf } from "../../cli/meaning/meaning";
import { meaningText } from "../../cli/meaning/text";
import { Project } from "./project";

const firmware = fileURLToPath(new URL("../../firmware", import.meta.url));
const drivers = ownDeclarations(firmware);

interface Changes {
	readonly [key: string]: unknown;
}

const temperature = { name: "temperature", driver: "sht3x", property: "thermometer.temperature" };

function firefly(sensors: readonly object[], more: Changes = {}): Changes {
	return { wifi: { ssid: "x" }, broker: { url: "mqtt://192.168.1.10" }, sensors, ...more };
}

function meaning(config: Changes): Meaning {
	const document = new JSONDocument("m.json", JSON.stringify({ config: { firefly: config } }));
	return meaningOf({ settings: deviceSettings(document, {}), drivers });
}

const days = (config: Changes): number => meaning(config).battery.days;

test("a terminal of 60 columns: no line is wider, and no word is lost", () => {
	const means = meaning(firefly([{ ...temperature, every: "10s", delta: 0.2, heartbeat: "15m" }]));
	const words = (text: string): string[] => text.split(/\s+/);
	const narrow = meaningText(means, 60);
	for (const line of narrow.split("\n")) assert.ok(line.length <= 60, line);
	assert.match(narrow, /\n {13}with the simulator's curves\n/);
	assert.deepEqual(words(narrow), words(meaningText(means)));
});

test("every 10 s without a deadband: every sample is a report", () => {
	const { day, battery, packets } = meaning(firefly([{ ...temperature, every: "10s" }]));
	assert.deepEqual(day, {
		wakes: 8640,
		samples: 8640,
		values: 8640,
		gathering: 0,
		reportsAtMost: 8640,
		reports: 8640,
		exchanges: 8640,
	});
	assert.ok(battery.days > 20 && battery.days < 30, `${battery.days}`);
	assert.deepEqual(
		battery.instead.map((other) => other.with),
		[
			"every 1m",
			"every 5m",
			"delta 0.2 of temperature",
			"every 1m with delta 0.2 of temperature",
			"every 5m with delta 0.2 of temperature",
		],
	);
	assert.ok(packets.report! > 40 && packets.connect! > 20);
});

test("what is said of other settings is what is said of them when they are configured", () => {
	const { battery } = meaning(firefly([{ ...temperature, every: "10s" }]));
	const said = (label: string): number | undefined =>
		battery.instead.find((other) => other.with === label)?.days;
	assert.equal(said("every 1m"), days(firefly([{ ...temperature, every: "60s" }])));
	const damped = { ...temperature, every: "60s", delta: 0.2, heartbeat: "15m" };
	assert.equal(said("every 1m with delta 0.2 of temperature"), days(firefly([damped])));
});

test("samples of several sensors share wakes; JSON with several values is one report", () => {
	const sensors = [
		{ ...temperature, every: "60s" },
		{ name: "humidity", driver: "sht3x", property: "hygrometer.humidity", every: "5m" },
	];
	assert.deepEqual(meaning(firefly(sensors)).day, {
		wakes: 1440,
		samples: 1728,
		values: 1728,
		gathering: 0,
		reportsAtMost: 1728,
		reports: 1728,
		exchanges: 1440,
	});
	const together = { payload: "json", topic: "home/all" };
	assert.deepEqual(meaning(firefly(sensors, together)).day, {
		wakes: 1440,
		samples: 1728,
		values: 1728,
		gathering: 0,
		reportsAtMost: 1440,
		reports: 1440,
		exchanges: 1440,
	});
});

test("several samples a value: more wakes or more time awake, and no more reports", () => {
	const spread = meaning(firefly([{ ...temperature, samples: 6 }]));
	assert.deepEqual(
		[spread.day?.wakes, spread.day?.samples, spread.day?.values, spread.day?.reports],
		[8640, 8640, 1440, 1440],
	);
	const burst = meaning(firefly([{ ...temperature, samples: 6, spacing: "50ms" }]));
	assert.deepEqual(
		[burst.day?.wakes, burst.day?.samples, burst.day?.values, burst.day?.gathering],
		[1440, 8640, 1440, 1440 * 250],
	);
	const single = days(firefly([temperature]));
	assert.ok(spread.battery.days < burst.battery.days && burst.battery.days < single);
	assert.match(meaningText(burst), /^a day {8}1,440 wakes with 8,640 samples, 1,440 reports at most\n/);
});

test("an outbox in flash: the years that flash lasts at the configured rate, and nothing for others", () => {
	const outbox = { storage: "flash" };
	const years = (every: string, more: object = {}): number =>
		meaning(firefly([{ ...temperature, every, ...more }], { outbox })).flashYears!;
	// 1,440 reports of 7 entries, in 5 pages of 126 that are erased 100,000 times
	assert.equal(years("60s"), 17.11);
	assert.ok(Math.abs(years("10m") / years("60s") - 10) < 0.01);
	assert.ok(years("60s", { qos: 2 }) < years("60s"));
	assert.equal(meaning(firefly([temperature])).flashYears, undefined);
	assert.match(
		meaningText(meaning(firefly([{ ...temperature, every: "60s" }], { outbox }))),
		/^flash {8}lasts 17\.1 years with this outbox in it$/m,
	);
});

test("many samples a second are extrapolated from fewer", () => {
	const { day } = meaning(firefly([{ ...temperature, every: "100ms" }]));
	assert.equal(day?.wakes, 864_000);
});

test("a node that stays awake: deep sleep is what matters", () => {
	const { battery } = meaning(firefly([{ ...temperature, every: "60s" }], { sleep: { mode: "none" } }));
	assert.ok(battery.days < 2);
	assert.deepEqual(
		battery.instead.map((other) => other.with),
		['sleep.mode "light"', 'sleep.mode "deep"'],
	);
	const mode = (name: string): Changes =>
		firefly([{ ...temperature, every: "60s" }], { sleep: { mode: name } });
	assert.equal(battery.instead[0]?.days, days(mode("light")));
	assert.equal(battery.instead[1]?.days, days(mode("deep")));
	assert.deepEqual(
		meaning(mode("light")).battery.instead.map((other) => other.with),
		['sleep.mode "deep"'],
	);
});

test("a broker: memory and pools, and no day of samples", () => {
	const { day, battery, memory, packets } = meaning({
		role: "broker",
		listen: { anonymous: true, retainedBytes: 8000 },
	});
	assert.equal(day, undefined);
	assert.ok(battery.days < 2 && battery.instead.length === 0);
	assert.deepEqual(packets, { accepted: 512 });
	assert.deepEqual(
		memory.pools.find(({ key }) => key === "retainedBytes"),
		{
			key: "retainedBytes",
			bytes: 8000,
		},
	);
	assert.ok(memory.pools.every(({ bytes }, index) => index === 0 || bytes <= memory.pools[index - 1]!.bytes));
	assert.ok(memory.needed > memory.pools.reduce((sum, { bytes }) => sum + bytes, 0));
	assert.ok(memory.needed < memory.available);
});

test("as text: a line each, other settings below the battery", () => {
	const text = meaningText({
		day: {
			wakes: 8640,
			samples: 12_960,
			values: 12_960,
			gathering: 0,
			reportsAtMost: 12_960,
			reports: 4637,
			exchanges: 3105,
		},
		battery: {
			charge: 262.04,
			days: 9.54,
			capacity: 2500,
			instead: [
				{ with: "every 1m", charge: 50, days: 50.4 },
				{ with: "every 1h", charge: 2, days: 1250 },
			],
		},
		memory: { needed: 51_604, available: 86_016, pools: [{ key: "connections", bytes: 9312 }] },
		packets: { report: 76, connect: 41, accepted: 512 },
	});
	assert.equal(
		text,
		`a day        8,640 wakes, 12,960 reports at most, about 4,637 with the simulator's curves
battery      262 mAh a day: 9.5 days on 2,500 mAh (chip alone, as the simulator estimates it)
             every 1m: 50 days
             every 1h: 3.4 years
memory       51,604 of 86,016 bytes at the worst; the largest pools: connections 9,312
packets      reports up to 76 bytes, CONNECT up to 41, accepted up to 512
`,
	);
});

describe("the estimate and the simulator agree", () => {
	const project = new Project();
	after(() => project.remove());

	const configurations: readonly (readonly [string, Changes])[] = [
		["every 60 s", firefly([{ ...temperature, every: "60s" }])],
		["the mean of samples over a minute", firefly([{ ...temperature, samples: 6, decimals: 1 }])],
		[
			"the median of a burst",
			firefly([{ ...temperature, samples: 9, spacing: "200ms", aggregate: "median", decimals: 1 }]),
		],
		["with a deadband", firefly([{ ...temperature, every: "60s", delta: 0.2, heartbeat: "15m" }])],
		[
			"two sensors in JSON",
			firefly(
				[
					{ ...temperature, every: "60s", decimals: 1, delta: 0.1, heartbeat: "1h" },
					{ name: "humidity", driver: "sht3x", property: "hygrometer.humidity", every: "5m" },
				],
				{ payload: "json", topic: "home/all" },
			),
		],
	];
	for (const [name, config] of configurations)
		test(name, async () => {
			project.write(
				"manifest.json",
				JSON.stringify({
					include: [`${firmware}/manifest.json`, `${firmware}/drivers/sht3x/manifest.json`],
					config: { firefly: config },
				}),
			);
			const run = ["sim", "--speed", "max", "--engine", "node", "--for", "1d", "--json"];
			const { code, stdout } = await project.run(run);
			assert.equal(code, 0);
			const summary = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
			const { day, battery } = meaning(config);
			const near = (estimated: number, simulated: number, tolerance: number): void =>
				assert.ok(Math.abs(estimated / simulated - 1) < tolerance, `${estimated}, simulated ${simulated}`);
			near(day!.wakes, summary.wakes, 0.02);
			near(day!.reports, summary.published, 0.15);
			near(battery.days, summary.energy.battery.days, 0.1);
		});
});
