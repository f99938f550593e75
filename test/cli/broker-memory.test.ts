import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { prepareBroker } from "../../cli/broker-config";
import { Failure } from "../../cli/failure";
import { Project } from "./project";

const firmware = fileURLToPath(new URL("../../firmware/manifest.json", import.meta.url));
const none = { port: undefined, webSocket: undefined, data: undefined };
const project = new Project();
after(() => project.remove());

function configured(listen: object, bridge?: object): string {
	const json = { include: [firmware], config: { firefly: { role: "broker", listen, bridge } } };
	project.write("manifest.json", JSON.stringify(json));
	return join(project.directory, "manifest.json");
}

test("pools that a chip cannot hold are refused on XS, and served on Node", () => {
	const file = configured({ anonymous: true, retainedBytes: 100_000 });
	assert.throws(
		() => prepareBroker(file, none, "xs"),
		(error) =>
			error instanceof Failure && /bytes of memory, but has 86016; retainedBytes may be/.test(error.message),
	);
	assert.equal(prepareBroker(file, none, "node").settings.retainedBytes, 100_000);
});

test("options of the command line count", () => {
	const file = configured({ anonymous: true, retainedBytes: 40_000 });
	assert.equal(prepareBroker(file, none, "xs").settings.retainedBytes, 40_000);
	for (const args of [
		{ ...none, webSocket: 0 },
		{ ...none, data: "x" },
	])
		assert.throws(() => prepareBroker(file, args, "xs"), /retainedBytes may be/);
});

test("a bridge takes places of its own, which are no pools of the configuration that are too large", () => {
	const topics = [{ filter: "a/#", qos: 2 }];
	const bridge = { url: "ws://127.0.0.1", topics };
	assert.equal(prepareBroker(configured({ anonymous: true }, bridge), none, "xs").settings.connections, 8);
	const file = configured(
		{ anonymous: true },
		{ ...bridge, url: "wss://127.0.0.1", tls: { fingerprint: "ab".repeat(32) } },
	);
	assert.throws(() => prepareBroker(file, none, "xs"), /has 86016; lessen the pools of listen/);
	// A rule is more than none, the default, and takes a few bytes.
	const acl = [{ allow: "all", topic: "a/#" }];
	const few = configured(
		{ anonymous: true, acl },
		{ ...bridge, url: "wss://127.0.0.1", tls: { fingerprint: "ab".repeat(32) } },
	);
	assert.throws(
		() => prepareBroker(few, none, "xs"),
		/lessen the pools of listen, or leave out persist, webSocket or bridge/,
	);
	const smaller = configured({ anonymous: true, connections: 6 }, bridge);
	assert.equal(prepareBroker(smaller, none, "xs").settings.connections, 6);
	const larger = configured({ anonymous: true, retainedBytes: 36_000 }, bridge);
	assert.throws(() => prepareBroker(larger, none, "xs"), /retainedBytes may be \d+ at most/);
});
