import host from "firmware/platform/host";
import { Broker } from "../src/broker/broker";
import { personalise } from "../src/config/personal";
import type { Settings } from "../src/config/types";
import type { Device } from "../src/device";
import { SensorNode } from "../src/sensor/node";
import { keepTime } from "./clock";
import { gatherDevice } from "./device";
import { Network } from "./network";
import { plan, problems, template } from "./settings";
import { onStop } from "./stop";

/** Sleep, in ms, after a start that failed: what is wrong with this build stays wrong, and the battery is to outlive it. */
const FAILED_PAUSE = 900_000;
/** Sleep, in ms, after a crash, before the firmware is run again: a fault that returns at every boot costs one boot a minute. */
const CRASH_PAUSE = 60_000;

/** Runs the roles of the configuration. Throws nothing. */
function run(): void {
	const device = gatherDevice();
	for (let i = 0; i < problems.length; i++) device.trace(problems[i]);
	const settings = personalise(template, device);
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
		if (role !== "sensor") serve(device, settings);
		if (role !== "broker") new SensorNode(device, settings, plan).start();
	} catch (error) {
		device.trace(`firefly: cannot start: ${error}`);
		device.sleep.deep(FAILED_PAUSE);
	}
}

function serve(device: Device, { role, listen, id, time }: Settings): void {
	const broker = new Broker(device, listen, id);
	broker.start();
	onStop(() => broker.stop());
	// Where there is a sensor it sees to the clock.
	if (role === "broker" && device.setClock && time.server !== undefined) keepTime(device, time.server);
}

export default function main(): void {
	host.boot(run);
}
