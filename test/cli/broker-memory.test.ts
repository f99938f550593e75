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

function configured(listen: object): string {
	const json = { include: [firmware], config: { firefly: { role: "broker", listen } } };
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
	const file = configured({ anonymous: true, retainedBytes: 36_000 });
	assert.equal(prepareBroker(file, none, "xs").settings.retainedBytes, 36_000);
	for (const args of [
		{ ...none, webSocket: 0 },
		{ ...none, data: "x" },
	])
		assert.throws(() => prepareBroker(file, args, "xs"), /retainedBytes may be/);
});
