// biome-ignore lint/style/useNodejsImportProtocol: the SDK's module
import Net from "net";
import type { Settings } from "../../src/config/types";
import { type Device, LINK_ADDRESS, LINK_MASK, LINK_SIZE } from "../../src/device";
import { Announcer } from "../../src/mdns/announcer";
import { ipv4 } from "../../src/mdns/ipv4";
import type { Service } from "../../src/mdns/records";
import type { WiFiStation } from "../wifi-station";

/** Of a network whose mask the host does not know: what home routers and the chip's own access point use. */
const USUAL_MASK = 0xffffff00;

/**
 * Announces the broker of this device, and again whenever it joins a network anew. The broker serves all the
 * same if that fails.
 * @param station absent: the host is always on a network
 */
export default function announce(
	device: Device,
	{ id, listen }: Settings,
	host: string,
	station: WiFiStation | undefined,
): Announcer | undefined {
	const { udp, timer, time } = device;
	if (udp === undefined) return undefined;
	const services: Service[] = [{ type: "_mqtt._tcp", port: listen.port }];
	if (listen.webSocket !== undefined)
		services.push({ type: "_http._tcp", port: listen.webSocket, text: "path=/" });
	const announcer = new Announcer(
		{ timer, time, udp },
		{
			host,
			instance: id,
			services,
			// In mcsim it is that of the computer.
			sharesPort: device.chip === "mcsim",
			onAnnounced: (name) => device.trace(`firefly: announced as mqtt://${name}.local:${listen.port}`),
		},
	);
	const start = (): void => {
		const link = new Uint8Array(LINK_SIZE);
		station?.readLink(link);
		// An access point of the chip's own, and hosts without Wi-Fi, have no link.
		const address = uint32(link, LINK_ADDRESS) || ipv4(Net.get("IP") ?? "");
		if (Number.isNaN(address)) return;
		try {
			announcer.start(address, uint32(link, LINK_MASK) || USUAL_MASK);
		} catch (error) {
			device.trace(`firefly: not announced: ${error}`);
		}
	};
	if (station) station.onJoined = start;
	start();
	return announcer;
}

function uint32(bytes: Uint8Array, at: number): number {
	return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}
