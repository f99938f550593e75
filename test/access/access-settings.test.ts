import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatPasswordHash, parsePasswordHash } from "../../src/config/password-hash";
import { readSettings } from "../../src/config/settings";
import { hashOf } from "./password-hash";

function read(listen: object) {
	const traces: string[] = [];
	const settings = readSettings({ firefly: { listen } }, { mac: "a0b1c2d3e4f5", chip: "esp32" }, (message) =>
		traces.push(message),
	).listen;
	return { settings, traces };
}

const hash = hashOf("apple");
const closed = { effect: "deny", action: "all", topic: "#" };

describe("listen.users, listen.acl and listen.anonymous", () => {
	test("valid settings: read as configured; missing ones are empty", () => {
		const { settings, traces } = read({
			anonymous: true,
			users: { anna: hash },
			acl: [
				{ deny: "publish", topic: "a/{id}", user: "anna", client: "c" },
				{ allow: "all", topic: "#" },
			],
		});
		assert.deepEqual(traces, []);
		assert.deepEqual(
			[settings.anonymous, settings.users, settings.acl],
			[
				true,
				[{ name: "anna", hash }],
				[
					{ effect: "deny", action: "publish", topic: "a/{id}", user: "anna", client: "c" },
					{ effect: "allow", action: "all", topic: "#" },
				],
			],
		);
		assert.deepEqual(
			[read({}).settings.anonymous, read({}).settings.users, read({}).settings.acl],
			[false, [], []],
		);
	});

	test("invalid users: left out, and no trace contains a hash", () => {
		const { settings, traces } = read({
			anonymous: "yes",
			users: { anna: `${hash}x`, "a/b": hash, ben: 7, carl: hash },
		});
		assert.deepEqual([settings.anonymous, settings.users], [false, [{ name: "carl", hash }]]);
		assert.equal(traces.length, 4);
		assert.ok(traces.every((trace) => !trace.includes("pbkdf2")));
	});

	test("an invalid rule: replaced, with all rules after it, by one that denies everything", () => {
		const good = { allow: "all", topic: "a" };
		for (const bad of [
			7,
			{},
			{ topic: "#" },
			{ allow: "all" },
			{ allow: "all", deny: "all", topic: "#" },
			{ deny: "read", topic: "#" },
			{ deny: "all", topic: "a#" },
			{ deny: "all", topic: "a", user: 7 },
			{ deny: "all", topic: "a", client: "" },
		]) {
			const { settings, traces } = read({ acl: [good, bad, good] });
			assert.deepEqual(
				settings.acl,
				[{ effect: "allow", action: "all", topic: "a" }, closed],
				JSON.stringify(bad),
			);
			assert.ok(traces.length > 0);
		}
		assert.deepEqual(read({ acl: "none" }).settings.acl, [closed]);
		assert.deepEqual(read({ acl: Array.from({ length: 65 }, () => good) }).settings.acl.at(-1), closed);
	});
});

test("a password hash that deviates from the format: rejected", () => {
	assert.equal(formatPasswordHash(parsePasswordHash(hash)!), hash);
	const [, , , salt, key] = hash.split("$");
	for (const wrong of [
		"",
		"apple",
		hash.slice(1),
		`${hash}$`,
		hash.replace("pbkdf2-sha256", "pbkdf2-sha1"),
		hash.replace("i=100", "i=99"),
		hash.replace("i=100", "i=0100"),
		hash.replace("i=100", "i=1e3"),
		hash.replace("i=100", "i=10000001"),
		hash.replace(salt!, salt!.slice(1)),
		hash.replace(key!, `${key!.slice(0, -1)}/`),
		hash.replace(key!, `${key!.slice(0, -1)}=`),
	])
		assert.equal(parsePasswordHash(wrong), undefined, wrong);
});
