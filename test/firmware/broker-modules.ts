import { filesOf, modulesOf } from "./client-modules";

export const BROKER_MANIFEST = "src/broker/manifest.json";
/** What a project imports of the broker; paths relative to the repository, without extension. */
export const BROKER_ENTRIES = [
	"src/broker/broker",
	"src/config/settings",
	"src/mqtt/utf8",
	"firmware/listener",
];

/** The modules of the broker alone. */
export async function brokerModules(): Promise<Record<string, string>> {
	return modulesOf(await filesOf(BROKER_ENTRIES), "src/broker");
}
