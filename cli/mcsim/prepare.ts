import { dirname, join } from "node:path";
import { readManifest } from "../../sim/manifest/manifest-reader";
import { readTemplate } from "../../src/config/settings";
import { loadManifest } from "../config/load";
import type { Overrides } from "../config/overrides";
import { formatProblem } from "../config/problem";
import { Failure } from "../failure";
import { build, simulatorLibrary } from "../moddable/mcconfig";
import { isPortFree } from "../moddable/ports";
import { desktopPlatform, findSDK, type ModdableSDK, TESTED_SDK, toolPath } from "../moddable/sdk";
import { findTypeScript, type TypeScript } from "../moddable/typescript";

/** Where the firmware is built, beside the manifest; git ignores it. */
const OUTPUT = join(".firefly", "mcsim");

/** What is built and run. */
export interface SimulationPlan {
	readonly sdk: ModdableSDK;
	readonly typescript: TypeScript;
	/** Absolute. */
	readonly manifest: string;
	readonly overrides: Overrides;
}

/**
 * Checks all that a run needs, before anything is built: configuration, SDK, TypeScript, display and ports.
 * @param buildOnly whether nothing is run
 * @throws {Failure} that says what is missing, and what to do
 */
export async function prepareSimulation(
	file: string,
	environment: NodeJS.ProcessEnv,
	buildOnly: boolean,
): Promise<SimulationPlan> {
	const loaded = loadManifest(file, environment);
	if ("problems" in loaded) throw new Failure(loaded.problems.map(formatProblem).join("\n"));
	for (const { message, ...place } of loaded.warnings)
		process.stderr.write(`${formatProblem({ ...place, message: `warning: ${message}` })}\n`);
	const { path: manifest, overrides } = loaded.manifest;
	const platform = desktopPlatform();
	const sdk = findSDK(environment, platform);
	const typescript = findTypeScript(environment);
	if (!buildOnly) {
		requireDisplay(environment, sdk);
		await requirePorts(manifest, overrides);
	}
	process.stderr.write(
		`Moddable SDK ${sdk.version}${sdk.version === TESTED_SDK ? "" : ` (tested with ${TESTED_SDK})`}, TypeScript ${typescript.version}\n`,
	);
	return { sdk, typescript, manifest, overrides };
}

/** @returns the path of the library that mcsim loads */
export async function buildSimulation(
	plan: SimulationPlan,
	environment: NodeJS.ProcessEnv,
	signal: AbortSignal,
): Promise<string> {
	const { sdk, typescript, manifest, overrides } = plan;
	const output = join(dirname(manifest), OUTPUT);
	let compiled = 0;
	await build({
		sdk,
		typescript,
		kind: "debug",
		platform: sdk.platform,
		manifest,
		output,
		settings: overrides as Record<string, string>,
		environment,
		signal,
		onProgress() {
			if (compiled++ === 0) process.stderr.write("building, a minute or more the first time …\n");
		},
	});
	process.stderr.write(`built, ${compiled} files compiled\n`);
	return simulatorLibrary(sdk, manifest, output);
}

function requireDisplay(environment: NodeJS.ProcessEnv, { tools, platform }: ModdableSDK): void {
	const simulator = toolPath(tools, "mcsim", platform);
	if (platform === "lin" && !environment.DISPLAY && !environment.WAYLAND_DISPLAY) {
		throw new Failure(
			`${simulator} needs a display: set DISPLAY, or install xvfb and run xvfb-run -a npx firefly mcsim`,
		);
	}
}

/** The SDK's listener ends mcsim if its port is in use. */
async function requirePorts(manifest: string, overrides: Overrides): Promise<void> {
	const { config } = readManifest(manifest);
	const { role, listen } = readTemplate({ ...config, ...overrides }, () => {});
	if (role === "sensor") return;
	for (const [key, port] of [
		["port", listen.port],
		["webSocket", listen.webSocket],
	] as const) {
		if (port === undefined || port === 0 || (await isPortFree(port))) continue;
		throw new Failure(
			`port ${port} is in use by another program, such as another broker: end that one, or choose another listen.${key}`,
		);
	}
}
