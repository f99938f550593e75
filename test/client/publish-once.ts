import type { ClientOptions } from "../../src/client/client";
import { QOS1 } from "../../src/mqtt/constants";
import { VirtualNetwork, type VirtualNetworkOptions } from "../support/virtual-network";
import { RecordingClient } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

/** One-way latency, ms. */
export const LATENCY_MS = 40;

/** Runs one connection that publishes a QoS 1 message at once, until no event is pending. */
export function publishOnce(
	script: BrokerScript,
	options: Partial<ClientOptions> = {},
	networkOptions: VirtualNetworkOptions = {},
) {
	const network = new VirtualNetwork({ latency: LATENCY_MS, ...networkOptions });
	const broker = new ScriptedBroker(network, 1883, { version: options.version ?? 5, ...script });
	const node = new RecordingClient(options, network.device, { onWritable: () => node.publish("23.5", QOS1) });
	node.now = () => network.clock.now;
	node.open();
	const finished = network.clock.run(3_600_000);
	return { network, broker, node, finished };
}
