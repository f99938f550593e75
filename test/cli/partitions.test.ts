import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { imagePartition, parsePartitions } from "../../cli/config/partitions";
import { root } from "../firmware/import-graph";

test("sizes in hexadecimal, in kilobytes and megabytes; comments and empty lines are no partitions", () => {
	const text =
		"# Name, Type\r\n\r\nnvs, data, nvs, , 24K,\nfactory, app, factory, 0x10000, 1M\nx, data, 1, , many\n";
	assert.deepEqual(
		parsePartitions(text).map(({ name, bytes }) => [name, bytes]),
		[
			["nvs", 24_576],
			["factory", 1_048_576],
			["x", undefined],
		],
	);
});

for (const { text, image } of [
	{ text: "nvs, data, nvs, , 24K", image: undefined },
	{
		text: "ota_0, app, ota_0, , 0x1F0000\nota_1, app, ota_1, , 0x1E0000",
		image: { name: "ota_1", bytes: 0x1e0000 },
	},
	{ text: "factory, 0, factory, , 2M", image: { name: "factory", bytes: 0x200000 } },
])
	test(`${JSON.stringify(text)}: the image has to fit ${image?.name ?? "nothing that is known"}`, () => {
		assert.deepEqual(imagePartition(text), image);
	});

test("Firefly's own table", () => {
	const text = readFileSync(join(root, "firmware/esp32/partitions.csv"), "utf8");
	assert.deepEqual(imagePartition(text), { name: "factory", bytes: 0x3b0000 });
});
