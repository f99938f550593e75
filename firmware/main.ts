import host from "firmware/platform/host";
import { settingsForDevice } from "../src/config/device-settings";
import type { Settings } from "../src/config/types";
import type { Device } from "../src/device";
import { gatherDevice } from "./device";
import { startBroker, startSensor, stayOnNetwork } from "./roles";
import { problems, template } from "./settings";
import type { WiFiStation } from "./wifi-station";

/**
 * Sleep, in ms, after a failed start: the problem persists in this build, and repeated starts would drain the
 * battery.
 */
const FAILED_START_SLEEP_MS = 900_000;
/**
 * Sleep, in ms, after a crash or the watchdog, before the firmware runs again: a fault at every boot then
 * causes one boot a minute.
 */
const CRASH_SLEEP_MS = 60_000;

// Last calls are in tail position, whose frames XS drops.

/** Runs the roles of the configuration. Never throws. */
function run(): unknown {
	const device = gatherDevice();
	for (let i = 0; i < problems.length; i++) device.trace(problems[i]);
	const settings = settingsForDevice(template, device);
	host.monitor?.onStart(settings);
	const { role, wifi, sleep } = settings;
	const reason = device.sleep.reason;
	const failed = reason === "crash" || reason === "watchdog";
	if (failed)
		device.trace(`firefly: restarted after ${reason === "crash" ? "a crash" : "the watchdog expired"}`);
	if (role === "sensor") {
		if (sleep.mode === "deep" && failed) return device.sleep.deep(CRASH_SLEEP_MS);
		return startRoles(device, settings);
	}
	if (wifi && device.wifi && stayOnNetwork) {
		const joinedDevice: Device = Object.create(device, { wifi: { value: undefined } });
		const station = stayOnNetwork(device, wifi, () => startRoles(joinedDevice, settings, station));
		return station;
	}
	return startRoles(device, settings);
}

/** @param device already on a network, unless the role is `sensor` @param station that stays on it */
function startRoles(device: Device, settings: Settings, station?: WiFiStation): void {
	try {
		const role = settings.role;
		if ((role !== "sensor" && !startBroker) || (role !== "broker" && !startSensor))
			throw new Error(`this image lacks the role ${role}`);
		if (role !== "sensor") startBroker?.(device, settings, station);
		if (role !== "broker") startSensor?.(device, settings);
	} catch (error) {
		device.trace(`firefly: cannot start: ${error}`);
		device.sleep.deep(FAILED_START_SLEEP_MS);
	}
}

export default function main(): unknown {
	return host.boot(run);
}
