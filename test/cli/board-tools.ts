import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { desktopPlatform } from "../../cli/moddable/sdk";
import { Project } from "./project";

/** A sensor whose configuration has no problems. */
export const SENSOR = {
	include: ["./firmware/manifest.json"],
	config: {
		firefly: {
			wifi: { ssid: "net" },
			broker: { url: "mqtt://192.0.2.1" },
			sensors: [{ name: "t", driver: "sht3x", property: "thermometer.temperature", unit: "°C", every: "1m" }],
		},
	},
};

const HEADER = `#!${process.execPath}
const { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const { basename, dirname, join, resolve } = require("node:path");
const args = process.argv.slice(2);
const value = (option) => args[args.indexOf(option) + 1];
const record = (entry) => appendFileSync(process.env.RECORD, JSON.stringify(entry) + "\\n");
`;

/**
 * Stands in for mcconfig: of two values of SDKCONFIGPATH the one included last holds, the board's among them;
 * settings are merged without comments; the target `build` of its makefile ignores that idf.py fails.
 */
const MCCONFIG = `${HEADER}
const { spawnSync } = require("node:child_process");
const path = args.find((arg) => arg.endsWith(".json"));
const manifest = JSON.parse(readFileSync(path, "utf8"));
record({ tool: "mcconfig", args, cwd: process.cwd(), manifest, moddable: process.env.MODDABLE,
	path: process.env.PATH.split(":").slice(0, 2), port: process.env.UPLOAD_PORT });
const kind = args.includes("-d") ? "debug" : args.includes("-i") ? "instrument" : "release";
const [, board] = value("-p").split("/");
const targets = join(process.env.MODDABLE, "build/devices/esp32/targets");
const boardManifest = board && JSON.parse(readFileSync(join(targets, board, "manifest.json"), "utf8"));
const chip = boardManifest?.build?.ESP32_SUBCLASS ?? "esp32";
let settings = boardManifest?.build?.SDKCONFIGPATH && join(targets, board, boardManifest.build.SDKCONFIGPATH);
for (const include of manifest.include) {
	const file = resolve(dirname(path), include);
	const { build } = JSON.parse(readFileSync(file, "utf8"));
	if (build?.SDKCONFIGPATH) settings = resolve(dirname(file), build.SDKCONFIGPATH);
}
const tmp = join(value("-o"), "tmp", value("-p"), kind, basename(dirname(path)));
const project = join(tmp, "xsProj-" + chip);
mkdirSync(project, { recursive: true });
const names = kind === "debug" ? ["sdkconfig.defaults"] : ["sdkconfig.defaults", "sdkconfig.defaults.release"];
if (kind === "instrument") names.push("sdkconfig.inst");
const lines = ["CONFIG_SDK_DEFAULT=y", "CONFIG_BT_NIMBLE_ROLE_CENTRAL=n"];
if (kind === "instrument") lines.push("CONFIG_LOG_DEFAULT_LEVEL_NONE=n", "CONFIG_LOG_DEFAULT_LEVEL_INFO=y");
for (const name of names)
	if (existsSync(join(settings, name))) lines.push(...readFileSync(join(settings, name), "utf8").split("\\n"));
const merged = new Map();
for (const line of lines) if (line !== "" && !line.startsWith("#")) merged.set(line.split("=")[0], line.split("=")[1]);
writeFileSync(join(project, "sdkconfig.mc"), [...merged].map((pair) => pair.join("=")).join("\\n"));
writeFileSync(join(project, "partitions.csv"), "# Name, Type, SubType, Offset, Size\\nnvs, data, nvs, 0x9000, 0x6000,\\nfactory, app, factory, 0x10000, 0x3F0000,\\n");
writeFileSync(join(tmp, "makefile"), "SDKCONFIGPATH = " + settings + "\\n");
console.log("# xsc main.ts\\n# cc xsAll.c (strings in flash)\\n### warning: firmware/main: default(): no const");
if (process.env.FAKE_ERROR) {
	console.error("main.ts(3,1): error TS1005: ';' expected.\\nmake: *** [makefile:12: main.js] Error 1");
	process.exit(2);
}
const idf = (...command) => spawnSync("idf.py", ["-n", ...command], { cwd: project, stdio: "inherit" }).status;
if (idf("reconfigure", "-D", "SDKCONFIG_DEFAULTS=" + join(project, "sdkconfig.mc"), "-D", "IDF_TARGET=" + chip) !== 0)
	process.exit(2);
if (idf("build") !== 0) console.error("make: [makefile:690: build] Error 2 (ignored)");
if (!existsSync(join(project, "build/xs_esp32.elf"))) {
	console.error("make: *** [makefile:691: build] Error 1");
	process.exit(2);
}
`;

/** Stands in for idf.py: names what it is asked for in sdkconfig, but for what FAKE_DROP says. */
const IDF = `${HEADER}
const hangs = process.env.FAKE_HANG && !args.includes("reconfigure");
// Before its call is known, which a test answers with a signal.
if (hangs) process.on("SIGINT", () => {
	record({ tool: "idf.py", args: ["interrupted"], cwd: process.cwd(), pid: process.pid });
	if (process.env.FAKE_HANG === "once") process.exit(130);
});
record({ tool: "idf.py", args, cwd: process.cwd(), pid: process.pid });
const dropped = (process.env.FAKE_DROP ?? "").split(" ");
if (args.includes("reconfigure")) {
	const defaults = args.find((arg) => arg.startsWith("SDKCONFIG_DEFAULTS=")).slice(19);
	const lines = readFileSync(defaults, "utf8").split("\\n").filter((line) => !dropped.includes(line.split("=")[0]));
	// Of a choice, the value that is set last holds.
	const levels = lines.filter((line) => line.startsWith("CONFIG_LOG_DEFAULT_LEVEL_") && line.endsWith("=y"));
	for (const level of levels.slice(0, -1)) lines[lines.indexOf(level)] = level.replace("=y", "=n");
	writeFileSync("sdkconfig", lines.map((line) => line.endsWith("=n") || line.endsWith("=")
		? "# " + line.split("=")[0] + " is not set" : line).join("\\n"));
} else if (hangs) {
	console.log("[1/900] Building C object");
	setInterval(() => {}, 1000);
} else if (process.env.FAKE_IDF_ERROR) {
	for (let i = 0; i < 60; i++) console.error("detail " + i);
	console.error("sleep.c:12:3: error: implicit declaration of function 'esp_slep'\\nninja failed with exit code 1");
	process.exit(2);
} else {
	mkdirSync("build", { recursive: true });
	writeFileSync("build/xs_esp32.elf", "elf");
	writeFileSync("build/xs_esp32.bin", Buffer.alloc(Number(process.env.FAKE_SIZE ?? 1_100_000)));
	writeFileSync("build/flasher_args.json", JSON.stringify({
		write_flash_args: ["--flash-mode", "dio", "--flash-size", "4MB", "--flash-freq", "80m"],
		flash_files: { "0x10000": "xs_esp32.bin", "0x0": "bootloader/bootloader.bin", "0x8000": "partition_table/partition-table.bin" },
		extra_esptool_args: { after: "hard-reset", before: "default-reset", stub: true, chip: "esp32c3" } }));
	console.log("[900/900] Generating binary image from built executable");
}
`;

const ESPTOOL = `${HEADER}
const version = process.env.FAKE_ESPTOOL ?? "v5.1.0";
if (args[0] === "version") {
	console.log("esptool " + version + "\\n" + version.slice(1));
	process.exit(0);
}
record({ tool: "esptool", args, cwd: process.cwd() });
console.log("esptool " + version + "\\nSerial port " + value("--port") + ":\\nConnecting...");
if (process.env.FAKE_NO_BOARD) {
	console.log("\\nA fatal error occurred: Failed to connect to ESP32-C3: No serial data received.");
	process.exit(2);
}
console.log("Hash of data verified.\\n\\nHard resetting via RTS pin...");
`;

/** What a tool was called with. */
export interface ToolCall {
	readonly tool: "mcconfig" | "idf.py" | "esptool";
	readonly args: readonly string[];
	readonly cwd: string;
	readonly pid?: number;
	readonly manifest?: { readonly include: readonly string[] };
	readonly moddable?: string;
	readonly path?: readonly string[];
	readonly port?: string;
}

/** A project, and an SDK, an ESP-IDF and an esptool whose programs are scripts that record their calls. */
export class BoardProject extends Project {
	readonly environment: NodeJS.ProcessEnv;

	constructor(files: Readonly<Record<string, string>> = {}) {
		super({
			"manifest.json": JSON.stringify(SENSOR),
			"firmware/manifest_sensor.json": '{"modules": {"driver/sht3x": "./sht3x"}}',
			"firmware/manifest_broker.json": "{}",
			"firefly.local.json": '{"wifi": {"password": "12345678"}}',
			"sdk/tools/VERSION": "8.2.3\n",
			"sdk/xs/readme": "",
			"sdk/build/devices/esp32/manifest.json": '{"build": {"EXPECTED_ESP_IDF": "v6.0"}}',
			...board("nodemcu", {}),
			...board("esp32c3", { ESP32_SUBCLASS: "esp32c3" }),
			...board("esp32h2", { ESP32_SUBCLASS: "esp32h2" }),
			...board("saola_wroom", { ESP32_SUBCLASS: "esp32s2" }),
			...board("xiao_esp32c3", { ESP32_SUBCLASS: "esp32c3", SDKCONFIGPATH: "./sdkconfig" }),
			"sdk/build/devices/esp32/targets/xiao_esp32c3/sdkconfig/sdkconfig.defaults":
				"CONFIG_ESPTOOLPY_AFTER_NORESET=y\nCONFIG_LWIP_MAX_ACTIVE_TCP=4\n",
			"idf/tools/cmake/version.cmake":
				"set(IDF_VERSION_MAJOR 6)\nset(IDF_VERSION_MINOR 0)\nset(IDF_VERSION_PATCH 0)\n",
			...files,
		});
		const tools = `sdk/build/bin/${desktopPlatform()}/release`;
		for (const name of ["mcconfig", "xsc"]) this.#program(`${tools}/${name}`, MCCONFIG);
		this.#program("bin/idf.py", IDF);
		this.#program("bin/esptool", ESPTOOL);
		for (const name of ["python", "riscv32-esp-elf-gcc", "xtensa-esp32-elf-gcc"])
			this.#program(`bin/${name}`, HEADER);
		this.#tagIDF("v6.0");
		this.environment = {
			MODDABLE: join(this.directory, "sdk"),
			IDF_PATH: join(this.directory, "idf"),
			PATH: [join(this.directory, "bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(":"),
			RECORD: join(this.directory, "calls.jsonl"),
		};
	}

	/** The calls of the tools so far. */
	get calls(): readonly ToolCall[] {
		const path = join(this.directory, "calls.jsonl");
		if (!existsSync(path)) return [];
		// A line without its end is still being written.
		const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
		return lines.map((line) => JSON.parse(line) as ToolCall);
	}

	#program(path: string, text: string): void {
		this.write(path, text);
		chmodSync(join(this.directory, path), 0o755);
	}

	/** As a clone of a release has it. */
	#tagIDF(tag: string): void {
		const git = (...args: string[]): void => {
			const user = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
			const { status, stderr } = spawnSync("git", [...user, ...args], {
				cwd: join(this.directory, "idf"),
				encoding: "utf8",
			});
			if (status !== 0) throw new Error(stderr);
		};
		git("init", "-q");
		git("commit", "-q", "--allow-empty", "-m", "release");
		git("tag", "-a", tag, "-m", tag);
	}
}

function board(name: string, build: Readonly<Record<string, string>>): Record<string, string> {
	return { [`sdk/build/devices/esp32/targets/${name}/manifest.json`]: JSON.stringify({ build }) };
}
