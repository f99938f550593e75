import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { CompletionItem, LanguageService } from "vscode-json-languageservice";

// A module of CommonJS, some of whose exports Node does not see by name.
const { getLanguageService, TextDocument } = createRequire(import.meta.url)(
	"vscode-json-languageservice",
) as typeof import("vscode-json-languageservice");
const SCHEMA = fileURLToPath(new URL("../../docs/manifest.schema.json", import.meta.url));
/** Stands for the cursor in a text. */
const CURSOR = "│";

/** The language server of VS Code and other editors for JSON, with the schema that a manifest names. */
describe("a language server with docs/manifest.schema.json", () => {
	let service: LanguageService;
	before(() => {
		const schema = readFileSync(SCHEMA, "utf8");
		service = getLanguageService({ schemaRequestService: async () => schema });
	});

	/** @param firefly content of `config.firefly`, with the cursor in it */
	const open = (firefly: string) => {
		const text = `{ "$schema": "./manifest.schema.json", "config": { "firefly": ${firefly} } }`;
		const offset = text.indexOf(CURSOR);
		const document = TextDocument.create("file:///m/manifest.json", "json", 1, text.replace(CURSOR, ""));
		return {
			document,
			json: service.parseJSONDocument(document),
			position: document.positionAt(Math.max(0, offset)),
		};
	};

	/** What the editor proposes at the cursor. */
	const complete = async (firefly: string): Promise<readonly CompletionItem[]> => {
		const { document, json, position } = open(firefly);
		return (await service.doComplete(document, position, json))?.items ?? [];
	};

	const labels = async (firefly: string): Promise<readonly string[]> =>
		(await complete(firefly)).map(({ label }) => label);

	/** What the editor says at the cursor. */
	const hover = async (firefly: string): Promise<string> => {
		const { document, json, position } = open(firefly);
		return JSON.stringify((await service.doHover(document, position, json))?.contents ?? "");
	};

	const problems = async (firefly: string): Promise<readonly string[]> => {
		const { document, json } = open(firefly);
		return (await service.doValidation(document, json)).map(({ message }) => String(message));
	};

	test("a new key of config.firefly: all keys that are not there yet, each with what it means", async () => {
		const items = await complete(`{ "role": "sensor", ${CURSOR} }`);
		const names = items.map(({ label }) => label);
		for (const key of ["id", "wifi", "broker", "topic", "sensors", "listen", "sleep", "outbox", "time"])
			assert.ok(names.includes(key), `${key} of ${names}`);
		assert.ok(!names.includes("role"));
		for (const { label, documentation } of items)
			assert.ok(JSON.stringify(documentation ?? "").length > 10, `${label} has no text`);
	});

	test("a new key within a section and within a sensor", async () => {
		const broker = await labels(`{ "broker": { ${CURSOR} } }`);
		for (const key of ["url", "version", "keepAlive", "will"]) assert.ok(broker.includes(key), `${broker}`);
		const sensor = await labels(`{ "sensors": [{ "name": "t", ${CURSOR} }] }`);
		for (const key of ["driver", "property", "every", "delta", "heartbeat"])
			assert.ok(sensor.includes(key), `${sensor}`);
	});

	test("values: the choices of an enumeration, examples of a duration", async () => {
		assert.deepEqual([...(await labels(`{ "role": ${CURSOR} }`))].sort(), ['"both"', '"broker"', '"sensor"']);
		const durations = await labels(`{ "sensors": [{ "name": "t", "heartbeat": ${CURSOR} }] }`);
		assert.ok(durations.includes('"15m"'), `${durations}`);
	});

	test("a driver: every driver of Firefly; then its properties and options, and no other's", async () => {
		const drivers = await labels(`{ "sensors": [{ "name": "t", "driver": ${CURSOR} }] }`);
		for (const name of ["aht10", "bme68x", "sht3x", "virtual"])
			assert.ok(drivers.includes(`"${name}"`), `${drivers}`);
		const sensor = '"name": "t", "driver": "sht3x"';
		assert.deepEqual(
			(await labels(`{ "sensors": [{ ${sensor}, "property": ${CURSOR} }] }`)).filter((label) =>
				label.includes("."),
			),
			['"thermometer.temperature"', '"hygrometer.humidity"'],
		);
		const options = await labels(`{ "sensors": [{ ${sensor}, "options": { ${CURSOR} } }] }`);
		for (const key of ["address", "data", "clock", "hz"]) assert.ok(options.includes(key), `${options}`);
		assert.ok(!options.includes("divider"), `${options}`);
		const addresses = await labels(`{ "sensors": [{ ${sensor}, "options": { "address": ${CURSOR} } }] }`);
		for (const address of ["68", "69"]) assert.ok(addresses.includes(address), `${addresses}`);
		const battery = await labels(
			`{ "sensors": [{ "name": "b", "driver": "battery", "options": { ${CURSOR} } }] }`,
		);
		assert.ok(battery.includes("divider") && !battery.includes("address"), `${battery}`);
	});

	test("hovering a key: its text, with its range", async () => {
		assert.match(
			await hover(`{ "sensors": [{ "ev${CURSOR}ery": "60s" }] }`),
			/Time from one value to the next.*From 100ms to 24d/,
		);
	});

	test("what is wrong is marked, what is right is not", async () => {
		const good =
			'{ "role": "sensor", "sensors": [{ "name": "t", "driver": "sht3x", "property": "thermometer.temperature" }] }';
		assert.deepEqual(await problems(good), []);
		assert.match((await problems('{ "rolle": "sensor" }')).join(), /rolle is not allowed/);
		const adress = good.replace('"property"', '"options": { "adress": 68 }, "property"');
		assert.match((await problems(adress)).join(), /adress is not allowed/);
	});
});
