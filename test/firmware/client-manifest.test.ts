import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { CLIENT_MANIFEST, clientModules } from "./client-modules";
import { importGraph, root } from "./import-graph";

const manifest = JSON.parse(readFileSync(join(root, CLIENT_MANIFEST), "utf8")) as {
	modules: Record<string, string>;
	preload: string[];
};

test("the client's manifest lists exactly what the client and its queue import, preloaded", async () => {
	assert.deepEqual(manifest.modules, await clientModules());
	assert.deepEqual(manifest.preload, Object.keys(manifest.modules));
	for (const path of Object.values(manifest.modules))
		assert.ok(existsSync(join(root, dirname(CLIENT_MANIFEST), `${path}.ts`)), path);
});

test("no module of the client has a name that another may have, and none needs a module of a platform", async () => {
	for (const name of Object.keys(manifest.modules)) assert.match(name, /^firefly\//);
	for (const entry of ["src/client/client", "src/client/queue/publish-queue"])
		assert.deepEqual([...(await importGraph(entry)).bare], []);
});
