import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { BROKER_ENTRIES, BROKER_MANIFEST, brokerModules } from "./broker-modules";
import { CLIENT_MANIFEST } from "./client-modules";
import { importGraph, root } from "./import-graph";

interface Manifest {
	readonly modules: Readonly<Record<string, string>>;
	readonly preload: readonly string[];
}

const read = (path: string): Manifest => JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest;
const manifest = read(BROKER_MANIFEST);

test("the broker's manifest lists exactly what the broker imports, preloaded", async () => {
	assert.deepEqual(manifest.modules, await brokerModules());
	assert.deepEqual(manifest.preload, Object.keys(manifest.modules));
	for (const path of Object.values(manifest.modules))
		assert.ok(existsSync(join(root, dirname(BROKER_MANIFEST), `${path}.ts`)), path);
});

test("no module of the broker has a name that another may have; of a platform it needs the listener", async () => {
	for (const name of Object.keys(manifest.modules)) assert.match(name, /^firefly\//);
	const bare = new Set<string>();
	for (const entry of BROKER_ENTRIES) for (const name of (await importGraph(entry)).bare) bare.add(name);
	assert.deepEqual([...bare], ["embedded:io/socket/listener"]);
});

test("a project with client and broker: a module of the same name is the same file", () => {
	const files = new Map<string, string>();
	for (const path of [CLIENT_MANIFEST, BROKER_MANIFEST])
		for (const [name, target] of Object.entries(read(path).modules)) {
			const file = join(dirname(path), target);
			assert.equal(files.get(name) ?? file, file);
			files.set(name, file);
		}
});
