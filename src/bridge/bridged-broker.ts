import { Broker } from "../broker/broker";
import type { Host } from "../broker/pool/host";
import type { ClientDevice } from "../client/options";
import type { Settings } from "../config/types";
import { Bridge } from "./bridge";
import { withBridgePlaces } from "./places";

/** A broker with the bridge that is configured, if one is. @param host of both */
export function createBroker(
	host: Host & Pick<ClientDevice, "resolve">,
	{ listen, bridge }: Pick<Settings, "listen" | "bridge">,
	name: string,
): Broker {
	if (bridge === undefined) return new Broker(host, listen, name);
	const broker = new Broker(host, withBridgePlaces(listen, bridge), name);
	broker.attachBridge((core, accept) => new Bridge(core, accept, host, bridge));
	return broker;
}
