import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure";

/** The SDK's version with which Firefly was tested, and the oldest one that can compile it. */
export const TESTED_SDK = "8.2.3";
const OLDEST_SDK = [8, 2] as const;

/** mcconfig's platform for this computer. */
export type DesktopPlatform = "lin" | "mac" | "win";

/** An installed and built Moddable SDK. */
export interface ModdableSDK {
	/** `$MODDABLE`. */
	readonly root: string;
	readonly version: string;
	readonly platform: DesktopPlatform;
	/** Folder of mcconfig, xsc, mcsim and the other tools. */
	readonly tools: string;
}

/** @throws {Failure} on a system that the SDK does not run on */
export function desktopPlatform(system: NodeJS.Platform = process.platform): DesktopPlatform {
	switch (system) {
		case "linux":
			return "lin";
		case "darwin":
			return "mac";
		case "win32":
			return "win";
	}
	throw new Failure(`the Moddable SDK does not run on ${system}; npx firefly sim needs no SDK`);
}

/**
 * Finds the Moddable SDK.
 * @throws {Failure} that says what is missing, and what to do
 */
export function findSDK(environment: NodeJS.ProcessEnv, platform: DesktopPlatform): ModdableSDK {
	const root = environment.MODDABLE;
	if (root === undefined || root === "") {
		throw new Failure(
			`MODDABLE is not set: install the Moddable SDK ${TESTED_SDK} (https://www.moddable.com/getting-started), and set MODDABLE to its folder`,
		);
	}
	if (!existsSync(join(root, "xs"))) {
		throw new Failure(
			`MODDABLE is ${root}, where there is no Moddable SDK: set it to the folder that has xs and tools`,
		);
	}
	const tools = join(root, "build", "bin", platform, "release");
	const missing = ["mcconfig", "xsc"].find((name) => !existsSync(toolPath(tools, name, platform)));
	if (missing !== undefined) {
		throw new Failure(
			`the Moddable SDK in ${root} has no ${missing}: build its tools, make in ${join("build", "makefiles", platform)}`,
		);
	}
	const version = readVersion(root);
	if (isOlder(version)) {
		throw new Failure(
			`the Moddable SDK in ${root} is ${version}: Firefly needs ${OLDEST_SDK.join(".")} or later, and was tested with ${TESTED_SDK}`,
		);
	}
	return { root, version, platform, tools };
}

/** The path of one of the SDK's tools, whether or not it exists. */
export function toolPath(tools: string, name: string, platform: DesktopPlatform): string {
	return join(tools, platform === "win" ? `${name}.exe` : name);
}

function readVersion(root: string): string {
	const path = join(root, "tools", "VERSION");
	return existsSync(path) ? readFileSync(path, "utf8").trim() : "of an unknown version";
}

/** A version that says nothing is not older. */
function isOlder(version: string): boolean {
	const [major, minor] = version.split(".").map(Number);
	if (major === undefined || minor === undefined || Number.isNaN(major) || Number.isNaN(minor)) return false;
	return major < OLDEST_SDK[0] || (major === OLDEST_SDK[0] && minor < OLDEST_SDK[1]);
}
