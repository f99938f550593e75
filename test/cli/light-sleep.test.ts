import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { JSONDocument } from "../../cli/config/json";
import { checkDocument } from "../../cli/config/load";
import { formatProblem } from "../../cli/config/problem";

const manifest = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const INCLUDE = "./firmware/light-sleep/manifest.json";

/** Problems and warnings of a manifest, without their place in the file. */
function check(firefly: object, include: readonly string[] = [], platforms: object = {}) {
	const text = JSON.stringify({
		include: ["./firmware/manifest.json", "./firmware/drivers/virtual/manifest.json", ...include],
		config: {
			firefly: {
				wifi: { ssid: "n" },
				broker: { url: "mqtt://b" },
				sensors: [{ name: "t", driver: "virtual", property: "thermometer.temperature" }],
				...firefly,
			},
		},
		platforms,
	});
	const loaded = checkDocument(new JSONDocument("m", text), manifest, { FIREFLY_WIFI_PASSWORD: "p4ssword" });
	const texts = (list: readonly Parameters<typeof formatProblem>[0][]): string[] =>
		list.map((problem) => formatProblem(problem).replace(/^m:\d+:\d+ (config\.firefly\.)?/, ""));
	return { problems: "problems" in loaded ? texts(loaded.problems) : [], warnings: texts(loaded.warnings) };
}

describe("check of light sleep", () => {
	const light = { sleep: { mode: "light" } };

	test("without its include: an error that names it; with it, none", () => {
		assert.deepEqual(check(light).problems, [
			`sleep.mode: "light" needs what no include provides; add "${INCLUDE}" to include`,
		]);
		assert.deepEqual(check(light, [INCLUDE]), { problems: [], warnings: [] });
	});

	test("another mode needs no include, and may have it, for the command set", () => {
		for (const mode of ["deep", "none"])
			for (const include of [[], [INCLUDE]])
				assert.deepEqual(check({ sleep: { mode } }, include), { problems: [], warnings: [] });
	});

	test("light on one platform: on a chip it needs the include, in mcsim it does not", () => {
		const config = { firefly: light };
		assert.equal(check({}, [], { "esp32/esp32c3": { config } }).problems.length, 1);
		assert.deepEqual(check({}, [], { lin: { config } }).problems, []);
	});

	test("a broker, which stays awake: a warning that it has no effect", () => {
		const { problems, warnings } = check({ ...light, role: "both", listen: { anonymous: true } });
		assert.deepEqual(problems, []);
		const found = warnings.filter((warning) => warning.startsWith("sleep."));
		assert.deepEqual(found, ["sleep.mode: has no effect on a broker, which stays awake for its clients"]);
	});

	test("what is for deep sleep only has no effect, as on a node that stays awake", () => {
		const battery = { sensor: "t", low: 3.5, empty: 3.3 };
		assert.deepEqual(check({ ...light, battery }, [INCLUDE]).problems, [
			"battery: has no effect on a node that stays awake",
		]);
	});
});
