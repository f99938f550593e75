import { relative } from "node:path";
import { importGraph } from "./import-graph";

export const CLIENT_MANIFEST = "src/client/manifest.json";
/** What a project imports of the client; paths relative to the repository, without extension. */
const ENTRIES = [
	"src/client/client",
	"src/client/queue/publish-queue",
	"src/client/server-reference",
	"src/backoff",
	"src/mqtt/property-writer",
	"src/mqtt/utf8",
];

/** The class of ECMA-419; what it needs besides the client. */
export const ECMA419_MANIFEST = "firmware/ecma419/manifest.json";
const ECMA419_ENTRY = "src/client/ecma419/mqtt-client";
const ECMA419_PLATFORM = {
	"embedded:network/mqtt/client": "./mqtt-client",
	"firefly/ecma419/host-provider": "./host-provider",
};

/** All files that these import, and themselves. */
export async function filesOf(entries: readonly string[]): Promise<Set<string>> {
	const files = new Set<string>();
	for (const entry of entries) for (const file of (await importGraph(entry)).files) files.add(file);
	return files;
}

/** Module names, with their paths relative to the manifest in `folder`. */
export function modulesOf(files: Iterable<string>, folder: string): Record<string, string> {
	return Object.fromEntries(
		[...files].sort().map((file) => {
			const path = relative(folder, file);
			return [file.replace(/^(?:src|firmware)\//, "firefly/"), path.startsWith(".") ? path : `./${path}`];
		}),
	);
}

/** The modules of the client alone. */
export async function clientModules(): Promise<Record<string, string>> {
	return modulesOf(await filesOf(ENTRIES), "src/client");
}

/** The modules that `ECMA419_MANIFEST` adds to the client's. */
export async function ecma419Modules(): Promise<Record<string, string>> {
	const client = await filesOf(ENTRIES);
	const files = [...(await filesOf([ECMA419_ENTRY]))].filter((file) => !client.has(file));
	return { ...ECMA419_PLATFORM, ...modulesOf(files, "firmware/ecma419") };
}
