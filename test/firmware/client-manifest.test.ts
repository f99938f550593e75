import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { CLIENT_MANIFEST, clientModules, ECMA419_MANIFEST, ecma419Modules } from "./client-modules";
import { importGraph, root } from "./import-graph";

interface Manifest {
	modules: Record<string, string>;
	preload: string[];
}

function read(path: string): Manifest {
	return JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest;
}

const manifest = read(CLIENT_MANIFEST);

test("the client's manifest lists exactly what the client and its queue import, preloaded", async () => {
	assert.deepEqual(manifest.modules, await clientModules());
	assert.deepEqual(manifest.preload, Object.keys(manifest.modules));
	for (const path of Object.values(manifest.modules))
		assert.ok(existsSync(join(root, dirname(CLIENT_MANIFEST), `${path}.ts`)), path);
});

test("the client's page names no module that the manifest lacks", () => {
	const page = readFileSync(join(root, "docs/client.md"), "utf8");
	const names = [...page.matchAll(/"(firefly\/[^"]+\w)"/g)].map(([, name]) => name);
	assert.ok(names.length > 3);
	for (const name of names) assert.ok(manifest.modules[name] !== undefined, name);
});

test("no module of the client has a name that another may have, and none needs a module of a platform", async () => {
	for (const name of Object.keys(manifest.modules)) assert.match(name, /^firefly\//);
	for (const entry of ["src/client/client", "src/client/queue/publish-queue"])
		assert.deepEqual([...(await importGraph(entry)).bare], []);
});

test("the manifest of the ECMA-419 class lists what it adds to the client, preloaded", async () => {
	const added = read(ECMA419_MANIFEST);
	assert.deepEqual(added.modules, await ecma419Modules());
	assert.deepEqual(added.preload, Object.keys(added.modules));
	for (const [name, path] of Object.entries(added.modules)) {
		assert.ok(existsSync(join(root, dirname(ECMA419_MANIFEST), `${path}.ts`)), path);
		assert.equal(manifest.modules[name], undefined, name);
	}
	// Its relative imports are looked up by the names of modules, not by folders.
	for (const path of ["mqtt-client", "host-provider"])
		assert.deepEqual(
			[...(await importGraph(`firmware/ecma419/${path}`)).files],
			[`firmware/ecma419/${path}`],
		);
});
