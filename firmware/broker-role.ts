import host from "firmware/platform/host";
import { createBroker } from "../src/bridge/bridged-broker";
import type { Settings, WiFiSettings } from "../src/config/types";
import type { Device } from "../src/device";
import { keepClockSynchronised } from "./clock-sync";
import { onStop } from "./stop";
import { WiFiStation } from "./wifi-station";

/** Joins the network and stays on it. @param onReady called once, at the first address */
export function stayOnNetwork(device: Device, wifi: WiFiSettings, onReady: () => void): void {
	new WiFiStation(device, wifi, onReady);
}

/** @param device on a network @throws if there is no memory for it, or a port is in use */
export function startBroker(device: Device, settings: Settings): void {
	const { role, id, time } = settings;
	const broker = createBroker(device, settings, id);
	broker.start();
	onStop(() => broker.stop());
	host.monitor?.onBroker(broker);
	// A sensor node on the same device synchronises the clock itself.
	if (role === "broker" && device.setClock && time.server !== undefined)
		keepClockSynchronised(device, time.server);
}
