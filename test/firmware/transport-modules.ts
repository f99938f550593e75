import { dirname, relative } from "node:path";
import { importGraph } from "./import-graph";

export const TLS_MANIFEST = "firmware/tls/manifest.json";
export const MDNS_MANIFEST = "firmware/mdns/manifest.json";
export const WEBSOCKET_MANIFEST = "firmware/websocket/manifest.json";

/** The module of a transport and those that it imports, by target; files and targets form the same tree. */
export async function transportModules(entry: string): Promise<Record<string, string>> {
	const { files } = await importGraph(entry);
	return Object.fromEntries([...files].sort().map((file) => [file, relativePath(entry, file)]));
}

/** A module's path in its manifest, which is in a folder of firmware/: that of the entry if it is there. */
function relativePath(entry: string, file: string): string {
	const folder = entry.startsWith("firmware/") ? dirname(entry) : "firmware/folder";
	const path = relative(folder, file);
	return path.startsWith("../") ? path : `./${path}`;
}
