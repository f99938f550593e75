import type { ClientOptions } from "../../src/client/client";
import { QOS1 } from "../../src/mqtt/constants";
import { type NetworkOptions, VirtualNetwork } from "../support/virtual-network";
import { Recorder } from "./harness";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

/** One-way latency, ms. */
export const L = 40;

/** One connection on which a QoS 1 message is published at once, until nothing is left to happen. */
export function attempt(script: BrokerScript, options: Partial<ClientOptions> = {}, networkOptions: NetworkOptions = {}) {
	const network = new VirtualNetwork({ latency: L, ...networkOptions });
	const broker = new ScriptedBroker(network, 1883, { version: options.version ?? 5, ...script });
	const node = new Recorder(options, network.device, { onWritable: () => node.publish("23.5", QOS1) });
	node.now = () => network.clock.now;
	node.open();
	const finished = network.clock.run(3_600_000);
	return { network, broker, node, finished };
}
