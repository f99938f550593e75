import assert from "node:assert/strict";
import { test } from "node:test";
import { foreignMeaning, foreignTargets } from "../../cli/config/foreign-names";
import { JSONDocument } from "../../cli/config/json";
import { knownPaths } from "../../cli/config/meant-key";
import { ruleProblems } from "../../cli/config/rules";
import { schemaProblems } from "../../cli/config/schema-problems";
import { LocalConfig } from "../../src/config/schema/local";
import { Manifest } from "../../src/config/schema/manifest";

test("every foreign name leads to a key of the configuration", () => {
	const keys = new Set([
		...knownPaths,
		...["address", "clock", "data", "pin"].map((key) => `sensors[].options.${key}`),
	]);
	assert.ok(knownPaths.length > 80 && foreignTargets.length > 20);
	for (const path of foreignTargets) assert.ok(keys.has(path), path);
});

test("separators and case of a foreign name do not matter", () => {
	for (const name of ["update_interval", "updateInterval", "Update-Interval", "update interval"])
		assert.equal(foreignMeaning(name), "sensors[].every", name);
	assert.equal(foreignMeaning("zebra"), undefined);
	assert.equal(foreignMeaning("constructor"), undefined);
});

const messages = (value: object, isLocal = false): string[] => {
	const document = new JSONDocument("m.json", JSON.stringify(value));
	const problems = isLocal
		? schemaProblems(document, LocalConfig, [])
		: schemaProblems(document, Manifest, ["config", "firefly"]);
	return problems.map(({ path, message }) => `${path}: ${message}`);
};

test("keys at the top of the manifest, and of a platform, are looked up in the configuration too", () => {
	assert.deepEqual(messages({ wifi: { ssid: "x" } }), [
		'wifi: is not a known key; did you mean "config.firefly.wifi"?',
	]);
	assert.deepEqual(messages({ update_interval: 1 }), [
		'update_interval: is not a known key; did you mean "config.firefly.sensors[].every"?',
	]);
	assert.deepEqual(messages({ platforms: { esp32: { config: { firefly: { ssid: "x" } } } } }), [
		'platforms.esp32.config.firefly.ssid: is not a known key; did you mean "wifi.ssid"?',
	]);
});

test("keys of firefly.local.json are looked up from its own root", () => {
	assert.deepEqual(messages({ ssid: "x", wifi: { pass: "x" } }, true), [
		'ssid: is not a known key; did you mean "wifi.ssid"?',
		'wifi.pass: is not a known key; did you mean "password"?',
	]);
});

test("a key of the configuration beside config.firefly is a problem", () => {
	const document = new JSONDocument("m.json", '{"config": {"sensors": [], "firefly": {"role": "broker"}}}');
	const [problem] = ruleProblems(document, {});
	assert.equal(problem?.path, "config.sensors");
	assert.equal(problem?.message, 'is read nowhere; did you mean "config.firefly.sensors"?');
});
