import { relative } from "node:path";
import { Failure } from "../failure";
import { TESTED_IDF } from "../moddable/idf";
import { TESTED_SDK } from "../moddable/sdk";
import { TESTED_TYPESCRIPT } from "../moddable/typescript";
import type { BuiltFirmware } from "./firmware-build";
import { type BuildPlan, type Obstacle, obstacleText } from "./preflight";

/** One line: what builds what. */
export function planText({ sdk, idf, typescript, target, role }: BuildPlan): string {
	const tools = [
		`Moddable SDK ${versionText(sdk.version, TESTED_SDK)}`,
		`ESP-IDF ${versionText(idf.version, TESTED_IDF)}`,
		`TypeScript ${versionText(typescript.version, TESTED_TYPESCRIPT)}`,
	];
	return `${tools.join(", ")}; ${target.name}, role ${role}`;
}

function versionText(version: string, tested: string): string {
	const isTested = version === tested || version.startsWith(`${tested}.`);
	return isTested ? version : `${version} (tested with ${tested})`;
}

/** `image 1,154 of 4,032 KB, 28 % of the partition factory` */
export function sizeText({ bytes, partition, manifest }: BuiltFirmware): string {
	const image = `image ${manifest === undefined ? "" : `of ${manifest}, `}${kilobytes(bytes)}`;
	if (partition === undefined) return `${image} KB`;
	const share = Math.round((100 * bytes) / partition.bytes);
	return `${image} of ${kilobytes(partition.bytes)} KB, ${share} % of the partition ${partition.name}`;
}

function kilobytes(bytes: number): string {
	return Math.ceil(bytes / 1024).toLocaleString("en-US");
}

/** What a build is, for machines. */
export function buildJSON(plan: BuildPlan, built: BuiltFirmware): object {
	const { sdk, idf, typescript, target, role, loaded } = plan;
	return {
		target: target.name,
		platform: target.platform,
		chip: target.chip,
		role,
		manifest: relative(process.cwd(), loaded.path),
		image: {
			path: built.image,
			bytes: built.bytes,
			...(built.manifest === undefined ? {} : { firmware: built.manifest }),
			...(built.partition === undefined ? {} : { partition: built.partition }),
		},
		versions: { sdk: sdk.version, idf: idf.version, typescript: typescript.version },
	};
}

/**
 * Ends a command because of what is in the way: each on a line of standard error, or, for machines, one JSON
 * object on standard output.
 */
export function failWith(obstacles: readonly Obstacle[], json: boolean): never {
	if (!json) throw new Failure(obstacles.map(obstacleText).join("\n"));
	const problems = obstacles.map((obstacle) =>
		typeof obstacle === "string" ? { message: obstacle } : obstacle,
	);
	process.stdout.write(`${JSON.stringify({ problems })}\n`);
	throw new Failure("");
}
