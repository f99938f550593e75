import host from "firmware/platform/host";
import Modules from "modules";
import { createBroker } from "../src/bridge/bridged-broker";
import type { Broker } from "../src/broker/broker";
import type { ListenSettings, Settings, WiFiSettings } from "../src/config/types";
import type { Device } from "../src/device";
import { keepClockSynchronised } from "./clock-sync";
import type Announce from "./mdns/announcement";
import { onStop } from "./stop";
import { WiFiStation } from "./wifi-station";

/** Of mdns/manifest.json, if it is included */
const ANNOUNCEMENT_MODULE = "firmware/mdns/announcement";

/** Joins the network and stays on it. @param onReady called once, at the first address */
export function stayOnNetwork(device: Device, wifi: WiFiSettings, onReady: () => void): WiFiStation {
	return new WiFiStation(device, wifi, onReady);
}

/**
 * @param device on a network @param station that stays on it; absent: the host is always on one
 * @throws if there is no memory for it, or a port is in use
 */
export function startBroker(device: Device, settings: Settings, station?: WiFiStation): void {
	const { role, id, time } = settings;
	const broker = createBroker(device, withAnnouncedHost(settings), id);
	broker.start();
	if (isAnnounced(settings)) {
		announceBroker(device, settings, broker, station);
	} else onStop(() => broker.stop());
	host.monitor?.onBroker(broker);
	// A sensor node on the same device synchronises the clock itself.
	if (role === "broker" && device.setClock && time.server !== undefined)
		keepClockSynchronised(device, time.server);
}

/** Whether the name is configured, and the image has what announces it. */
function isAnnounced({ listen }: Settings): boolean {
	return typeof listen.mdns === "string" && Modules.has(ANNOUNCEMENT_MODULE);
}

/**
 * The same, with the announced name among those by which the page may be called. A copy of `listen` would
 * cost a chip half a kilobyte.
 */
function withAnnouncedHost(settings: Settings): Settings {
	if (!isAnnounced(settings)) return settings;
	const { listen } = settings;
	const hosts = listen.hosts.concat(`${listen.mdns}.local`);
	return { ...settings, listen: Object.create(listen, { hosts: { value: hosts } }) as ListenSettings };
}

function announceBroker(device: Device, settings: Settings, broker: Broker, station?: WiFiStation): void {
	const announce = Modules.importNow(ANNOUNCEMENT_MODULE) as typeof Announce;
	const announcer = announce(device, settings, String(settings.listen.mdns), station);
	onStop(() => {
		announcer?.stop();
		broker.stop();
	});
}
