import { relative } from "node:path";
import { importGraph } from "./import-graph";

export const CLIENT_MANIFEST = "src/client/manifest.json";
/** What a project imports of the client; paths relative to the repository, without extension. */
const ENTRIES = ["src/client/client", "src/client/queue/publish-queue", "src/backoff", "src/mqtt/utf8"];

/** The modules of the client alone, by name, with their paths relative to its manifest. */
export async function clientModules(): Promise<Record<string, string>> {
	const files = new Set<string>();
	for (const entry of ENTRIES) for (const file of (await importGraph(entry)).files) files.add(file);
	return Object.fromEntries(
		[...files].sort().map((file) => {
			const path = relative("src/client", file);
			return [file.replace("src/", "firefly/"), path.startsWith(".") ? path : `./${path}`];
		}),
	);
}
