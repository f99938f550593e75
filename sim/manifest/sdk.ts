import { fileURLToPath } from "node:url";

/** The SDK modules that the simulator implements, and the source of each. */
const SOURCES = {
	timer: "timer",
	time: "time",
	net: "net",
	sntp: "sntp",
	"embedded:io/socket/tcp": "tcp",
	"embedded:io/socket/udp": "udp",
	"embedded:io/socket/listener": "listener",
	"embedded:storage/key-value": "storage",
} as const;

/** Generated from the manifest: see program.ts. */
export const MODULES_MODULE = "modules";
export const CONFIG_MODULE = "mc/config";

interface SDKInclude {
	readonly modules: readonly string[];
	/** Defines $(MODULES) and the other variables of the SDK's base. */
	readonly base?: true;
}

const BASE = ["timer", "time"];
const NET = [...BASE, "net", "sntp"];

/** Modules that the SDK's manifests declare for platform esp32, as far as the simulator implements them. */
const INCLUDES: Readonly<Record<string, SDKInclude>> = {
	"$(MODDABLE)/examples/manifest_base.json": { modules: BASE, base: true },
	"$(MODDABLE)/examples/manifest_net.json": { modules: NET },
	"$(MODDABLE)/modules/io/manifest.json": {
		modules: [...NET, "embedded:io/socket/tcp", "embedded:io/socket/udp", "embedded:io/socket/listener"],
		base: true,
	},
	"$(MODDABLE)/modules/io/storage/manifest.json": { modules: ["embedded:storage/key-value"] },
	"$(MODDABLE)/modules/crypt/tls_419.json": { modules: [] },
	"$(MODDABLE)/modules/network/net/manifest.json": { modules: NET },
	"$(MODDABLE)/modules/network/sntp/manifest.json": { modules: NET },
	"$(MODDABLE)/modules/base/modules/manifest.json": { modules: [MODULES_MODULE] },
	"$(MODDABLE)/modules/base/time/manifest.json": { modules: ["time"] },
	"$(MODDABLE)/modules/base/timer/manifest.json": { modules: ["timer"] },
};

/** Hardware drivers: the simulator accepts their includes and replaces the drivers by its own sensors. */
const HARDWARE_INCLUDE = /^\$\(MODDABLE\)\/modules\/(drivers|io)\//;

/**
 * The modules that an include of an SDK manifest declares; undefined if the simulator does not support it.
 */
export function sdkIncludeOf(path: string): SDKInclude | undefined {
	return INCLUDES[path] ?? (HARDWARE_INCLUDE.test(path) ? { modules: [] } : undefined);
}

/** Includes of SDK manifests that the simulator supports. */
export function sdkIncludes(): string[] {
	return Object.keys(INCLUDES);
}

/** The include that declares an SDK module, for messages. */
export function includeOf(specifier: string): string | undefined {
	return Object.keys(INCLUDES).findLast((path) => INCLUDES[path]!.modules.includes(specifier));
}

/** File of an SDK module in the simulator. */
export function sdkModulePath(specifier: string): string | undefined {
	const name = SOURCES[specifier as keyof typeof SOURCES];
	return name === undefined ? undefined : simulatorModulePath(name);
}

/** File of one of the simulator's own modules. */
export function simulatorModulePath(name: string): string {
	return fileURLToPath(new URL(`../modules/${name}.ts`, import.meta.url));
}
