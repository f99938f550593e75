import { relative } from "node:path";
import { importGraph } from "./import-graph";

export const TLS_MANIFEST = "firmware/tls/manifest.json";
export const WEBSOCKET_MANIFEST = "firmware/websocket/manifest.json";

/** The module of a transport and those that it imports, by target; files and targets form the same tree. */
export async function transportModules(entry: string): Promise<Record<string, string>> {
	const { files } = await importGraph(entry);
	// Both manifests are in a folder of firmware/
	return Object.fromEntries([...files].sort().map((file) => [file, relativePath(file)]));
}

function relativePath(file: string): string {
	const path = relative("firmware/folder", file);
	return path.startsWith("../tls/") ? path.replace("../tls/", "./") : path;
}
