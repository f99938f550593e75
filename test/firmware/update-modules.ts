import { relative } from "node:path";
import { importGraph } from "./import-graph";

export const UPDATE_MANIFEST = "firmware/update/manifest.json";
const ENTRY = "src/sensor/update/node-update";

/**
 * The modules of updates that no image of a sensor has without them; files and targets form the same tree.
 */
export async function updateModules(): Promise<Record<string, string>> {
	const { files: present } = await importGraph(
		"firmware/main",
		"firmware/esp32/host",
		"firmware/roles-sensor",
	);
	const { files } = await importGraph(ENTRY);
	const added = [...files].filter((file) => !present.has(file)).sort();
	return Object.fromEntries(added.map((file) => [file, relative("firmware/update", file)]));
}
