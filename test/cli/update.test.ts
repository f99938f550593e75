import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { checkedSensor } from "./checked-sensor";

const INCLUDE = "./firmware/update/manifest.json";
const TABLE = "./firmware/update/partitions.csv";
const folder = mkdtempSync(join(tmpdir(), "firefly-update-"));
after(() => rmSync(folder, { recursive: true }));

function check(firefly: object, include: readonly string[] = [], build: object = {}, platforms: object = {}) {
	return checkedSensor(firefly, { include, build, platforms });
}

describe("check of update", () => {
	const update = { commands: {}, update: {} };
	const table = { PARTITIONS_FILE: TABLE };
	const noTable =
		'update: needs a partition table with the slots ota_0 and ota_1 and with otadata: name one in build.PARTITIONS_FILE, such as "./firmware/update/partitions.csv"';

	test("with commands, its include and a table with two slots: nothing is wrong", () => {
		assert.deepEqual(check(update, [INCLUDE], table), { problems: [], warnings: [] });
	});

	test("without one of them: an error that says what to add", () => {
		assert.deepEqual(check({ update: {} }, [INCLUDE], table).problems, [
			'update: needs "commands": {}: the command update asks for an image',
		]);
		assert.deepEqual(check(update, [], table).problems, [
			`update: needs what no include provides; add "${INCLUDE}" to include`,
		]);
		assert.deepEqual(check(update, [INCLUDE]).problems, [noTable]);
		const one = { PARTITIONS_FILE: "./firmware/esp32/partitions.csv" };
		assert.deepEqual(check(update, [INCLUDE], one).problems, [noTable]);
	});

	test("a table with slots and no otadata: an error; one that is not there: a warning", () => {
		const path = join(folder, "table.csv");
		writeFileSync(path, "ota_0, app, ota_0, 0x10000, 1M,\nota_1, app, ota_1, 0x110000, 1M,\n");
		assert.deepEqual(check(update, [INCLUDE], { PARTITIONS_FILE: path }).problems, [noTable]);
		const { problems, warnings } = check(update, [INCLUDE], { PARTITIONS_FILE: join(folder, "none.csv") });
		assert.deepEqual(problems, []);
		assert.match(
			warnings.join(),
			/^update: needs two slots for images; whether there are is not known: .*none\.csv/,
		);
	});

	test("a broker: an error", () => {
		const { problems } = check({ ...update, role: "both", listen: { anonymous: true } }, [INCLUDE], table);
		assert.deepEqual(problems, ["update: is for a sensor node: a broker would have to start anew"]);
	});

	test("for mcsim alone there is nothing to check", () => {
		assert.deepEqual(check({}, [], {}, { lin: { config: { firefly: update } } }).problems, []);
	});
});
