import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { expand, unknownPlaceholder } from "../../src/config/template";
import { utf8Length } from "../../src/config/text";
import { type BrokerAddress, parseBrokerURL } from "../../src/config/url";
import {
	passphraseProblem,
	payloadProblem,
	reportTopicProblem,
	secretProblem,
	ssidProblem,
	textProblem,
} from "../../src/config/validators";

test("broker addresses are parsed", () => {
	const rows: readonly (readonly [string, string | BrokerAddress])[] = [
		["mqtt://b", { host: "b", port: 1883 }],
		["mqtt://192.168.1.10", { host: "192.168.1.10", port: 1883 }],
		["mqtt://broker.example:1884/", { host: "broker.example", port: 1884 }],
		["mqtt://[fe80::1]", { host: "fe80::1", port: 1883 }],
		["mqtt://[::1]:65535", { host: "::1", port: 65535 }],
		["mqtts://b", { host: "b", port: 8883, transport: "mqtts" }],
		["mqtts://b:8884/", { host: "b", port: 8884, transport: "mqtts" }],
		["ws://b", { host: "b", port: 80, transport: "ws" }],
		["ws://b:9001/mqtt", { host: "b", port: 9001, transport: "ws", path: "/mqtt" }],
		["wss://[::1]/a/b?c=d", { host: "::1", port: 443, transport: "wss", path: "/a/b?c=d" }],
		["ws://b/user@home", { host: "b", port: 80, transport: "ws", path: "/user@home" }],
		["b", "does not begin with mqtt://, mqtts://, ws:// or wss://"],
		["MQTT://b", "does not begin with mqtt://, mqtts://, ws:// or wss://"],
		["http://b", "does not begin with mqtt://, mqtts://, ws:// or wss://"],
		["://b", "does not begin with mqtt://, mqtts://, ws:// or wss://"],
		["mqtts://b/mqtt", "has a path, which MQTT does not have"],
		["ws://b/a b", "has an impossible path"],
		["ws://b/a#b", "has an impossible path"],
		["ws://b/\r\nX: y", "has an impossible path"],
		[`ws://b/${"a".repeat(128)}`, "has a path of more than 128 characters"],
		["ws://u@b/mqtt", "holds a user name, which belongs into broker.username"],
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
		["mqtt://b/home", "has a path, which MQTT does not have"],
		["mqtt://[::1", "lacks a closing bracket"],
		["mqtt://[]", "has an impossible address"],
		["mqtt://[::1]x", "has something between address and port"],
	];
	for (const [text, expected] of rows) assert.deepEqual(parseBrokerURL(text), expected, text);
	const schemes = fc.constantFrom("mqtt", "mqtts", "ws", "wss", "");
	fc.assert(fc.property(schemes, fc.string(), (scheme, text) => void parseBrokerURL(`${scheme}://${text}`)));
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

test("the name and the passphrase of a network are those of IEEE 802.11, and whole for ESP-IDF", () => {
	for (const [text, problem] of [
		["n", undefined],
		["é".repeat(16), undefined],
		["é".repeat(17), /34 bytes/],
		["a\0b", /^holds U\+0000$/],
	] as const) {
		const found = ssidProblem(text);
		if (problem === undefined) assert.equal(found, undefined, text);
		else assert.match(found ?? "", problem);
	}
	for (const [text, problem] of [
		["8 bytes.", undefined],
		["x".repeat(63), undefined],
		["0123456789abcdefABCDEF".repeat(3).slice(0, 64), undefined],
		["7 bytes", /7 bytes long/],
		[`${"a".repeat(63)}x`, /^has 64 characters, which is a key of hexadecimal digits; a passphrase has 63/],
		["a".repeat(65), /65 bytes/],
		["12345678\0", /^holds U\+0000$/],
	] as const) {
		const found = passphraseProblem(text);
		if (problem === undefined) assert.equal(found, undefined, text);
		else assert.match(found ?? "", problem);
	}
});
