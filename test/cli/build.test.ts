import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { root } from "../firmware/import-graph";
import { BoardProject, SENSOR } from "./board-tools";
import { cli } from "./project";

const OWN_SETTINGS = join(root, "firmware/esp32/sdkconfig/sdkconfig.defaults");
const windows = process.platform === "win32" && "its stand-ins are scripts";

interface Obstructed {
	readonly change?: NodeJS.ProcessEnv;
	readonly cmake?: string;
	readonly remove?: string;
	readonly message: RegExp;
}

/** Nobody may have asked yet how a program has ended that lost its parent. */
function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
	} catch {
		return false;
	}
}

function project(files: Readonly<Record<string, string>> = {}): BoardProject {
	const made = new BoardProject(files);
	after(() => made.remove());
	return made;
}

describe("firefly build", { skip: windows }, () => {
	test("a sensor for a C3: mcconfig gets platform, folder, image and secrets; image and size are told", async () => {
		const made = project();
		const { code, stdout, stderr } = await made.run(["build", "esp32c3"], {
			...made.environment,
			UPLOAD_PORT: "/dev/ttyUSB7",
		});
		assert.equal(code, 0, stderr);
		const [mcconfig, ...idf] = made.calls;
		const output = join(made.directory, ".firefly/esp32c3");
		const manifest = join(made.directory, ".firefly-esp32c3.json");
		assert.deepEqual(mcconfig?.args, [
			..."-m -p esp32/esp32c3 -t build -o".split(" "),
			output,
			manifest,
			"wifi_password=12345678",
		]);
		assert.deepEqual(mcconfig?.manifest?.include, [
			"./firmware/manifest_sensor.json",
			join(output, "settings/manifest.json"),
		]);
		assert.ok(!existsSync(manifest), "the manifest of the build is gone");
		assert.equal(mcconfig?.port, undefined, "a port would be part of the configuration");
		assert.match(mcconfig?.path?.[0] ?? "", /node_modules.\.bin$/);
		assert.deepEqual(
			idf.map(({ args }) => args[1]),
			["reconfigure", "build"],
		);
		assert.match(stderr, /^Moddable SDK 8\.2\.3, ESP-IDF 6\.0\.0, TypeScript \S+; esp32c3, role sensor\n/m);
		assert.match(
			stderr,
			/^image of manifest_sensor\.json, 1,075 of 4,032 KB, 27 % of the partition factory$/m,
		);
		assert.doesNotMatch(stderr, /no const|wifi_password|12345678/);
		assert.equal(
			stdout,
			`${join(output, "tmp/esp32/esp32c3/release", made.directory.split("/").pop()!, "xsProj-esp32c3/build/xs_esp32.bin")}\n`,
		);
	});

	test("--json: one object", async () => {
		const made = project();
		const { code, stdout } = await made.run(["build", "esp32/nodemcu", "--json"], made.environment);
		assert.equal(code, 0);
		const built = JSON.parse(stdout) as Record<string, unknown>;
		assert.deepEqual(
			{ ...built, image: { ...(built.image as object), path: "" }, versions: undefined },
			{
				target: "nodemcu",
				platform: "esp32/nodemcu",
				chip: "esp32",
				role: "sensor",
				manifest: "manifest.json",
				image: {
					path: "",
					bytes: 1_100_000,
					firmware: "manifest_sensor.json",
					partition: { name: "factory", bytes: 0x3f0000 },
				},
				versions: undefined,
			},
		);
	});

	test("light sleep: its settings of ESP-IDF are in an image with its manifest, and in no other", async () => {
		const settings = readFileSync(join(root, "firmware/light-sleep/sdkconfig/sdkconfig.defaults"), "utf8");
		assert.match(settings, /^CONFIG_PM_ENABLE=y$/m);
		for (const mode of ["light", "none"]) {
			const isLight = mode === "light";
			const firefly = { ...SENSOR.config.firefly, sleep: { mode } };
			const include = [
				...SENSOR.include,
				...(isLight ? [join(root, "firmware/light-sleep/manifest.json")] : []),
			];
			const made = project({ "manifest.json": JSON.stringify({ ...SENSOR, include, config: { firefly } }) });
			const { code, stderr } = await made.run(["build", "esp32"], made.environment);
			assert.equal(code, 0, stderr);
			const merged = readFileSync(
				join(made.directory, ".firefly/esp32/settings/sdkconfig/sdkconfig.defaults"),
				"utf8",
			);
			assert.match(merged, /^CONFIG_ESP_TASK_WDT_EN=y$/m);
			for (const line of ["CONFIG_PM_ENABLE=y", "CONFIG_FREERTOS_USE_TICKLESS_IDLE=y"])
				assert.equal(merged.split("\n").includes(line), isLight, `${mode}: ${line}`);
		}
	});

	for (const { role, options, image } of [
		{ role: "broker", options: [], image: "./firmware/manifest_broker.json" },
		{ role: "both", options: [], image: "./firmware/manifest.json" },
		{ role: "sensor", options: ["--all-roles"], image: "./firmware/manifest.json" },
	])
		test(`role ${role} ${options.join("")}: ${image}`, async () => {
			const firefly = { ...SENSOR.config.firefly, role, listen: { anonymous: true } };
			const made = project({
				"manifest.json": JSON.stringify({ ...SENSOR, config: { firefly } }),
			});
			const { code, stderr } = await made.run(["build", "esp32", ...options], made.environment);
			assert.equal(code, 0, stderr);
			assert.equal(made.calls[0]?.manifest?.include[0], image);
		});

	test("--console: the image prints events, and its build is another one", async () => {
		const made = project();
		const { code, stderr } = await made.run(["build", "esp32c3", "--console"], made.environment);
		assert.equal(code, 0, stderr);
		assert.equal(made.calls[0]?.args[0], "-i");
		const app = join(made.directory, ".firefly/esp32c3/tmp/esp32/esp32c3/instrument");
		const settings = readFileSync(join(app, readdirSync(app)[0]!, "xsProj-esp32c3/sdkconfig"), "utf8");
		assert.match(
			settings,
			/^CONFIG_LOG_DEFAULT_LEVEL_NONE=y$/m,
			"ESP-IDF's log, which the SDK turns on, is off",
		);
		assert.equal(made.calls[0]?.manifest?.include.at(-1), join(root, "firmware/console/manifest.json"));
	});

	test("all that is in the way is told at once, each with what to do", async () => {
		const firefly = { ...SENSOR.config.firefly, role: "snsor" };
		const made = project({ "manifest.json": JSON.stringify({ ...SENSOR, config: { firefly } }) });
		const environment = { ...made.environment, MODDABLE: "", IDF_PATH: "" };
		const { code, stdout, stderr } = await made.run(["build", "pico"], environment);
		assert.equal(code, 1);
		assert.equal(stdout, "");
		assert.match(stderr, /^manifest\.json:\d+:\d+ config\.firefly\.role/m);
		assert.match(stderr, /^MODDABLE is not set: install the Moddable SDK 8\.2\.3/m);
		assert.match(stderr, /^Firefly does not run on pico: it needs an ESP32 with Wi-Fi/m);
		assert.match(stderr, /^IDF_PATH is not set: install ESP-IDF 6\.0 /m);
		assert.deepEqual(made.calls, []);
		const json = await made.run(["build", "pico", "--json"], environment);
		assert.equal(json.code, 1);
		const { problems } = JSON.parse(json.stdout) as { problems: { message: string }[] };
		assert.equal(problems.length, 4);
		assert.doesNotMatch(json.stderr, /MODDABLE|IDF_PATH/);
	});

	for (const { change = {}, cmake, remove, message } of [
		{ change: { IDF_PATH: "/nowhere" }, message: /IDF_PATH is \/nowhere, where there is no ESP-IDF/ },
		{
			cmake: "set(IDF_VERSION_MAJOR 5)\nset(IDF_VERSION_MINOR 5)\nset(IDF_VERSION_PATCH 1)\n",
			message: /the ESP-IDF in .* is 5\.5\.1: the Moddable SDK needs 6\.0; .*git checkout v6\.0/,
		},
		{ remove: "idf/.git", message: /git does not tell the version .*git clone -b v6\.0/ },
		{ remove: "bin/idf.py", message: /idf\.py is not on PATH: \. .*idf\/export\.sh/ },
		{
			remove: "bin/riscv32-esp-elf-gcc",
			message: /the compiler for esp32c3, riscv32-esp-elf-gcc, is not on PATH: .*install\.sh esp32c3/,
		},
		{ remove: "sdk/xs", message: /MODDABLE is .*, where there is no Moddable SDK/ },
	] as readonly Obstructed[])
		test(`${String(message).slice(1, 60)}: nothing is built`, async () => {
			const made = project();
			if (cmake !== undefined) made.write("idf/tools/cmake/version.cmake", cmake);
			if (remove !== undefined) rmSync(join(made.directory, remove), { recursive: true });
			const { code, stderr } = await made.run(["build", "esp32c3"], { ...made.environment, ...change });
			assert.equal(code, 1);
			assert.match(stderr, message);
			assert.deepEqual(made.calls, []);
		});

	test("a setting of Firefly's that did not take effect: an error with file, line and setting", async () => {
		const made = project();
		const { code, stdout, stderr } = await made.run(["build", "esp32c3"], {
			...made.environment,
			FAKE_DROP: "CONFIG_ESP_TASK_WDT_PANIC CONFIG_SDK_DEFAULT CONFIG_BT_NIMBLE_ROLE_CENTRAL",
		});
		assert.equal(code, 1);
		assert.equal(stdout, "");
		const lines = readFileSync(OWN_SETTINGS, "utf8").split("\n");
		const line = 1 + lines.indexOf("CONFIG_ESP_TASK_WDT_PANIC=y");
		const place = `${OWN_SETTINGS}:${line}:1`;
		assert.ok(
			stderr.includes(
				`${place}: CONFIG_ESP_TASK_WDT_PANIC=y has no effect: this ESP-IDF knows no such setting`,
			),
			stderr,
		);
		assert.doesNotMatch(stderr, /SDK_DEFAULT|NIMBLE/, "the SDK's own defaults are not compared");
	});

	test("an image larger than its partition: an error, whatever the tools say", async () => {
		const made = project();
		const { code, stderr } = await made.run(["build", "esp32c3"], {
			...made.environment,
			FAKE_SIZE: String(0x3f0000 + 1),
		});
		assert.equal(code, 1);
		assert.match(
			stderr,
			/^the image has 4128769 bytes, the partition factory 4128768: name a table with a larger/m,
		);
	});

	test("a board with settings of its own keeps them, and Firefly's hold where both have one", async () => {
		const made = project({
			"own/sdkconfig.defaults": "CONFIG_MINE=y\nCONFIG_LWIP_TCP_RTO_TIME=2000\n",
			"manifest.json": JSON.stringify({ ...SENSOR, build: { SDKCONFIGPATH: "./own" } }),
		});
		const { code, stderr } = await made.run(["build", "xiao_esp32c3"], made.environment);
		assert.equal(code, 0, stderr);
		const app = join(made.directory, ".firefly/xiao_esp32c3/tmp/esp32/xiao_esp32c3/release");
		const [name] = readdirSync(app);
		const settings = readFileSync(join(app, name!, "xsProj-esp32c3/sdkconfig"), "utf8").split("\n");
		for (const line of [
			"CONFIG_ESPTOOLPY_AFTER_NORESET=y",
			"CONFIG_ESP_TASK_WDT_EN=y",
			"CONFIG_LWIP_MAX_ACTIVE_TCP=16",
			"CONFIG_LWIP_TCP_RTO_TIME=2000",
			"CONFIG_MINE=y",
		])
			assert.ok(settings.includes(line), line);
	});

	test("settings of the project: a variable in their path, and a path that is not there", async () => {
		const build = { MINE: "./own", SDKCONFIGPATH: "$(MINE)/settings" };
		const made = project({ "manifest.json": JSON.stringify({ ...SENSOR, build }) });
		const { code, stderr } = await made.run(["build", "esp32"], made.environment);
		assert.equal(code, 1);
		const folder = join(made.directory, "own/settings");
		assert.match(
			stderr,
			new RegExp(`^build\\.SDKCONFIGPATH of the manifest names ${folder}, which is not there$`, "m"),
		);
		made.write("own/settings/sdkconfig.defaults", "CONFIG_MINE=y\n");
		assert.equal((await made.run(["build", "esp32"], made.environment)).code, 0);
		assert.match(
			readFileSync(join(made.directory, ".firefly/esp32/settings/sdkconfig/sdkconfig.defaults"), "utf8"),
			/^CONFIG_MINE=y$/m,
		);
	});

	test("ESP-IDF fails: the last lines, the path of all lines, and no old image for a new one", async () => {
		const made = project();
		assert.equal((await made.run(["build", "esp32c3"], made.environment)).code, 0);
		const { code, stdout, stderr } = await made.run(["build", "esp32c3"], {
			...made.environment,
			FAKE_IDF_ERROR: "1",
		});
		assert.equal(code, 1);
		assert.equal(stdout, "");
		const log = join(made.directory, ".firefly/esp32c3/build.log");
		assert.match(stderr, /error: implicit declaration of function 'esp_slep'\nninja failed/);
		assert.doesNotMatch(stderr, /detail 1\n/);
		assert.ok(stderr.endsWith(`mcconfig failed, exit code 2; all that was printed is in ${log}\n`), stderr);
		assert.match(readFileSync(log, "utf8"), /detail 1\n/);
		const json = await made.run(["build", "esp32c3", "--json"], { ...made.environment, FAKE_ERROR: "1" });
		assert.equal(json.code, 1);
		const { problems } = JSON.parse(json.stdout) as { problems: { message: string }[] };
		assert.match(problems[0]!.message, /TS1005[\s\S]*mcconfig failed/);
	});

	for (const { hang, signals, title } of [
		{ hang: "once", signals: 1, title: "an interrupted build ends its own programs, and no others" },
		{ hang: "deaf", signals: 1, title: "programs that do not listen are ended all the same" },
		{ hang: "deaf", signals: 2, title: "Ctrl-C twice ends all of them at once" },
	])
		test(title, async (t) => {
			const made = project();
			const env = { ...process.env, ...made.environment, FAKE_HANG: hang };
			const stranger = spawn(join(made.directory, "bin/idf.py"), [], {
				env: { ...env, RECORD: join(made.directory, "stranger.jsonl") },
			});
			t.after(() => stranger.kill("SIGKILL"));
			const child = spawn(process.execPath, [cli, "build", "esp32c3"], {
				cwd: made.directory,
				env,
				stdio: ["ignore", "ignore", "pipe"],
			});
			t.after(() => child.kill("SIGKILL"));
			const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
			let stderr = "";
			child.stderr.setEncoding("utf8").on("data", (text: string) => {
				stderr += text;
			});
			/** Waits for a call of idf.py. @returns its process; undefined: the build has ended before */
			const called = async (argument: string): Promise<number | undefined> => {
				for (;;) {
					const call = made.calls.find(({ tool, args }) => tool === "idf.py" && args.includes(argument));
					if (call !== undefined) return call.pid;
					if (child.exitCode !== null) return undefined;
					await new Promise((resolve) => setTimeout(resolve, 50));
				}
			};
			const pid = await called("build");
			assert.ok(pid !== undefined, stderr);
			child.kill("SIGINT");
			if (signals > 1) {
				await called("interrupted");
				child.kill("SIGINT");
			}
			const [code, signal] = await closed;
			// Where programs are ended all the same meanwhile, the second one may meet no handler any more.
			assert.ok(code === 130 || (signals > 1 && signal === "SIGINT"), `${code} ${signal} ${stderr}`);
			if (signals === 1) assert.match(stderr, /\ninterrupted\n$/);
			// A process that was killed may be there until it is waited for.
			while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
			assert.equal(stranger.exitCode ?? stranger.signalCode, null, "another idf.py is not");
			if (signals === 1) assert.ok(!existsSync(join(made.directory, ".firefly-esp32c3.json")));
		});
});
