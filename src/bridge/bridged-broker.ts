import { Broker } from "../broker/broker";
import type { Host } from "../broker/pool/host";
import type { ClientDevice } from "../client/options";
import { deviceWithTransport } from "../client/transport-device";
import type { BridgeSettings, Settings } from "../config/types";
import type { Device } from "../device";
import { Bridge } from "./bridge";
import { withBridgePlaces } from "./places";

type BridgedHost = Host & Pick<ClientDevice, "resolve"> & Pick<Device, "transport">;

/**
 * A broker with the bridge that is configured, if one is: without it where this build cannot reach the other
 * broker, which is traced.
 * @param host of both
 */
export function createBroker(
	host: BridgedHost,
	{ listen, bridge }: Pick<Settings, "listen" | "bridge">,
	name: string,
): Broker {
	const device = bridge && upstreamDevice(host, bridge);
	if (bridge === undefined || device === undefined) return new Broker(host, listen, name);
	const broker = new Broker(host, withBridgePlaces(listen, bridge), name);
	broker.attachBridge((core, accept) => new Bridge(core, accept, device, bridge));
	return broker;
}

/** What reaches the other broker; undefined: the build does not have it. */
function upstreamDevice(host: BridgedHost, bridge: BridgeSettings): BridgedHost | undefined {
	try {
		return deviceWithTransport(host, bridge);
	} catch (error) {
		host.trace(`bridge: there is none: ${error instanceof Error ? error.message : error}`);
		return undefined;
	}
}
