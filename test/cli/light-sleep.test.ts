import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkedSensor } from "./checked-sensor";

const INCLUDE = "./firmware/light-sleep/manifest.json";

function check(firefly: object, include: readonly string[] = [], platforms: object = {}) {
	return checkedSensor(firefly, { include, platforms });
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
