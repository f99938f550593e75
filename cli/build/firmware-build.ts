import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../sim/cache/folder.mjs";
import { imagePartition } from "../config/partitions";
import { build } from "../moddable/mcconfig";
import { builtProject, type IDFProject, imagePath, type ProjectPlace, removeImages } from "./idf-project";
import { imageManifest } from "./image-manifest";
import { mergeSettings } from "./merged-settings";
import type { BuildPlan, Obstacle } from "./preflight";
import { settingsProblems } from "./settings-problems";

/** Manifest of the module that prints the firmware's progress. */
const CONSOLE = join(projectFolder, "firmware", "console", "manifest.json");

export interface FirmwareBuildOptions {
	/** Whether the image has all roles, whatever it needs. */
	readonly full: boolean;
	readonly environment: NodeJS.ProcessEnv;
	/** Called for each file that is compiled. */
	readonly onProgress: () => void;
	readonly signal: AbortSignal;
}

/** An image and what is known of it. */
export interface BuiltFirmware {
	/** Path of the image. */
	readonly image: string;
	readonly bytes: number;
	/** The smallest partition that it has to fit; undefined: not known. */
	readonly partition: { readonly name: string; readonly bytes: number } | undefined;
	/** Manifest of the firmware that is in it; undefined: included by another manifest. */
	readonly manifest: string | undefined;
	/** Folder of the images and of what esptool is to do with them. */
	readonly folder: string;
	/** Settings that did not take effect, and an image that is too large. */
	readonly problems: readonly Obstacle[];
}

/**
 * Builds the firmware and compares the result with what it was asked for.
 * @throws {Failure} with the last lines of what the tools have to say
 * @throws {Interrupted} if `signal` aborts
 */
export async function buildFirmware(plan: BuildPlan, options: FirmwareBuildOptions): Promise<BuiltFirmware> {
	const { sdk, typescript, target, kind, loaded, role, overrides, output } = plan;
	const place = projectPlace(plan);
	const settings = mergeSettings(sdk.root, target, loaded, kind, output);
	const manifest = imageManifest(loaded.path, loaded.json, {
		role,
		full: options.full,
		target: target.name,
		include: [settings.manifest, ...(kind === "instrument" ? [CONSOLE] : [])],
	});
	try {
		removeImages(place);
		await build({
			sdk,
			typescript,
			kind,
			platform: target.platform,
			manifest: manifest.path,
			output,
			settings: overrides as Record<string, string>,
			environment: withoutPort(options.environment),
			log: join(output, "build.log"),
			onProgress: options.onProgress,
			signal: options.signal,
		});
	} finally {
		manifest.dispose();
	}
	const project = builtProject(place);
	const final = readFileSync(join(project.folder, "sdkconfig"), "utf8");
	const problems: Obstacle[] = [...settingsProblems(settings.files, final)];
	const image = readImage(project);
	const { bytes, partition } = image;
	if (partition !== undefined && bytes > partition.bytes) {
		problems.push(
			`the image has ${bytes} bytes, the partition ${partition.name} ${partition.bytes}: name a table with a larger one in build.PARTITIONS_FILE`,
		);
	}
	return { ...image, manifest: manifest.image, problems };
}

/** Where the build of a plan is. */
export function projectPlace({ output, target, kind }: BuildPlan): ProjectPlace {
	return { output, platform: target.platform, kind, chip: target.chip };
}

/** What is known of an image that was built. */
export function readImage(
	project: IDFProject,
): Pick<BuiltFirmware, "image" | "bytes" | "partition" | "folder"> {
	const image = imagePath(project);
	const partitions = readFileSync(join(project.folder, "partitions.csv"), "utf8");
	return {
		image,
		bytes: statSync(image).size,
		partition: imagePartition(partitions),
		folder: project.build,
	};
}

/** mcconfig writes a port into the configuration, so that everything would be compiled for each port. */
function withoutPort(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const { UPLOAD_PORT: _, ...rest } = environment;
	return rest;
}
