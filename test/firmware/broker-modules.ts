import { filesOf, modulesOf } from "./client-modules";
import { DESKTOP_PLATFORMS } from "./images";

export const BROKER_MANIFEST = "src/broker/manifest.json";
/** What a project imports of the broker; paths relative to the repository, without extension. */
export const BROKER_ENTRIES = ["src/broker/broker", "src/config/settings", "src/mqtt/utf8"];

/** The listener by platform: mcsim, which the SDK's can end, has one of its own. */
const DESKTOP_LISTENER = {
	"firefly/counted-listener": "../../firmware/listener",
	"firefly/listener": "../../firmware/desktop/listener",
	"firefly/pipes": "../../firmware/desktop/pipes",
	"firefly/ports": "../../firmware/desktop/ports",
};
export const BROKER_PLATFORMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	...Object.fromEntries(DESKTOP_PLATFORMS.map((platform) => [platform, DESKTOP_LISTENER])),
	"...": { "firefly/listener": "../../firmware/listener" },
};

/** The modules of the broker alone, but for the listener. */
export async function brokerModules(): Promise<Record<string, string>> {
	return modulesOf(await filesOf(BROKER_ENTRIES), "src/broker");
}
