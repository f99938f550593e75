/** A broker with a bridge on this machine's sockets, as `firefly broker --engine node` runs it. */

import { nodeResolve } from "../../sim/service/node-resolve";
import { nodeTLS } from "../../sim/service/node-tls";
import { createBroker } from "../../src/bridge/bridged-broker";
import type { Broker } from "../../src/broker/broker";
import { defaults } from "../../src/config/defaults";
import { readSettings } from "../../src/config/settings";
import type { BridgeSettings, ListenSettings } from "../../src/config/types";
import type { StorageModule, TCPConstructor } from "../../src/device";
import WebSocket from "../../src/websocket/client/socket";
import { nodeHost } from "../broker/support/node-host";

/** Longest wait for a condition, ms: far above what a machine with much other work needs. */
const TIMEOUT_MS = 120_000;

/** Rows of `bridge.topics`, and what else differs from the defaults, as in a manifest. */
export interface BridgeConfig {
	readonly topics: readonly object[];
	readonly [key: string]: unknown;
}

/**
 * Settings of a bridge to a port of the loopback, as the firmware reads them.
 * @param problems what it traced
 */
export function bridgeSettings(port: number, config: BridgeConfig, problems: string[] = []): BridgeSettings {
	const { bridge } = readSettings(
		{
			firefly: {
				role: "broker",
				id: "edge",
				bridge: { url: `mqtt://127.0.0.1:${port}`, retryMinimum: "20ms", retryMaximum: "100ms", ...config },
			},
		},
		{ mac: "0123456789ab", chip: "test" },
		(message) => problems.push(message),
	);
	if (bridge === undefined) throw new Error(`no bridge: ${problems.join("\n")}`);
	return bridge;
}

export class BridgedBroker {
	readonly broker: Broker;
	readonly traces: string[] = [];

	constructor(
		bridge: BridgeSettings | undefined,
		listen: Partial<ListenSettings> = {},
		storage?: StorageModule,
		transports: readonly string[] = ["tls", "websocket"],
	) {
		const host = {
			...nodeHost(),
			...(storage === undefined ? {} : { storage }),
			resolve: nodeResolve,
			transport: (layer: "tls" | "websocket"): TCPConstructor | undefined =>
				transports.includes(layer) ? (layer === "tls" ? nodeTLS("") : WebSocket) : undefined,
			trace: (message: string) => void this.traces.push(message),
		};
		this.broker = createBroker(
			host,
			{
				listen: {
					...defaults.listen,
					anonymous: true,
					port: 0,
					connections: 16,
					sessions: 400,
					sessionBytes: 40_960,
					subscriptions: 400,
					queuedMessages: 4000,
					queuedPerClient: 2000,
					queuedBytes: 262_144,
					retainedTopics: 200,
					retainedBytes: 32_768,
					packetSize: 4096,
					persist: storage !== undefined,
					persistInterval: 0,
					...listen,
				},
				...(bridge === undefined ? {} : { bridge }),
			},
			"edge",
		);
	}

	/** @returns the port */
	async start(): Promise<number> {
		this.broker.start();
		while (this.broker.port === 0) await new Promise(setImmediate);
		return this.broker.port;
	}

	/** Resolves once the bridge has traced that it is connected, so many times. */
	async connected(times = 1): Promise<void> {
		await until(
			() => this.traces.filter((line) => line.endsWith(": connected")).length >= times,
			() => this.traces.join("\n"),
		);
	}
}

/** Waits for a condition. @throws Error with `detail` if it does not come true within {@link TIMEOUT_MS} */
export async function until(condition: () => boolean, detail: () => string = () => ""): Promise<void> {
	const deadline = performance.now() + TIMEOUT_MS;
	while (!condition()) {
		if (performance.now() > deadline) throw new Error(`waited in vain: ${detail()}`);
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
}
