import type { Settings } from "../config/types";
import type { Device } from "../device";
import { NodeCommands } from "./commands/node-commands";
import { SensorNode } from "./node";
import { type DerivedSettings, deriveSettings } from "./settings/derived-settings";
import { deviceWithTransport } from "./transport-device";

/**
 * Starts a node, with the settings that commands have changed if it takes any.
 * @param derived derived from the same settings, or from their template
 * @throws if there is no memory for it, or the settings do not allow it
 */
export function startNode(
	device: Device,
	settings: Settings,
	derived: DerivedSettings = deriveSettings(settings),
): unknown {
	// In tail position, whose frame XS drops first
	if (settings.commands === undefined)
		return new SensorNode(hostOf(device, settings), settings, derived).start();
	const commands = new NodeCommands(device, settings, derived);
	const { settings: changed } = commands;
	return new SensorNode(hostOf(device, changed), changed, commands.derived, commands).start();
}

/** The device whose sockets reach the broker. */
function hostOf(device: Device, { broker }: Settings): Device {
	return broker.transport === undefined ? device : deviceWithTransport(device, broker);
}
