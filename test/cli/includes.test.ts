import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { loadManifest } from "../../cli/config/load";
import { Project } from "./project";

describe("variables of build in includes", () => {
	const project = new Project();
	const directory = process.cwd();
	before(() => process.chdir(project.directory));
	after(() => {
		process.chdir(directory);
		project.remove();
	});
	const check = (
		build: object,
		include: readonly string[],
		environment: NodeJS.ProcessEnv = {},
	): string[] => {
		const firefly = { broker: { url: "mqtt://b" }, sensors: [{ name: "t", driver: "sht3x" }] };
		project.write("app/manifest.json", JSON.stringify({ build, include, config: { firefly } }));
		const loaded = loadManifest("app/manifest.json", environment);
		return "problems" in loaded ? loaded.problems.map(({ path, message }) => `${path}: ${message}`) : [];
	};

	test("one that this manifest defines, relative to its own folder", () => {
		assert.deepEqual(check({ FIREFLY: "./../firmware" }, ["$(FIREFLY)/manifest.json"]), []);
		assert.deepEqual(check({ ROOT: "..", FIREFLY: "$(ROOT)/firmware" }, ["$(FIREFLY)/manifest.json"]), []);
	});

	test("one that an earlier include defines", () => {
		project.write("app/paths/manifest.json", '{"build": {"FIREFLY": "./../../firmware"}}');
		assert.deepEqual(check({}, ["./paths/manifest.json", "$(FIREFLY)/manifest.json"]), []);
	});

	test("one of the environment", () => {
		assert.deepEqual(
			check({}, ["$(FIREFLY_HOME)/manifest.json"], { FIREFLY_HOME: join(project.directory, "firmware") }),
			[],
		);
	});

	test("one of the SDK is not followed, nor one that leads into it", () => {
		const include = ["../firmware/manifest.json", "$(MODULES)/x/manifest.json", "$(MINE)/manifest.json"];
		assert.deepEqual(check({ MINE: "$(MODDABLE)/mine" }, include), []);
	});

	test("the SDK is installed: its manifests are no part of a check, which is that of another desk", () => {
		project.write("sdk/x/manifest.json", '{"config": {"firefly": {"role": "cook"}}, "include": 1}');
		const MODDABLE = join(project.directory, "sdk");
		const include = ["../firmware/manifest.json", "$(MODDABLE)/x/manifest.json"];
		assert.deepEqual(check({}, include, { MODDABLE }), []);
	});

	test("a path that does not exist is reported as written", () => {
		assert.deepEqual(check({ X: "../nothing" }, ["../firmware/manifest.json", "$(X)/manifest.json"]), [
			'include[1]: "$(X)/manifest.json" does not exist',
		]);
	});

	test("one that nobody defines is a problem", () => {
		assert.deepEqual(
			check({ FIREFLY: "../firmware" }, [
				"$(FIREFLY)/manifest.json",
				"$(FIREFLI)/manifest.json",
				"$(X)/m.json",
			]),
			[
				"include[1]: $(FIREFLI) is neither in build nor in the environment; did you mean $(FIREFLY)?",
				"include[2]: $(X) is neither in build nor in the environment",
			],
		);
	});
});
