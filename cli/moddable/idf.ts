import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Failure } from "../failure";

/** The version of ESP-IDF with which Firefly was tested. */
export const TESTED_IDF = "6.0";

/** An installed ESP-IDF whose tools are on `PATH`. */
export interface IDF {
	/** `$IDF_PATH`. */
	readonly root: string;
	readonly version: string;
}

/** Chips whose compiler is not that of all RISC-V chips. */
const XTENSA = ["esp32", "esp32s2", "esp32s3"];

/**
 * Finds ESP-IDF and checks its version, which has to be the one that the SDK expects: its makefile refuses
 * every other.
 * @param sdk folder of the SDK; undefined: it was not found
 * @param chip whose compiler is needed; undefined: it is not known
 * @throws {Failure} that says what is missing, and what to do
 */
export function findIDF(
	environment: NodeJS.ProcessEnv,
	sdk: string | undefined,
	chip: string | undefined,
): IDF {
	const wanted = expectedIDF(sdk);
	const root = environment.IDF_PATH;
	if (root === undefined || root === "") {
		throw new Failure(
			`IDF_PATH is not set: install ESP-IDF ${wanted} (documentation/devices/esp32.md of the Moddable SDK), then . esp-idf/export.sh`,
		);
	}
	const file = join(root, "tools", "cmake", "version.cmake");
	if (!existsSync(file)) {
		throw new Failure(
			`IDF_PATH is ${root}, where there is no ESP-IDF: set it to the folder that has export.sh and tools`,
		);
	}
	const version = readVersion(readFileSync(file, "utf8"));
	if (!isSame(version, wanted)) {
		throw new Failure(
			`the ESP-IDF in ${root} is ${version}: the Moddable SDK needs ${wanted}; in that folder, git checkout v${wanted} && git submodule update --init --recursive && ./install.sh`,
		);
	}
	if (!isSame(describe(root, environment), wanted)) {
		throw new Failure(
			`git does not tell the version of the ESP-IDF in ${root}, and the SDK's makefile asks it: clone it, git clone -b v${wanted} --recursive https://github.com/espressif/esp-idf.git`,
		);
	}
	const setUp = `. ${join(root, "export.sh")}`;
	for (const tool of ["idf.py", "python"])
		if (!isOnPath(tool, environment)) throw new Failure(`${tool} is not on PATH: ${setUp}`);
	if (chip === undefined) return { root, version };
	const compiler = `${XTENSA.includes(chip) ? `xtensa-${chip}` : "riscv32-esp"}-elf-gcc`;
	if (!isOnPath(compiler, environment)) {
		throw new Failure(
			`the compiler for ${chip}, ${compiler}, is not on PATH: ${join(root, "install.sh")} ${chip}, then ${setUp}`,
		);
	}
	return { root, version };
}

/** Whether a program of that name is on `PATH`. */
export function isOnPath(name: string, environment: NodeJS.ProcessEnv): boolean {
	const names = process.platform === "win32" ? [name, `${name}.exe`, `${name}.bat`, `${name}.cmd`] : [name];
	const folders = (environment.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
	return folders.some((folder) => names.some((file) => existsSync(join(folder, file))));
}

/** Without the letter before it. */
function expectedIDF(sdk: string | undefined): string {
	const manifest = sdk === undefined ? "" : join(sdk, "build", "devices", "esp32", "manifest.json");
	if (!existsSync(manifest)) return TESTED_IDF;
	return /"EXPECTED_ESP_IDF"\s*:\s*"v?([\d.]+)"/.exec(readFileSync(manifest, "utf8"))?.[1] ?? TESTED_IDF;
}

function readVersion(cmake: string): string {
	const part = (name: string): string =>
		new RegExp(`IDF_VERSION_${name}\\s+(\\d+)`).exec(cmake)?.[1] ?? "unknown";
	return `${part("MAJOR")}.${part("MINOR")}.${part("PATCH")}`;
}

/** As the SDK's makefile asks. */
function describe(root: string, environment: NodeJS.ProcessEnv): string {
	const { stdout } = spawnSync("git", ["describe", "--always", "--abbrev=0"], {
		cwd: root,
		encoding: "utf8",
		env: environment,
	});
	return (stdout ?? "").trim().replace(/^.*v(?=\d)/, "");
}

/** The SDK compares the first two numbers. */
function isSame(version: string, wanted: string): boolean {
	const [major, minor] = version.split(".");
	const [wantedMajor, wantedMinor] = wanted.split(".");
	return (
		major === wantedMajor && Number.parseInt(minor ?? "", 10) === Number.parseInt(wantedMinor ?? "0", 10)
	);
}
