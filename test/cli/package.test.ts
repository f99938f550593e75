import assert from "node:assert/strict";
import { type SpawnSyncOptions, spawnSync } from "node:child_process";
import {
	chmodSync,
	chownSync,
	copyFileSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { build } from "../../sim/xs/build";
import { copyProject, projectFolder } from "../support/project-copy";

const MAX_PACKAGES = 30;
const MAX_BYTES = 40e6;
/** The user "nobody", if this one may become it. */
const uid = process.getuid?.() === 0 ? 65_534 : (process.getuid?.() ?? 0);

interface LockEntry {
	readonly version: string;
	readonly dev?: true;
}

interface Package {
	readonly version: string;
	readonly dependencies: Readonly<Record<string, string>>;
	readonly bin: object;
	readonly engines: object;
}

const readJSON = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

/** All files below a folder. */
function filesBelow(folder: string): string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name));
}

describe("the package, packed and installed in a folder with a space, without scripts", () => {
	const folder = mkdtempSync(join(tmpdir(), "firefly package "));
	const app = join(folder, "app");
	const temporary = join(folder, "temporary");
	const installed = join(app, "node_modules", "firefly");
	let tarball = "";
	let messages = "";

	const run = (command: string, args: readonly string[], options: SpawnSyncOptions) => {
		const { status, stdout, stderr, error } = spawnSync(command, args, { ...options, encoding: "utf8" });
		if (error) throw error;
		return { status, stdout: String(stdout), stderr: String(stderr) };
	};

	/** Runs a command as a user who may write to nothing but the temporary folder, and has no home. */
	const runAsGuest = (command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
		run(command, args, {
			cwd: app,
			...(process.getuid?.() === 0 ? { uid, gid: uid } : {}),
			env: {
				PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
				TMPDIR: temporary,
				npm_config_update_notifier: "false",
				...environment,
			},
		});

	/** A lock file as npm would write it online: the package, and what it depends on, as in this checkout. */
	const writeApp = (): void => {
		const { packages } = readJSON(join(projectFolder, "package-lock.json")) as {
			packages: Record<string, LockEntry>;
		};
		const { version, dependencies, bin, engines } = readJSON(join(projectFolder, "package.json")) as Package;
		const resolved = `file:${tarball}`;
		const entries: Record<string, object> = {
			"": { name: "app", dependencies: { firefly: resolved } },
			"node_modules/firefly": { version, resolved, dependencies, bin, engines },
		};
		for (const [path, entry] of Object.entries(packages)) {
			if (path === "" || entry.dev) continue;
			const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
			const file = `${basename(name)}-${entry.version}.tgz`;
			entries[path] = { ...entry, resolved: `https://registry.npmjs.org/${name}/-/${file}` };
		}
		mkdirSync(app);
		const json = { name: "app", private: true, dependencies: { firefly: resolved } };
		writeFileSync(join(app, "package.json"), JSON.stringify(json));
		writeFileSync(
			join(app, "package-lock.json"),
			JSON.stringify({ name: "app", lockfileVersion: 3, requires: true, packages: entries }),
		);
	};

	/** The engine of this checkout, where the guest's run looks for it: it has the same sources. */
	const placeEngine = async (): Promise<void> => {
		const engine = await build();
		const key = basename(dirname(engine));
		let target = join(temporary, `firefly-${uid}`);
		for (const name of ["", "xs", key]) {
			target = join(target, name);
			mkdirSync(target, { mode: 0o700 });
			chownSync(target, uid, uid);
		}
		copyFileSync(engine, join(target, "xs.node"));
		chownSync(join(target, "xs.node"), uid, uid);
	};

	before(async () => {
		chmodSync(folder, 0o755);
		mkdirSync(temporary);
		chmodSync(temporary, 0o1777);
		const checkout = join(folder, "checkout");
		copyProject(checkout);
		const packed = run("npm", ["run", "pack", "--", "--pack-destination", folder], { cwd: checkout });
		assert.equal(packed.status, 0, packed.stderr);
		assert.ok(!readdirSync(checkout).includes("dist"), "dist/ remains in the checkout");
		tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz"))!);
		writeApp();
		const args = ["ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
		const installation = run("npm", args, { cwd: app });
		messages = installation.stdout + installation.stderr;
		assert.equal(installation.status, 0, messages);
		for (const file of filesBelow(installed)) chmodSync(file, statSync(file).mode & ~0o222);
		await placeEngine();
	});
	after(() => rmSync(folder, { recursive: true, force: true }));

	test(`npm says no warning; at most ${MAX_PACKAGES} packages and ${MAX_BYTES / 1e6} MB`, () => {
		assert.doesNotMatch(messages, /warn/i);
		const { packages } = readJSON(join(app, "node_modules", ".package-lock.json")) as { packages: object };
		const count = Object.keys(packages).length;
		assert.ok(count <= MAX_PACKAGES, `${count} packages`);
		let bytes = 0;
		for (const file of filesBelow(join(app, "node_modules"))) bytes += statSync(file).size;
		assert.ok(bytes <= MAX_BYTES, `${bytes} bytes`);
	});

	test("no test, no benchmark and no secret is in it, and XS's licences are", () => {
		assert.deepEqual(readdirSync(installed).sort(), [
			"CHANGELOG.md",
			"LICENSE",
			"README.md",
			"cli",
			"dist",
			"docs",
			"examples",
			"firmware",
			"manifest.json",
			"package.json",
			"sim",
			"src",
		]);
		const xs = join(installed, "dist", "xs");
		assert.match(readFileSync(join(xs, "NOTICE.txt"), "utf8"), /Moddable Tech, Inc\..*Marvell.*Kinoma/s);
		assert.match(
			readFileSync(join(xs, "LICENSE-LGPL-3.0-or-later.txt"), "utf8"),
			/^GNU LESSER GENERAL PUBLIC LICENSE\n/,
		);
		assert.match(readFileSync(join(xs, "LICENSE-Apache-2.0.txt"), "utf8"), /Apache License/);
		const licenses = readFileSync(join(installed, "dist", "LICENSES.txt"), "utf8");
		for (const name of ["commander", "csv-parse", "jsonc-parser", "picocolors", "typebox"])
			assert.ok(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+, (MIT|ISC)\\n`, "m").test(licenses), name);
	});

	test("npx firefly sim, without HOME and without access to the package: XS runs the firmware", () => {
		const args = ["--no", "--", "firefly", "sim", "--for", "1m", "--speed", "max"];
		const { status, stdout, stderr } = runAsGuest("npx", args);
		assert.equal(stderr, "", "the engine was not found, so the package has other sources of XS");
		assert.equal(status, 0);
		assert.match(stdout, /reports +[1-9]\d* published, .* 0 lost/);
	});

	test("without a C compiler: the message offers --engine node, which runs", () => {
		const without = { CC: "no-such-compiler" };
		const firefly = join(app, "node_modules", ".bin", "firefly");
		const failed = runAsGuest(firefly, ["sim", "--for", "1m", "--speed", "max"], without);
		assert.equal(failed.status, 1);
		assert.match(failed.stderr, /no C compiler \("no-such-compiler"\).*--engine node/s);
		const args = ["sim", "--for", "1m", "--speed", "max", "--engine", "node"];
		const { status, stdout, stderr } = runAsGuest(firefly, args, without);
		assert.deepEqual([status, stderr], [0, ""]);
		assert.match(stdout, /reports +[1-9]\d* published, .* 0 lost/);
	});

	test("firefly new and init: the projects name the installed package, pass check and their own test", () => {
		const firefly = join(app, "node_modules", ".bin", "firefly");
		const made = run(firefly, ["init", "--driver", "sht3x", "--ssid", "shed", "--yes"], { cwd: app });
		assert.equal(made.status, 0, made.stderr);
		assert.match(made.stdout, /^completed +package\.json$/m);
		run(firefly, ["new", "both", "--role", "both", "--yes"], { cwd: app });
		const { scripts } = readJSON(join(app, "package.json")) as { scripts: Record<string, string> };
		assert.equal(scripts.start, "node ./node_modules/firefly/cli/firefly.mjs sim");
		const manifests = [join(app, "manifest.json"), join(app, "both", "manifest.json")];
		assert.deepEqual(
			manifests.map((path) => (readJSON(path) as { include: string[] }).include[0]),
			[
				"./node_modules/firefly/firmware/manifest_sensor.json",
				"../node_modules/firefly/firmware/manifest.json",
			],
		);
		const checked = runAsGuest(firefly, ["check", ...manifests.slice(1)]);
		assert.equal(checked.status, 0, checked.stderr);
		const tested = runAsGuest(process.execPath, [
			"--test",
			"test/firmware.test.mjs",
			"both/test/firmware.test.mjs",
		]);
		assert.equal(tested.status, 0, tested.stdout);
		assert.match(tested.stdout, /^# pass 5$/m);
		for (const name of [".gitignore", "README.md", "both", "manifest.json", "test"])
			rmSync(join(app, name), { recursive: true });
	});

	test("a project of one's own includes the package's firmware and a driver of it", () => {
		const own = join(app, "manifest.json");
		const firmware = "./node_modules/firefly/firmware";
		const manifest = {
			include: [`${firmware}/manifest.json`, `${firmware}/drivers/sht3x/manifest.json`],
			config: {
				firefly: {
					wifi: { ssid: "shed" },
					broker: { url: "mqtt://192.168.1.10" },
					sensors: [{ name: "t", driver: "sht3x", property: "thermometer.temperature", every: "10s" }],
				},
			},
		};
		writeFileSync(own, JSON.stringify(manifest));
		const firefly = join(app, "node_modules", ".bin", "firefly");
		const checked = runAsGuest(firefly, ["check"], { FIREFLY_WIFI_PASSWORD: "a long password" });
		assert.equal(checked.status, 0, checked.stderr);
		assert.match(checked.stdout, /^manifest\.json: no problems\n/);
		const { status, stdout } = runAsGuest(firefly, ["sim", "--for", "1m", "--speed", "max"]);
		assert.equal(status, 0);
		assert.match(stdout, /reports +[1-9]\d* published, .* 0 lost/);
	});

	test("exports: the schema and the firmware's manifests resolve, inner files of the command line do not", () => {
		const script = (specifier: string): string[] => [
			"--input-type=module",
			"-e",
			`import { createRequire } from "node:module"; console.log(createRequire(${JSON.stringify(join(app, "x.js"))}).resolve(${JSON.stringify(specifier)}));`,
		];
		for (const [specifier, file] of [
			["firefly/manifest.schema.json", "docs/manifest.schema.json"],
			["firefly/firmware/manifest.json", "firmware/manifest.json"],
			["firefly/src/client/client.ts", "src/client/client.ts"],
			["firefly/package.json", "package.json"],
		]) {
			const { stdout } = runAsGuest(process.execPath, script(specifier!));
			assert.equal(stdout.trim(), join(installed, file!));
		}
		assert.match(
			runAsGuest(process.execPath, script("firefly/cli/main.ts")).stderr,
			/ERR_PACKAGE_PATH_NOT_EXPORTED/,
		);
	});

	test("packed with npm pack alone: the command line is bundled at its first start, and XS is missed by name", () => {
		// What the script of npm run pack adds.
		rmSync(join(installed, "dist"), { recursive: true });
		const firefly = join(app, "node_modules", ".bin", "firefly");
		const failed = runAsGuest(firefly, ["sim", "--for", "1m", "--speed", "max"]);
		assert.equal(failed.status, 1);
		assert.match(failed.stderr, /XS's sources are not part of this package.* npm run pack.*--engine node/s);
		const args = ["sim", "--for", "1m", "--speed", "max", "--engine", "node"];
		const { status, stdout, stderr } = runAsGuest(firefly, args);
		assert.deepEqual([status, stderr], [0, ""]);
		assert.match(stdout, /reports +[1-9]\d* published, .* 0 lost/);
	});
});
