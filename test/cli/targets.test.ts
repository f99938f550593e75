import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { Failure } from "../../cli/failure";
import { findTarget } from "../../cli/moddable/targets";
import { BoardProject } from "./board-tools";

const project = new BoardProject();
after(() => project.remove());
const sdk = join(project.directory, "sdk");

for (const { text, platform, chip } of [
	{ text: "esp32", platform: "esp32", chip: "esp32" },
	{ text: "ESP32C3", platform: "esp32/esp32c3", chip: "esp32c3" },
	{ text: "esp32/esp32c3", platform: "esp32/esp32c3", chip: "esp32c3" },
	{ text: "nodemcu", platform: "esp32/nodemcu", chip: "esp32" },
	{ text: "xiao_esp32c3", platform: "esp32/xiao_esp32c3", chip: "esp32c3" },
])
	test(`${text}: ${platform}, ${chip}`, () => {
		const target = findTarget(text, sdk);
		assert.deepEqual([target.platform, target.chip], [platform, chip]);
	});

for (const { text, message, root = sdk } of [
	{ text: "esp32-c3", message: 'there is no target esp32-c3; did you mean "esp32c3"?' },
	{ text: "nodemuc", message: 'there is no target nodemuc; did you mean "nodemcu"?' },
	{ text: "arduino", message: /^there is no target arduino: development kits are esp32, esp32s3, / },
	{ text: "esp32s2", message: "the SDK has no target esp32s2; its boards with that chip: saola_wroom" },
	{ text: "esp32h2", message: /^esp32h2 has no Wi-Fi, which Firefly needs: take another ESP32/ },
	{ text: "esp32/esp32h2_cdc", message: /has no Wi-Fi/ },
	{ text: "esp", message: /^Firefly does not run on esp: it needs an ESP32 with Wi-Fi/ },
	{ text: "pico/pico_w", message: /^Firefly does not run on pico\/pico_w/ },
	{ text: "lin", message: "lin is mcsim on a computer: npx firefly mcsim" },
	// Without an SDK, what needs none is said all the same.
	{ text: "esp32h2", message: /has no Wi-Fi/, root: undefined },
	{ text: "esp32c9", message: /did you mean "esp32c\d"\?$/, root: undefined },
])
	test(`${text}: ${message}`, () => {
		assert.throws(
			() => findTarget(text, root),
			(error) => {
				assert.ok(error instanceof Failure);
				if (typeof message === "string") assert.equal(error.message, message);
				else assert.match(error.message, message);
				return true;
			},
		);
	});

test("the kits are known without an SDK", () => {
	assert.equal(findTarget("esp32c6", undefined).platform, "esp32/esp32c6");
});
