import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { expand, unknownPlaceholder } from "../../src/config/template";
import { utf8Length } from "../../src/config/text";
import { parseBrokerURL } from "../../src/config/url";
import { payloadProblem, reportTopicProblem, secretProblem, textProblem } from "../../src/config/validators";

test("broker addresses are parsed", () => {
	const rows: readonly (readonly [string, string | { host: string; port: number }])[] = [
		["mqtt://b", { host: "b", port: 1883 }],
		["mqtt://192.168.1.10", { host: "192.168.1.10", port: 1883 }],
		["mqtt://broker.example:1884/", { host: "broker.example", port: 1884 }],
		["mqtt://[fe80::1]", { host: "fe80::1", port: 1883 }],
		["mqtt://[::1]:65535", { host: "::1", port: 65535 }],
		["b", "does not begin with mqtt://"],
		["MQTT://b", "does not begin with mqtt://"],
		["mqtts://b", "asks for TLS, which a node does not have yet; mqtt://, MQTT over TCP, is supported"],
		["mqtt://", "has an impossible host name"],
		["mqtt://:1883", "has an impossible host name"],
		["mqtt://a b", "has an impossible host name"],
		["mqtt://b:", "has an impossible port"],
		["mqtt://b:0", "has an impossible port"],
		["mqtt://b:65536", "has an impossible port"],
		["mqtt://b:1x", "has an impossible port"],
		["mqtt://b:1:2", "has an impossible port"],
		["mqtt://b:000080", "has an impossible port"],
		["mqtt://u@b", "holds a user name, which belongs into broker.username"],
		["mqtt://b/home", "has a path, which MQTT knows not"],
		["mqtt://[::1", "lacks a closing bracket"],
		["mqtt://[]", "has an impossible address"],
		["mqtt://[::1]x", "has something between address and port"],
	];
	for (const [text, expected] of rows) assert.deepEqual(parseBrokerURL(text), expected, text);
	fc.assert(fc.property(fc.string(), (text) => void parseBrokerURL(`mqtt://${text}`)));
});

test("an empty port after the colon means no port", () => {
	assert.equal(parseBrokerURL("mqtt://[::1]:"), "has an impossible port");
});

test("placeholders are replaced", () => {
	const values = { mac: "a0b1c2d3e4f5", chip: "esp32", id: "shed" };
	assert.equal(expand("{id}/{sensor}/{mac}-{chip}{id}", values), "shed/{sensor}/a0b1c2d3e4f5-esp32shed");
	assert.equal(expand("{sensor}", { sensor: "{id}", id: "x" }), "{id}");
	assert.equal(unknownPlaceholder("a/{id}/{sensor}", ["id", "sensor"]), undefined);
	assert.equal(unknownPlaceholder("a/{id}/{room}", ["id", "sensor"]), "{room}");
	assert.equal(unknownPlaceholder("{}", ["id"]), "{}");
	for (const text of ["{", "a{id", "}{id}"]) assert.equal(unknownPlaceholder(text, ["id"])?.length, 1, text);
});

test("a topic is measured in bytes", () => {
	assert.equal(reportTopicProblem("é".repeat(64)), undefined);
	assert.equal(reportTopicProblem("🌡".repeat(33)), "is 132 bytes long; at most 128 are allowed");
});

test("lengths in UTF-8 equal those of the encoder", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), (text) => {
			assert.equal(utf8Length(text), text.isWellFormed() ? new TextEncoder().encode(text).length : -1);
		}),
	);
	assert.equal(utf8Length("\ud800"), -1);
});

test("MQTT strings must not contain U+0000", () => {
	for (const problem of [payloadProblem, secretProblem, textProblem]) {
		assert.equal(problem("a\0b"), "holds the character U+0000");
		assert.equal(problem("ab"), undefined);
	}
});
