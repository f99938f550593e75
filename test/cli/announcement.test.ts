import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { JSONDocument } from "../../cli/config/json";
import { checkDocument } from "../../cli/config/load";
import { formatProblem } from "../../cli/config/problem";

const manifest = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const INCLUDE = "./firmware/mdns/manifest.json";

/** Problems and warnings of a manifest, without their place in the file. */
function check(firefly: object, include: readonly string[] = []): readonly string[] {
	const text = JSON.stringify({
		include: ["./firmware/manifest.json", ...include],
		config: { firefly: { wifi: { ssid: "n" }, ...firefly } },
	});
	const loaded = checkDocument(new JSONDocument("m", text), manifest, { FIREFLY_WIFI_PASSWORD: "p4ssword" });
	return [...("problems" in loaded ? loaded.problems : []), ...loaded.warnings]
		.map((problem) => formatProblem(problem).replace(/^m:\d+:\d+ (config\.firefly\.)?/, ""))
		.filter((text) => !text.startsWith("listen.anonymous: "));
}

const broker = (mdns: unknown): object => ({ role: "broker", listen: { anonymous: true, mdns } });

test("check: a name to announce without the include is a warning that names it; with it there is none", () => {
	assert.deepEqual(check(broker("firefly")), [
		`listen.mdns: "firefly" needs what no include provides; add "${INCLUDE}" to include for a chip, which does not announce it otherwise`,
	]);
	assert.deepEqual(check(broker("firefly"), [INCLUDE]), []);
	assert.deepEqual(check(broker(false)), []);
});

test("check: what cannot be the first label of a name is an error", () => {
	for (const name of ["", "Firefly", "firefly.local", "-a", "a-", "a_b", "x".repeat(33), "grün"])
		assert.deepEqual(
			check(broker(name), [INCLUDE]),
			[
				`listen.mdns: ${JSON.stringify(name)} is not 1 to 32 lower-case letters, digits and -, without a - at an end`,
			],
			name,
		);
	for (const name of ["a", "a-1", "x".repeat(32)]) assert.deepEqual(check(broker(name), [INCLUDE]), [], name);
});
