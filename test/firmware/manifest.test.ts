import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DESKTOP_PLATFORMS, IMAGES } from "./images";
import { importGraph, root } from "./import-graph";
import { type Manifest, readManifest } from "./manifest";
import { MDNS_MANIFEST, TLS_MANIFEST, WEBSOCKET_MANIFEST } from "./transport-modules";
import { UPDATE_MANIFEST, updateModules } from "./update-modules";

const MANIFEST = "firmware/manifest.json";
/** Modules that the SDK provides through the manifest's includes. */
const SDK = [
	"embedded:io/socket/listener",
	"embedded:io/socket/tcp",
	"embedded:io/socket/udp",
	"mc/config",
	"modules",
	"net",
	"time",
	"timer",
];
/** Modules that the SDK provides through the includes of the platform's block. */
const PLATFORM_SDK: Readonly<Record<string, readonly string[]>> = {
	esp32: ["embedded:storage/key-value"],
	desktop: ["file"],
};

const sorted = (values: Iterable<string>): string[] => [...values].sort();

/** The manifest of an image for the ESP32, or for mcsim, whose block includes another file. */
function imageManifest(image: string, folder: "esp32" | "desktop"): Manifest {
	if (folder === "esp32") return readManifest(`firmware/${image}`, "esp32");
	const own = readManifest(`firmware/${image}`, "lin");
	const desktop = readManifest("firmware/desktop/manifest.json", "lin");
	return {
		include: [...own.include, ...desktop.include],
		modules: new Map([...own.modules, ...desktop.modules]),
		preload: new Set([...own.preload, ...desktop.preload]),
	};
}

for (const { name: image, roles } of IMAGES)
	for (const folder of ["esp32", "desktop"] as const) {
		const host = `firmware/${folder}/host`;
		const named = `${image}, ${folder}`;

		test(`${named}: it lists exactly the modules that the firmware imports`, async () => {
			const { files } = await importGraph("firmware/main", host, roles);
			assert.deepEqual(
				sorted(imageManifest(image, folder).modules.values()),
				sorted(files),
				"npm run manifest brings them in line",
			);
		});

		test(`${named}: each module is preloaded, by name`, () => {
			const { modules, preload } = imageManifest(image, folder);
			assert.deepEqual(sorted(preload), sorted(modules.keys()));
		});

		test(`${named}: relative imports resolve alike in the compiler and on the device`, () => {
			// Targets and files form the same tree, except for the platform's folder and the roles.
			for (const [target, file] of imageManifest(image, folder).modules)
				assert.equal(
					target,
					file === roles ? "firmware/roles" : file.replace(`firmware/${folder}/`, "firmware/platform/"),
				);
		});

		test(`${named}: all other imports are provided by the SDK`, async () => {
			const { bare } = await importGraph("firmware/main", host, roles);
			const unknown = sorted(bare).filter(
				(specifier) => !SDK.includes(specifier) && !PLATFORM_SDK[folder]!.includes(specifier),
			);
			assert.deepEqual(unknown, []);
		});

		test(`${named}: the base manifest is included before the others, which use its variables`, () => {
			const [first] = imageManifest(image, folder).include.filter((path) => path.startsWith("$("));
			assert.equal(first, "$(MODDABLE)/examples/manifest_base.json");
		});
	}

for (const { name, roles } of IMAGES.slice(1)) {
	const read = (file: string): Record<string, unknown> =>
		JSON.parse(readFileSync(join(root, "firmware", file), "utf8")) as Record<string, unknown>;

	test(`${name} differs from the manifest of both roles in its modules only`, () => {
		const lists = new Set(["modules", "preload"]);
		const rest = (file: string): unknown =>
			JSON.parse(JSON.stringify(read(file), (key, value) => (lists.has(key) ? undefined : value)));
		assert.deepEqual(rest(name), rest("manifest.json"), "npm run manifest brings them in line");
	});

	test(`${name} carries nothing of the role that it lacks`, () => {
		const other = roles.endsWith("sensor")
			? /^src\/(broker|bridge|websocket)\/|broker-role/
			: /^src\/sensor\/|sensor-role/; // the client is for the bridge
		const { modules } = readManifest(`firmware/${name}`, "esp32");
		assert.deepEqual(
			[...modules.keys()].filter((target) => other.test(target)),
			[],
		);
	});
}

for (const [path, entry, sdk] of [
	[TLS_MANIFEST, "firmware/tls/socket", ["Resource", "crypt", "ssl/cert", "ssl/session", "timer", "x509"]],
	[MDNS_MANIFEST, "firmware/mdns/announcement", ["net"]],
	[WEBSOCKET_MANIFEST, "src/websocket/client/socket", []],
] as const)
	test(`${path}: it lists, and preloads, exactly the modules that ${entry} imports`, async () => {
		const { modules, preload } = readManifest(path, "esp32");
		const { files, bare } = await importGraph(entry);
		assert.deepEqual(sorted(modules.values()), sorted(files), "npm run manifest brings them in line");
		assert.deepEqual(sorted(preload), sorted(modules.keys()));
		for (const [target, file] of modules) assert.equal(target, file);
		assert.deepEqual(sorted(bare), sorted(sdk));
	});

test(`${UPDATE_MANIFEST}: it lists, and preloads, what node-update imports and no image of a sensor has`, async () => {
	const { modules, preload } = readManifest(UPDATE_MANIFEST, "esp32");
	const expected = [...Object.keys(await updateModules()), "firmware/update/image-slots"];
	assert.deepEqual(sorted(modules.keys()), sorted(expected), "npm run manifest brings them in line");
	assert.deepEqual(sorted(preload), sorted(expected));
	for (const [target, file] of modules) assert.equal(target, file);
	assert.ok([...modules.keys()].some((name) => name.startsWith("src/sensor/update/")));
	const image = readManifest("firmware/manifest_sensor.json", "esp32");
	for (const name of image.modules.keys()) assert.doesNotMatch(name, /^src\/sensor\/update\//);
});

test("lin, mac and win are the same", () => {
	const { platforms } = JSON.parse(readFileSync(join(root, MANIFEST), "utf8")) as {
		platforms: Record<string, { readonly include?: readonly string[] }>;
	};
	for (const name of DESKTOP_PLATFORMS) {
		assert.deepEqual(platforms[name], platforms.lin);
		assert.deepEqual(platforms[name]!.include, ["./desktop/manifest.json"]);
	}
});

for (const name of readdirSync(join(root, "firmware/drivers"), { withFileTypes: true }).flatMap((entry) =>
	entry.isDirectory() ? [entry.name] : [],
)) {
	const folder = `firmware/drivers/${name}`;

	test(`driver ${name}: its manifest provides driver/${name} and all that it imports`, async () => {
		const { modules, preload } = readManifest(`${folder}/manifest.json`, "esp32");
		assert.equal(modules.get(`driver/${name}`), `${folder}/${name}`);
		const { files } = await importGraph(`${folder}/${name}`);
		assert.deepEqual(sorted(modules.values()), sorted(files));
		assert.deepEqual(sorted(preload), sorted(modules.keys()));
		for (const [target, file] of modules) {
			assert.ok(existsSync(join(root, `${file}.ts`)));
			assert.equal(target, file.replace(`${folder}/`, "driver/").replace("firmware/drivers/", ""));
		}
	});

	test(`driver ${name}: its stand-in needs nothing of a chip`, async () => {
		const { include, modules, preload } = readManifest(`${folder}/manifest.json`, "lin");
		assert.deepEqual(include, []);
		assert.equal(modules.get(`driver/${name}`), `${folder}/simulated`);
		const { files, bare } = await importGraph(`${folder}/simulated`);
		assert.deepEqual(sorted(bare), ["firmware/platform/readings"]);
		assert.deepEqual(sorted(modules.values()), sorted([...files, "firmware/desktop/readings"]));
		assert.deepEqual(sorted(preload), sorted(modules.keys()));
		const text = readFileSync(join(root, `${folder}/simulated.ts`), "utf8");
		assert.match(text, new RegExp(`(simulatedSensor|announceSimulation)\\("${name}"`));
	});
}
