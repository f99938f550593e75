import { createBroker } from "../../src/bridge/bridged-broker";
import type { Broker } from "../../src/broker/broker";
import type { StorageModule, TCPConstructor } from "../../src/device";
import type { DeviceEvent, DeviceEvents } from "../../src/device-events";
import WebSocket from "../../src/websocket/client/socket";
import { nodeListener } from "./node-listener";
import { nodeResolve } from "./node-resolve";
import { NodeTCP } from "./node-tcp";
import { nodeTime, nodeTimer } from "./node-timer";
import { nodeTLS } from "./node-tls";
import { collectPorts, portError, ServeError, type ServeOptions } from "./service";

/** Runs the broker on V8, directly over Node's sockets. */
export function serveOnNode(options: ServeOptions, storage: StorageModule | undefined): Promise<void> {
	const { name, settings, bridge, directory, addresses, secure, capture, signal, listening, trace } = options;
	const { bridgeEvent } = options;
	// TLS is handled by this host: the listener delivers the connections of both ports.
	const { tls: _tls, ...plain } = settings;
	return new Promise((resolve, reject) => {
		let broker: Broker | undefined;
		const finish = (error?: Error): void => {
			signal.removeEventListener("abort", stop);
			broker?.stop();
			broker = undefined;
			if (error === undefined) resolve();
			else reject(error);
		};
		const stop = (): void => finish();
		const listener = nodeListener({
			addresses,
			...(secure === undefined ? {} : { secure }),
			tap: capture?.brokerTap(name),
			handshakeTimeoutMs: settings.connectTimeout,
			listening: collectPorts(settings, listening),
			failed: (error, port) => finish(portError(error, port)),
		});
		try {
			const NodeTLS = nodeTLS(directory);
			const host = {
				tcp: { io: NodeTCP },
				listener: { io: listener },
				timer: nodeTimer,
				time: nodeTime,
				trace,
				resolve: nodeResolve,
				transport: (layer: "tls" | "websocket"): TCPConstructor => (layer === "tls" ? NodeTLS : WebSocket),
				// Only where it is wanted: it is called for each message
				...(bridge === undefined || bridgeEvent === undefined
					? {}
					: {
							event: (...[name, ...details]: DeviceEvent) => {
								if (name === "bridge") bridgeEvent(...(details as DeviceEvents["bridge"]));
							},
						}),
				newViews: true,
				lingeringClose: true,
			};
			broker = createBroker(
				storage === undefined ? host : { ...host, storage },
				{ listen: plain, ...(bridge === undefined ? {} : { bridge }) },
				name,
			);
			broker.start();
		} catch (error) {
			// An invalid certificate or key
			finish(new ServeError(error instanceof Error ? error.message : String(error)));
			return;
		}
		if (signal.aborted) stop();
		else signal.addEventListener("abort", stop);
	});
}
