import { deviceWithTransport } from "../client/transport-device";
import type { Settings } from "../config/types";
import type { Device } from "../device";
import type { ImageUpdateConstructor } from "./commands/image-update";
import { NodeCommands } from "./commands/node-commands";
import { deviceWithout, keepsSession, sessionMemory } from "./network/session-memory";
import { SensorNode } from "./node";
import { type DerivedSettings, deriveSettings } from "./settings/derived-settings";

/**
 * Starts a node, with the settings that commands have changed if it takes any.
 * @param derived derived from the same settings, or from their template
 * @param Update the class of updates, if the image has it
 * @throws if there is no memory for it, or the settings do not allow it
 */
export function startNode(
	device: Device,
	settings: Settings,
	derived: DerivedSettings = deriveSettings(settings),
	Update?: ImageUpdateConstructor,
): unknown {
	let session: Uint8Array | undefined;
	if (keepsSession(settings)) {
		session = sessionMemory(device);
		if (session !== undefined) device = deviceWithout(device, session);
	}
	// In tail position, whose frame XS drops first
	if (settings.commands === undefined) {
		sleepLightly(device, settings);
		return new SensorNode(deviceWithTransport(device, settings.broker, session), settings, derived).start();
	}
	const commands = new NodeCommands(device, settings, derived, Update);
	// The way back to the image before was cut short
	if (commands.update?.endRun()) return undefined;
	const { settings: changed } = commands;
	sleepLightly(device, changed);
	return new SensorNode(
		deviceWithTransport(device, changed.broker, session),
		changed,
		commands.derived,
		commands,
	).start();
}

/** Without light sleep a node stays awake: it does its work, and the console says what that costs. */
function sleepLightly(device: Device, settings: Settings): void {
	// A broker on the same chip is to answer at once.
	if (settings.sleep.mode !== "light" || settings.role !== "sensor") return;
	try {
		device.sleep.light?.();
	} catch (error) {
		device.trace(`firefly: no light sleep, the chip stays awake: ${error}`);
	}
}
