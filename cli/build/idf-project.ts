import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure";
import type { BuildKind } from "../moddable/mcconfig";

/** Where mcconfig puts the project of ESP-IDF that it makes. */
export interface ProjectPlace {
	/** mcconfig's `-o`. */
	readonly output: string;
	/** `esp32/nodemcu`. */
	readonly platform: string;
	readonly kind: BuildKind;
	readonly chip: string;
}

/** A project of ESP-IDF that mcconfig has made and built. */
export interface IDFProject {
	/** Has `sdkconfig` and `partitions.csv`. */
	readonly folder: string;
	/** Has the image, the bootloader and `flasher_args.json`. */
	readonly build: string;
	/** Variables of mcconfig's makefile. */
	readonly variables: ReadonlyMap<string, string>;
}

const IMAGE = "xs_esp32.bin";
/** ESP-IDF makes the image anew only if one of these is missing. */
const IMAGE_FILES = [IMAGE, "xs_esp32.elf", ".bin_timestamp"];

/**
 * Removes the last image, all else stays: the SDK's makefile ignores that ESP-IDF has failed, and would pass
 * an old image off as a new one.
 */
export function removeImages(place: ProjectPlace): void {
	for (const folder of appFolders(place))
		for (const name of IMAGE_FILES) rmSync(join(folder, projectName(place), "build", name), { force: true });
}

/**
 * The project of the build that has just ended.
 * @throws {Failure} if it made no image
 */
export function builtProject(place: ProjectPlace): IDFProject {
	for (const folder of appFolders(place)) {
		const project = join(folder, projectName(place));
		const build = join(project, "build");
		if (!existsSync(join(build, IMAGE))) continue;
		return { folder: project, build, variables: readVariables(join(folder, "makefile")) };
	}
	throw new Failure("the build has made no image");
}

/** Path of the image. */
export function imagePath({ build }: IDFProject): string {
	return join(build, IMAGE);
}

/** Folders of applications of this kind: mcconfig names them after the manifest's folder. */
function appFolders({ output, platform, kind }: ProjectPlace): string[] {
	const folder = join(output, "tmp", platform, kind);
	if (!existsSync(folder)) return [];
	return readdirSync(folder)
		.map((name) => join(folder, name))
		.filter((path) => statSync(path).isDirectory() && existsSync(join(path, "makefile")));
}

function projectName({ chip }: ProjectPlace): string {
	return `xsProj-${chip}`;
}

function readVariables(makefile: string): Map<string, string> {
	const lines = readFileSync(makefile, "utf8").matchAll(/^([A-Z][A-Z0-9_]*) ?= ?(.*)$/gm);
	return new Map([...lines].map(([, name, value]) => [name!, value!.trim()]));
}
