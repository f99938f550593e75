import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { firmwareLine, isReady } from "../../cli/moddable/console";
import { desktopPlatform } from "../../cli/moddable/sdk";
import { Project } from "./project";

const SENSOR = {
	include: ["./firmware/manifest.json"],
	config: {
		firefly: {
			wifi: { ssid: "net" },
			broker: { url: "mqtt://192.0.2.1" },
			sensors: [{ name: "t", driver: "sht3x", property: "thermometer.temperature", unit: "°C", every: "1m" }],
		},
	},
};

/** Stands in for a tool of the SDK: writes its arguments and what it finds, prints, and ends. */
const MCCONFIG = `#!/usr/bin/env node
const { writeFileSync } = require("node:fs");
const { delimiter } = require("node:path");
writeFileSync("mcconfig.json", JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(),
	path: process.env.PATH.split(delimiter).slice(0, 2), moddable: process.env.MODDABLE }));
console.log("# tsc main.ts");
console.log("### warning: firmware/platform/host: default.tcp() openSockets: no const");
if (process.env.FAKE_FAILURE) {
	const output = process.argv[process.argv.indexOf("-o") + 1];
	console.error("main.ts(3,1): error TS1005: ';' expected.");
	for (const target of [output + "/main.js", "manifest.json"]) {
		writeFileSync(target, "", { flag: "a" });
		console.error("make: *** [" + output + "/makefile:12: " + require("node:path").resolve(target) + "] Error 1");
	}
}
process.exit(process.env.FAKE_FAILURE ? 2 : 0);
`;

/** Stands in for xsbug-log: is ready, and stays until it is ended. */
const XSBUG_LOG = `console.log('xsdb listening on port 1. Type "quit" to exit.');
setInterval(() => {}, 1000);
`;

/** Stands in for mcsim: writes its arguments and what the firmware finds, as if its window was closed. */
const MCSIM = `#!/usr/bin/env node
require("node:fs").writeFileSync("mcsim.json", JSON.stringify({ args: process.argv.slice(2),
	panel: process.env.FIREFLY_PANEL }));
`;

/** A project with an SDK whose tools are scripts. */
function projectWithSDK(manifest: object = SENSOR, version = "8.2.3") {
	const platform = desktopPlatform();
	const project = new Project({
		"manifest.json": JSON.stringify(manifest),
		"sdk/tools/VERSION": `${version}\n`,
		"sdk/xs/readme": "",
		"firefly.local.json": '{"wifi": {"password": "12345678"}}',
	});
	for (const tool of ["mcconfig", "xsc", "mcsim"]) {
		const path = `sdk/build/bin/${platform}/release/${tool}`;
		project.write(path, MCCONFIG);
		chmodSync(join(project.directory, path), 0o755);
	}
	return { project, environment: { MODDABLE: join(project.directory, "sdk"), DISPLAY: ":1" } };
}

describe("firefly mcsim", { skip: process.platform === "win32" && "its stand-ins are scripts" }, () => {
	test("mcconfig gets manifest, folder and secrets, and finds TypeScript and its own tools", async () => {
		const { project, environment } = projectWithSDK();
		after(() => project.remove());
		const { code, stdout, stderr } = await project.run(["mcsim", "--build-only"], environment);
		assert.equal(code, 0, stderr);
		const platform = desktopPlatform();
		const output = join(project.directory, ".firefly/mcsim");
		const library = join(output, "bin", platform, "mc/debug");
		assert.ok(stdout.startsWith(library), stdout);
		const { args, path, moddable } = JSON.parse(
			readFileSync(join(project.directory, "mcconfig.json"), "utf8"),
		) as { args: string[]; path: string[]; moddable: string };
		const manifest = join(project.directory, "manifest.json");
		assert.deepEqual(args, [
			..."-d -m -p".split(" "),
			platform,
			..."-t build -o".split(" "),
			output,
			manifest,
			"wifi_password=12345678",
		]);
		assert.equal(moddable, environment.MODDABLE);
		assert.match(path[0]!, /node_modules.\.bin$/);
		assert.equal(path[1], join(environment.MODDABLE, "build/bin", platform, "release"));
		assert.match(stderr, /^Moddable SDK 8\.2\.3, TypeScript 7\.\d+\.\d+\n/m);
		assert.doesNotMatch(stderr, /no const/);
	});

	test("mcsim gets the panel and the library, and the firmware knows of the panel at its first start", async () => {
		const { project, environment } = projectWithSDK();
		after(() => project.remove());
		const platform = desktopPlatform();
		project.write("sdk/tools/xsbug-log/xsbug-log.js", XSBUG_LOG);
		project.write("sdk/tools/xsbug-log/node_modules/readme", "");
		project.write(`sdk/build/bin/${platform}/release/mcsim`, MCSIM);
		const { code, stderr } = await project.run(["mcsim"], environment);
		assert.equal(code, 0, stderr);
		const { args, panel } = JSON.parse(readFileSync(join(project.directory, "mcsim.json"), "utf8")) as {
			args: string[];
			panel?: string;
		};
		assert.equal(args.length, 2);
		assert.ok(existsSync(join(args[0]!, "firefly.js")), args[0]);
		assert.ok(args[1]!.startsWith(join(project.directory, ".firefly/mcsim/bin")), args[1]);
		assert.equal(panel, "1");
	});

	test("a build that fails prints what the tools say, not what they compile", async () => {
		const { project, environment } = projectWithSDK();
		after(() => project.remove());
		const { code, stderr } = await project.run(["mcsim"], { ...environment, FAKE_FAILURE: "1" });
		assert.equal(code, 1);
		assert.match(stderr, /error TS1005[\s\S]*\nmcconfig failed, exit code 2\n$/);
		assert.doesNotMatch(stderr, /# tsc/);
	});

	test("what a failed build has left of its target is gone, so that the next one fails too", async () => {
		const { project, environment } = projectWithSDK();
		after(() => project.remove());
		await project.run(["mcsim"], { ...environment, FAKE_FAILURE: "1" });
		assert.ok(!existsSync(join(project.directory, ".firefly/mcsim/main.js")));
		assert.ok(existsSync(join(project.directory, "manifest.json")), "nothing outside of the folder");
	});

	test("problems of the configuration come first, without an SDK", async () => {
		const manifest = { ...SENSOR, config: { firefly: { ...SENSOR.config.firefly, role: "snsor" } } };
		const { project } = projectWithSDK(manifest);
		after(() => project.remove());
		const { code, stderr } = await project.run(["mcsim"], { MODDABLE: "" });
		assert.equal(code, 1);
		assert.match(stderr, /config\.firefly\.role/);
		assert.doesNotMatch(stderr, /MODDABLE/);
	});

	test("a missing SDK, a wrong folder, missing tools and an old SDK are told apart", async () => {
		const { project, environment } = projectWithSDK(SENSOR, "4.3.8");
		after(() => project.remove());
		const run = async (moddable: string) =>
			(await project.run(["mcsim", "--build-only"], { ...environment, MODDABLE: moddable })).stderr;
		assert.match(await run(""), /MODDABLE is not set: install the Moddable SDK/);
		assert.match(await run(project.directory), /where there is no Moddable SDK/);
		assert.match(await run(environment.MODDABLE), /is 4\.3\.8: Firefly needs 8\.2 or later/);
		project.write("bare/xs/readme", "");
		assert.match(await run(join(project.directory, "bare")), /has no mcconfig: build its tools/);
	});

	test("without a display it says what to do", { skip: process.platform !== "linux" }, async () => {
		const { project, environment } = projectWithSDK();
		after(() => project.remove());
		const { code, stderr } = await project.run(["mcsim"], {
			...environment,
			DISPLAY: "",
			WAYLAND_DISPLAY: "",
		});
		assert.equal(code, 1);
		assert.match(stderr, /needs a display: set DISPLAY, or install xvfb/);
	});

	test("a broker's port that is in use is named before anything is built", async () => {
		const busy = createServer().listen(0);
		await new Promise((resolve) => busy.once("listening", resolve));
		const { port } = busy.address() as { port: number };
		const { project, environment } = projectWithSDK({
			include: ["./firmware/manifest.json"],
			config: { firefly: { role: "broker", wifi: { ssid: "net" }, listen: { port, anonymous: true } } },
		});
		after(() => project.remove());
		const { code, stderr } = await project.run(["mcsim"], environment);
		busy.close();
		assert.equal(code, 1);
		assert.match(stderr, new RegExp(`port ${port} is in use by another program.*listen\\.port`));
	});
});

test("of xsbug-log, the firmware's lines are printed, without prompts", () => {
	const esc = String.fromCharCode(27);
	const rows: [string, string | undefined][] = [
		['xsdb listening on port 41693. Type "quit" to exit.', undefined],
		["xsdb: no command line arguments. Waiting for connection.", undefined],
		['[Thread 1] Connected to "greenhouse"', undefined],
		['#xsbug-log disconnected from "greenhouse"', undefined],
		[`${esc}[2K${esc}[0G(xsdb) `, undefined],
		[`${esc}[2K${esc}[0G(xsdb) firefly: asleep for 9 s`, "firefly: asleep for 9 s"],
		["[Thread 2] firefly: report 1 acknowledged", "firefly: report 1 acknowledged"],
		["XS abort: unhandled exception", "XS abort: unhandled exception"],
	];
	for (const [line, expected] of rows) assert.equal(firmwareLine(line), expected, line);
	assert.deepEqual(
		rows.map(([line]) => isReady(line)),
		[true, ...rows.slice(1).map(() => false)],
	);
});
