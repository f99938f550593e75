import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadManifest } from "../../cli/config/load";
import { simulatedBrokerProblem } from "../../cli/config/simulated-broker";
import { Project } from "./project";

const firmware = fileURLToPath(new URL("../../firmware", import.meta.url));
const include = [`${firmware}/manifest.json`, `${firmware}/drivers/virtual/manifest.json`];
const project = new Project();
after(() => project.remove());
const file = join(project.directory, "manifest.json");
const tls = { certificate: "c.pem", key: "k.pem" };

/** A node whose manifest also says how a broker listens. */
function write(listen: object | undefined, more: object = {}): void {
	const sensors = [
		{ name: "t", driver: "virtual", property: "thermometer.temperature", every: "10s", decimals: 1 },
	];
	const broker = { url: "mqtt://192.168.1.10" };
	const firefly = { wifi: { ssid: "x" }, broker, sensors, listen, ...more };
	project.write("manifest.json", JSON.stringify({ include, config: { firefly } }));
}

function problemOf(listen: object | undefined, more: object = {}, onXS = true): string | undefined {
	write(listen, more);
	const loaded = loadManifest(file, {});
	assert.ok("manifest" in loaded, JSON.stringify(loaded));
	return simulatedBrokerProblem(loaded.manifest, "m.json", onXS);
}

test("pools that no chip holds, on a node: nothing for check, refused on XS, fine on Node", () => {
	const pools = { retainedBytes: 100_000 };
	assert.match(
		problemOf(pools)!,
		/^m\.json config\.firefly\.listen\.retainedBytes: the broker simulated beside the node takes up to \d+ bytes of memory, but has 86016; retainedBytes may be \d+ at most; or name a broker with --broker/,
	);
	assert.equal(problemOf(pools, {}, false), undefined);
	assert.equal(problemOf({ retainedBytes: 4000 }), undefined);
	assert.equal(problemOf(undefined), undefined);
});

test("TLS of a broker on the board: refused on both engines; of the broker beside a node: as without", async () => {
	project.write("c.pem", "");
	project.write("k.pem", "");
	const listen = { anonymous: true, tls };
	for (const onXS of [true, false])
		assert.match(
			problemOf(listen, { role: "both" }, onXS)!,
			/^m\.json config\.firefly\.listen\.tls: a broker on a chip, and so a simulated one, has no TLS/,
		);
	assert.equal(problemOf(listen), undefined);

	const arguments_ = ["sim", "--engine", "node", "--speed", "max", "--for", "1m"];
	write(listen, { role: "both" });
	const refused = await project.run(arguments_);
	assert.deepEqual([refused.code, refused.stdout], [1, ""]);
	assert.match(refused.stderr, /^manifest\.json config\.firefly\.listen\.tls: /m);
	write(listen);
	const beside = await project.run(arguments_);
	assert.equal(beside.code, 0, beside.stderr);
	assert.match(beside.stdout, / 6 acknowledged, 0 waiting/);
});
