import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { JSONDocument } from "../../cli/config/json";
import { checkDocument } from "../../cli/config/load";
import { formatProblem } from "../../cli/config/problem";

const manifest = fileURLToPath(new URL("../../manifest.json", import.meta.url));

/** Problems and warnings of a manifest with these sensors, without their place in the file. */
function check(firefly: object, platforms: object = {}): { problems: string[]; warnings: string[] } {
	const text = JSON.stringify({
		include: ["./firmware/manifest.json", "./firmware/drivers/digital/manifest.json"],
		config: { firefly: { wifi: { ssid: "n" }, broker: { url: "mqtt://b" }, ...firefly } },
		platforms,
	});
	const document = new JSONDocument("m", text);
	const loaded = checkDocument(document, manifest, { FIREFLY_WIFI_PASSWORD: "p4ssword" });
	const texts = (list: readonly Parameters<typeof formatProblem>[0][]): string[] =>
		list.map((problem) => formatProblem(problem).replace(/^m:\d+:\d+ (config\.firefly\.)?/, ""));
	return { problems: "problems" in loaded ? texts(loaded.problems) : [], warnings: texts(loaded.warnings) };
}

const door = (options: object, more: object = {}): object => ({
	name: "door",
	driver: "digital",
	property: "contact.open",
	options,
	wake: true,
	...more,
});

describe("pins that wake", () => {
	const rows: readonly (readonly [string, object, readonly string[], (readonly string[])?])[] = [
		["a pin of all chips", { sensors: [door({ pin: 4 })] }, []],
		["wake of false", { sensors: [door({ pin: 23 }, { wake: false })] }, []],
		[
			"a pin of no chip: the list of each",
			{ sensors: [door({ pin: 23 })] },
			[
				"sensors[0].options.pin: GPIO 23 cannot wake a chip; these can: ESP32: 0, 2, 4, 12, 13, 14, 15, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39; ESP32-S2, S3: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21; ESP32-C3: 0, 1, 2, 3, 4, 5; ESP32-C6: 0, 1, 2, 3, 4, 5, 6, 7",
			],
		],
		[
			"a third pin",
			{ sensors: [4, 5, 6].map((pin) => door({ pin }, { name: `d${pin}` })) },
			["sensors[2].options.pin: is one more pin than the 2 that can wake a chip"],
		],
		["two sensors of a pin", { sensors: [4, 5, 5].map((pin, i) => door({ pin }, { name: `d${i}` })) }, []],
		[
			"a node that stays awake",
			{ sleep: { mode: "none" }, sensors: [door({ pin: 4 })] },
			["sensors[0].wake: has no effect on a node that stays awake"],
		],
		[
			"a value that is calibrated",
			{ sensors: [door({ pin: 4 }, { scale: 2, decimals: 0 })] },
			["sensors[0].scale: does not go with wake, which is for values of 0 and 1"],
		],
		[
			"a driver without a pin",
			{ sensors: [{ name: "t", driver: "replay", property: "x", wake: true }] },
			["sensors[0].wake: needs options.pin, the pin of a driver such as digital"],
		],
		[
			"a pin of an ESP32 without a resistor",
			{ sensors: [door({ pin: 35 })] },
			[],
			['sensors[0].options.pin: an ESP32 has no resistor at GPIO 35: wire one, and set pull to "none"'],
		],
		["the same with a resistor that is wired", { sensors: [door({ pin: 35, pull: "none" })] }, []],
		[
			"a limit of wakes without a sensor that wakes",
			{ sleep: { pinWakeLimit: 5 }, sensors: [door({ pin: 4 }, { wake: false })] },
			[],
			['sleep.pinWakeLimit: has no effect without a sensor with "wake": true'],
		],
		[
			"a limit of 0",
			{ sleep: { pinWakeLimit: 0 }, sensors: [door({ pin: 4 })] },
			["sleep.pinWakeLimit: 0 is not between 1 and 3600"],
		],
	];
	for (const [name, firefly, problems, warnings = []] of rows)
		test(name, () => assert.deepEqual(check(firefly), { problems, warnings }));

	test("a board's own block: the pins of its chip", () => {
		const board = (name: string, pin: number) => {
			const config = { firefly: { sensors: [door({ pin })] } };
			return check({ sensors: [door({ pin: 4 })] }, { [name]: { config } }).problems;
		};
		assert.deepEqual(board("esp32/esp32c3", 5), []);
		assert.deepEqual(board("esp32/esp32c6", 7), []);
		assert.deepEqual(board("esp32/esp32s3", 21), []);
		const [problem = ""] = board("esp32/esp32c3", 6);
		assert.match(problem, /GPIO 6 cannot wake an ESP32-C3; these can: ESP32-C3: 0, 1, 2, 3, 4, 5/);
	});
});
