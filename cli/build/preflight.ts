import { dirname, join } from "node:path";
import type { Settings } from "../../src/config/settings";
import { type LoadedManifest, loadManifest } from "../config/load";
import type { Overrides } from "../config/overrides";
import { formatProblem, type Problem } from "../config/problem";
import { Failure } from "../failure";
import { findIDF, type IDF } from "../moddable/idf";
import type { BuildKind } from "../moddable/mcconfig";
import { desktopPlatform, findSDK, type ModdableSDK } from "../moddable/sdk";
import { findTarget, type Target } from "../moddable/targets";
import { findTypeScript, type TypeScript } from "../moddable/typescript";

/** What is built. */
export interface BuildPlan {
	readonly sdk: ModdableSDK;
	readonly idf: IDF;
	readonly typescript: TypeScript;
	readonly target: Target;
	readonly kind: BuildKind;
	readonly loaded: LoadedManifest;
	readonly role: Role;
	readonly overrides: Overrides;
	/** Folder for what is built, beside the manifest; git ignores it. */
	readonly output: string;
}

export type Role = Settings["role"];

export interface BuildRequest {
	/** As a person writes it. */
	readonly target: string;
	readonly manifest: string;
	readonly kind: BuildKind;
	readonly environment: NodeJS.ProcessEnv;
}

/** What is in the way, each with what to do; or with its place in a file. */
export type Obstacle = string | Problem;

/** Collects what is in the way, so that a person is told all of it at once. */
export class Preflight {
	readonly obstacles: Obstacle[] = [];

	/** @returns undefined if it failed */
	check<T>(find: () => T): T | undefined {
		try {
			return find();
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			this.obstacles.push(error.message);
			return undefined;
		}
	}
}

/**
 * Checks all that a build needs before anything is built: configuration, SDK, target, ESP-IDF, TypeScript.
 * @param warn is told what is allowed, but seldom meant
 * @returns undefined: `preflight` has what is in the way
 */
export function planBuild(
	request: BuildRequest,
	preflight: Preflight,
	warn: (warning: Problem) => void,
): BuildPlan | undefined {
	const { environment, kind } = request;
	const board = request.target === "esp32" ? request.target : `esp32/${request.target}`;
	const loaded = loadManifest(request.manifest, environment, {}, true, board);
	for (const warning of loaded.warnings) warn(warning);
	if ("problems" in loaded) preflight.obstacles.push(...loaded.problems);
	const platform = preflight.check(() => desktopPlatform());
	const sdk = platform && preflight.check(() => findSDK(environment, platform));
	const target = preflight.check(() => findTarget(request.target, sdk?.root));
	const idf = preflight.check(() => findIDF(environment, sdk?.root, target?.chip));
	const typescript = preflight.check(() => findTypeScript(environment));
	if (preflight.obstacles.length > 0 || "problems" in loaded || !sdk || !target || !idf || !typescript)
		return undefined;
	const { path, overrides } = loaded.manifest;
	return {
		sdk,
		idf,
		typescript,
		target,
		kind,
		loaded: loaded.manifest,
		role: loaded.manifest.device.settings.role,
		overrides,
		output: join(dirname(path), ".firefly", target.name),
	};
}

/** One line about something that is in the way. */
export function obstacleText(obstacle: Obstacle): string {
	return typeof obstacle === "string" ? obstacle : formatProblem(obstacle);
}
