import Modules from "modules";
import type { Settings } from "../src/config/types";
import type { Device } from "../src/device";
import type { ImageUpdateConstructor } from "../src/sensor/commands/image-update";
import { deriveSettings } from "../src/sensor/settings/derived-settings";
import { startNode } from "../src/sensor/start-node";
import { template } from "./settings";

/** Derived when the firmware is linked, so that it lies in flash. */
const derivedSettings = deriveSettings(template);

/** Of update/manifest.json, if it is included. */
const UPDATE_MODULE = "src/sensor/update/node-update";

/** @throws if there is no memory for it, or the settings do not allow it */
export function startSensor(device: Device, settings: Settings): unknown {
	const Update =
		settings.update !== undefined && Modules.has(UPDATE_MODULE)
			? (Modules.importNow(UPDATE_MODULE) as ImageUpdateConstructor)
			: undefined;
	return startNode(device, settings, derivedSettings, Update);
}
