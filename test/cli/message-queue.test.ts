import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ACTIVE_CONNECTIONS } from "../../cli/config/chip-limits";
import { DEFAULT_QUEUE_LENGTH, messageQueueLength } from "../../cli/config/message-queue";
import { readSettings } from "../../src/config/settings";
import { root } from "../firmware/import-graph";
import { Project } from "./project";

const identity = { mac: "0".repeat(12), chip: "esp32" };
const needed = (firefly: object): number =>
	messageQueueLength(readSettings({ firefly }, identity, assert.fail));

test("the firmware's manifest asks for the default length, which suffices for every role's default pools", () => {
	const { platforms } = JSON.parse(readFileSync(join(root, "firmware/manifest.json"), "utf8")) as {
		platforms: { esp32: { defines: { task: { queuelength: number } } } };
	};
	assert.equal(platforms.esp32.defines.task.queuelength, DEFAULT_QUEUE_LENGTH);
	for (const role of ["sensor", "broker", "both"])
		assert.ok(needed({ role, listen: { webSocket: 80 } }) <= DEFAULT_QUEUE_LENGTH);
});

test("each connection adds three posts, a second port one, the sensor role two", () => {
	const base = needed({ role: "broker" });
	assert.equal(needed({ role: "broker", listen: { connections: 9 } }), base + 3);
	assert.equal(needed({ role: "broker", listen: { handshakes: 3 } }), base + 3);
	assert.equal(needed({ role: "broker", listen: { webSocket: 80 } }), base + 1);
	assert.equal(needed({ role: "both" }), base + 2);
	assert.ok(needed({ role: "sensor" }) < base);
});

for (const [where, json] of [
	["defines", (length: number) => ({ defines: { task: { queuelength: length } } })],
	[
		"platforms.esp32",
		(length: number) => ({ platforms: { esp32: { defines: { task: { queuelength: length } } } } }),
	],
] as const)
	test(`a queue of the manifest's own, in ${where}, is what check goes by`, async () => {
		const manifest = (length: number): string =>
			JSON.stringify({
				include: ["./firmware/manifest.json"],
				...json(length),
				config: { firefly: { role: "broker", listen: { anonymous: true, connections: 12 } } },
			});
		const project = new Project({ "long.json": manifest(53), "short.json": manifest(52) });
		const { stdout, code } = await project.run(["check", "long.json"]);
		assert.equal(code, 0, stdout);
		const short = await project.run(["check", "short.json"]);
		assert.equal(short.code, 1);
		assert.match(short.stderr, /queuelength: XS's message queue of 52 can become full, .*raise it to 53/);
		project.remove();
	});

test("lwIP has as many connections as check goes by", () => {
	const defaults = readFileSync(join(root, "firmware/esp32/sdkconfig/sdkconfig.defaults"), "utf8");
	const [, connections] = /CONFIG_LWIP_MAX_ACTIVE_TCP=(\d+)/.exec(defaults)!;
	assert.equal(Number(connections), ACTIVE_CONNECTIONS);
});
