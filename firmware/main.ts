import host from "firmware/platform/host";
import config from "mc/config";
import { Broker } from "../src/broker/broker";
import type { Settings } from "../src/config/settings";
import { readSettings } from "../src/config/settings";
import type { Device } from "../src/device";
import { SensorNode } from "../src/sensor/node";
import { gatherDevice } from "./device";
import { Network } from "./network";

/** Sleep, in ms, after a start that failed: what is wrong with this build stays wrong, and the battery is to outlive it. */
const FAILED_PAUSE = 900_000;
/** Sleep, in ms, after a crash, before the firmware is run again: a fault that returns at every boot costs one boot a minute. */
const CRASH_PAUSE = 60_000;

/** Runs the roles of the configuration. Throws nothing. */
function run(): void {
	const device = gatherDevice();
	const settings = readSettings(config, device, device.trace);
	const { role, wifi, sleep } = settings;
	if (role === "sensor") {
		if (sleep.mode === "deep" && device.sleep.reason === "crash") device.sleep.deep(CRASH_PAUSE);
		else start(device, settings);
	} else if (wifi && device.wifi) {
		const joined: Device = Object.create(device, { wifi: { value: undefined } });
		new Network(device, wifi, () => start(joined, settings));
	} else start(device, settings);
}

/** @param device on a network already unless the role is `sensor` */
function start(device: Device, settings: Settings): void {
	try {
		const { role } = settings;
		if (role !== "sensor") new Broker(device, settings.listen).start();
		if (role !== "broker") new SensorNode(device, settings).start();
	} catch (error) {
		device.trace(`firefly: cannot start: ${error}`);
		device.sleep.deep(FAILED_PAUSE);
	}
}

export default function main(): void {
	host.boot(run);
}
