import host from "firmware/platform/host";
import { Broker } from "../src/broker/broker";
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
export function startBroker(device: Device, { role, listen, id, time }: Settings): void {
	const broker = new Broker(device, listen, id);
	broker.start();
	onStop(() => broker.stop());
	host.monitor?.onBroker(broker);
	// A sensor node on the same device synchronises the clock itself.
	if (role === "broker" && device.setClock && time.server !== undefined)
		keepClockSynchronised(device, time.server);
}
