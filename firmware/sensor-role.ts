import type { Settings } from "../src/config/types";
import type { Device } from "../src/device";
import { deriveSettings } from "../src/sensor/settings/derived-settings";
import { startNode } from "../src/sensor/start-node";
import { template } from "./settings";

/** Derived when the firmware is linked, so that it lies in flash. */
const derivedSettings = deriveSettings(template);

/** @throws if there is no memory for it, or the settings do not allow it */
export function startSensor(device: Device, settings: Settings): unknown {
	return startNode(device, settings, derivedSettings);
}
