import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { BROKER_ENTRIES, BROKER_MANIFEST, BROKER_PLATFORMS, brokerModules } from "./broker-modules";
import { CLIENT_MANIFEST } from "./client-modules";
import { importGraph, root } from "./import-graph";

interface Manifest {
	readonly modules: Readonly<Record<string, string>>;
	readonly preload: readonly string[];
	readonly platforms?: Readonly<Record<string, Manifest>>;
}

const read = (path: string): Manifest => JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest;
const manifest = read(BROKER_MANIFEST);

const assertExists = (path: string): void =>
	assert.ok(existsSync(join(root, dirname(BROKER_MANIFEST), `${path}.ts`)), path);

test("the broker's manifest lists exactly what the broker imports, preloaded", async () => {
	assert.deepEqual(manifest.modules, await brokerModules());
	assert.deepEqual(manifest.preload, Object.keys(manifest.modules));
	for (const path of Object.values(manifest.modules)) assertExists(path);
});

test("the listener is that of the platform: on desktop computers one that asks whether the port is free", () => {
	const platforms = manifest.platforms!;
	assert.deepEqual(Object.keys(platforms), ["lin", "mac", "win", "..."]);
	for (const [platform, { modules, preload }] of Object.entries(platforms)) {
		assert.deepEqual(modules, BROKER_PLATFORMS[platform]);
		assert.deepEqual(preload, Object.keys(modules));
		assert.ok("firefly/listener" in modules, platform);
		for (const path of Object.values(modules)) assertExists(path);
	}
});

test("no module of the broker has a name that another may have; of a platform it needs the listener", async () => {
	for (const lists of [manifest, ...Object.values(manifest.platforms!)])
		for (const name of Object.keys(lists.modules)) assert.match(name, /^firefly\//);
	const bare = new Set<string>();
	for (const entry of [...BROKER_ENTRIES, "firmware/listener"])
		for (const name of (await importGraph(entry)).bare) bare.add(name);
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
