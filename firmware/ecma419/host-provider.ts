/**
 * Adds the options of an MQTT client to the host provider instance: `device.network.mqtt.client`, as in
 * ECMA-419, and `device.network.mqtt`, as the SDK's programs have it.
 */
import "system"; // creates `device`
import TCP from "embedded:io/socket/tcp";
import MQTTClient from "embedded:network/mqtt/client";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK's module
import Net from "net";
import type { ResolveCallback, ResolveOptions } from "../../src/client/ecma419/options";

/** Asks the name servers of the network. */
class Resolver {
	resolve({ host, onResolved, onError }: ResolveOptions, callback?: ResolveCallback): void {
		Net.resolve(host, (_name, address) => {
			if (callback !== undefined) callback(address === undefined ? new Error(host) : undefined, address);
			else if (address === undefined) onError();
			else onResolved(host, address);
		});
	}
}

interface HostProvider {
	readonly network?: object;
}

const client = { io: MQTTClient, dns: { io: Resolver }, socket: { io: TCP } };
const provider = globalThis as unknown as { device?: HostProvider };
provider.device = Object.freeze({
	...provider.device,
	network: { ...provider.device?.network, mqtt: { ...client, client } },
});
