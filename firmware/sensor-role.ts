import type { Settings } from "../src/config/types";
import type { Device } from "../src/device";
import { deriveSettings } from "../src/sensor/derived-settings";
import { SensorNode } from "../src/sensor/node";
import { template } from "./settings";

/** Derived when the firmware is linked, so that it lies in flash. */
const derivedSettings = deriveSettings(template);

/** @throws if there is no memory for it, or the settings do not allow it */
export function startSensor(device: Device, settings: Settings): void {
	new SensorNode(device, settings, derivedSettings).start();
}
