import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { ManifestError } from "../../sim/manifest/error";
import { readManifest } from "../../sim/manifest/manifest-reader";
import { declaredModules } from "../../sim/manifest/modules";
import { matchPlatform } from "../../sim/manifest/platform";
import { linkProgram, type Program } from "../../sim/manifest/program";

const folder = mkdtempSync(join(tmpdir(), "firefly-manifest-"));
after(() => rmSync(folder, { recursive: true }));

/** Writes the files of a project and returns the path of its manifest. */
function writeProject(name: string, files: Record<string, string | object>): string {
	for (const [path, content] of Object.entries(files)) {
		const file = join(folder, name, path);
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
	}
	return join(folder, name, "manifest.json");
}

const BASE = "$(MODDABLE)/examples/manifest_base.json";

function linkManifest(path: string): Program {
	return linkProgram(readManifest(path));
}

test("the block of a platform: the longest matching name, then wildcards, then ...", () => {
	const platforms = { esp32: 1, "esp32/c3": 2, "lin/*": 3, "...": 4 };
	assert.equal(matchPlatform(platforms, "esp32"), 1);
	assert.equal(matchPlatform(platforms, "esp32/c3"), 2);
	assert.equal(matchPlatform(platforms, "esp32/nodemcu"), 1);
	assert.equal(matchPlatform(platforms, "lin/x"), 3);
	assert.equal(matchPlatform(platforms, "mac"), 4);
	assert.equal(matchPlatform({ lin: 1 }, "esp32"), undefined);
});

test("includes are applied first, the platform's block last; objects are merged", () => {
	const path = writeProject("merge", {
		"manifest.json": {
			build: { PARTS: "./parts" },
			include: ["$(PARTS)/a.json", "./parts/b.json"],
			config: { list: [1], deep: { own: 1, both: "root" } },
			creation: { heap: { initial: 100 } },
			platforms: {
				esp32: { include: "./parts/c.json", config: { platform: "esp32" }, creation: { stack: 99 } },
				lin: { config: { platform: "lin" } },
			},
		},
		"parts/a.json": {
			include: "./b.json",
			config: { deep: { a: 1, both: "a" }, list: [7, 8] },
			creation: { heap: { incremental: 5 }, keys: { initial: 1 } },
		},
		"parts/b.json": { config: { from: "b" }, defines: { x: { y: 1 } } },
		"parts/c.json": { config: { from: "c" } },
		"main.js": "",
	});
	const manifest = readManifest(path);
	assert.deepEqual(manifest.config, {
		from: "c",
		deep: { a: 1, own: 1, both: "root" },
		list: [1, 8],
		platform: "esp32",
	});
	assert.deepEqual(manifest.creation, {
		heap: { initial: 100, incremental: 5 },
		keys: { initial: 1 },
		stack: 99,
	});
	assert.deepEqual(manifest.defines, { x: { y: 1 } });
	assert.deepEqual(
		manifest.files.map((file) => file.slice(dirname(path).length + 1)),
		[join("parts", "b.json"), join("parts", "a.json"), join("parts", "c.json"), "manifest.json"],
	);
});

test("a path in a variable of build is relative to the manifest that defines it", () => {
	const path = writeProject("variables", {
		"manifest.json": { include: ["parts/a.json", "$(DEEP)/b.json"] },
		"parts/a.json": { build: { DEEP: "./deep" } },
		"parts/deep/b.json": { config: { from: "b" } },
	});
	assert.deepEqual(readManifest(path).config, { from: "b" });
	process.env.FIREFLY_TEST_FOLDER = join(folder, "variables/parts/deep");
	try {
		assert.deepEqual(readManifest(path, { include: "$(FIREFLY_TEST_FOLDER)/b.json" }).config, { from: "b" });
	} finally {
		delete process.env.FIREFLY_TEST_FOLDER;
	}
});

test("a generated manifest may replace the root file", () => {
	const path = writeProject("madeup", { "parts.json": { config: { a: 1 } } });
	assert.deepEqual(readManifest(path, { include: "./parts.json", config: { b: 2 } }).config, { a: 1, b: 2 });
});

test("modules: names, wildcards, suffixes, exclusions; C and declaration files are skipped", () => {
	const path = writeProject("modules", {
		"manifest.json": {
			include: BASE,
			modules: {
				"*": ["./main", "./extra/*"],
				"lib/*": "./lib/x-*",
				alias: "./lib/other",
				"~": "./extra/skipped",
			},
		},
		"main.ts": "",
		"main.c": "",
		"extra/one.ts": "",
		"extra/two.js": "",
		"extra/skipped.ts": "",
		"extra/types.d.ts": "",
		"lib/x-a.ts": "",
		"lib/y.ts": "",
		"lib/other.mjs": "",
	});
	const modules = declaredModules(readManifest(path));
	assert.deepEqual([...modules.keys()].sort(), ["alias", "lib/a", "main", "one", "time", "timer", "two"]);
});

test("an undeclared module does not load: the error names the importer and the manifests", () => {
	const files = {
		"manifest.json": { include: BASE, modules: { "*": "./main" } },
		"main.ts": 'import Timer from "timer";\nimport { a } from "./helper";\nTimer.set(a, 1);\n',
		"helper.ts": "export function a() {}\n",
	};
	const path = writeProject("undeclared", files);
	assert.throws(
		() => linkManifest(path),
		(error: unknown) =>
			error instanceof ManifestError &&
			/main\.ts imports "\.\/helper" \(module "helper"\), which no manifest declares.*undeclared.manifest\.json/.test(
				error.message,
			),
	);
	writeProject("undeclared", { "main.ts": 'import Net from "net";\nNet.get("IP");\n' });
	assert.throws(
		() => linkManifest(path),
		/main\.ts imports "net".*include \$\(MODDABLE\)\/modules\/network\/sntp\/manifest\.json/,
	);
});

test("errors of manifests name the file", () => {
	const cases: [string, object | string, RegExp][] = [
		["notjson", "{", /manifest\.json: not JSON/],
		["array", [], /manifest\.json: not a JSON object/],
		[
			"missing",
			{ include: "./nowhere.json" },
			/manifest\.json: includes .*nowhere\.json, which cannot be read/,
		],
		[
			"unknown",
			{ include: "$(MODDABLE)/modules/piu/manifest.json" },
			/no modules for the include \$\(MODDABLE\)\/modules\/piu\/manifest\.json; it has/,
		],
		[
			"early",
			{ include: "$(MODULES)/network/net/manifest.json" },
			/\$\(MODULES\) is not defined: include \$\(MODDABLE\)\/examples\/manifest_base\.json/,
		],
		["variable", { include: "$(NOWHERE)/x.json" }, /\$\(NOWHERE\) is not defined/],
		["platform", { platforms: { "...": { error: "only for watches" } } }, /only for watches/],
		["nofile", { modules: { "*": "./main" } }, /nothing matches .*main/],
		["nofolder", { modules: { "*": "./src/*" } }, /no directory .*src/],
		["nomain", {}, /no manifest declares the main module "main"/],
		["preload", { modules: { "*": "./manifest" }, preload: "ghost" }, /preload names "ghost"/],
		["git", { include: [{ git: "https://example.com/x.git" }] }, /cannot include/],
	];
	for (const [name, manifest, message] of cases) {
		const path = writeProject(name, { "manifest.json": manifest });
		assert.throws(
			() => linkManifest(path),
			(error: unknown) => error instanceof ManifestError && message.test(error.message),
			name,
		);
	}
	assert.throws(() => linkManifest(join(folder, "nothing", "manifest.json")), /cannot be read/);
	const twice = writeProject("twice", {
		"manifest.json": { modules: { "*": ["./main", "./a/*"] } },
		"main.ts": "",
		"a/main.ts": "",
	});
	assert.throws(() => linkManifest(twice), /"main" is .*a.main\.ts, but .* declares it as/);
});

test("imports of a preloaded module are preloaded; wildcards in preload match JavaScript only", () => {
	const path = writeProject("preload", {
		"manifest.json": { include: BASE, modules: { "*": ["./main", "./lib/*"] }, preload: ["a", "j*"] },
		"main.ts": 'import "a"; import "js"; import "jts"; import "late";',
		"lib/a.ts": 'import "b";',
		"lib/b.ts": "",
		"lib/js.js": "",
		"lib/jts.ts": "",
		"lib/late.ts": "",
	});
	const { modules } = linkManifest(path);
	assert.deepEqual(
		[...modules.values()].filter(({ preloaded }) => preloaded).map(({ specifier }) => specifier),
		["b", "a", "js"],
	);
});

test("drivers: those of the build that can run, and a stand-in for those that need hardware", () => {
	const path = writeProject("drivers", {
		"manifest.json": {
			include: [
				BASE,
				"$(MODDABLE)/modules/base/modules/manifest.json",
				"$(MODDABLE)/modules/drivers/sensors/sht3x/manifest.json",
			],
			modules: { "*": "./main", "driver/*": "./drivers/*" },
		},
		"main.ts": 'import Modules from "modules"; export default () => Modules;',
		"drivers/soft.ts": "export default class {}",
		"drivers/hard.ts": 'import Sensor from "embedded:sensor/x"; export default Sensor;',
	});
	const program = linkProgram(readManifest(path), {
		properties: [["thermometer", "temperature"]],
		drivers: ["absent"],
	});
	const code = program.modules.get("modules")!.code;
	for (const name of ["virtual", "replay", "hard", "absent"])
		assert.match(code, new RegExp(`"driver/${name}"`));
	assert.ok(program.modules.has("driver/soft"));
	assert.ok(!program.modules.has("driver/hard"));
});

test("creation is read as mcconfig reads it", () => {
	const path = writeProject("creation", {
		"manifest.json": {
			modules: { "*": "./main" },
			creation: { static: 65536, chunk: { initial: 1536, incremental: 512 }, stack: 256 },
		},
		"main.ts": "",
	});
	assert.deepEqual(linkManifest(path).creation, {
		static: 65536,
		chunk: { initial: 1536, incremental: 512 },
		heap: { initial: 2048, incremental: 64 },
		stack: 256,
		keys: { initial: 32, incremental: 32 },
	});
});

test("a type error is ignored, a syntax error is reported with file and line", () => {
	const path = writeProject("syntax", {
		"manifest.json": { modules: { "*": "./main" } },
		"main.ts": "const x: number = 'a';\nconst = 1;\n",
	});
	assert.throws(() => linkManifest(path), /main\.ts:2/);
});
