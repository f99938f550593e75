import type { BrokerSettings } from "../config/types";
import type { Device, TCPConstructor } from "../device";

/**
 * The device whose sockets reach the broker as `broker.url` asks: over TLS, over WebSocket, or both. The
 * connection is the same otherwise: packets leave as soon as the last handshake is complete.
 * @throws Error if the build does not include what is needed
 */
export function deviceWithTransport<Host extends Pick<Device, "tcp" | "timer" | "transport">>(
	device: Host,
	broker: Pick<BrokerSettings, "transport" | "path" | "tls">,
): Host {
	const { transport, path, tls } = broker;
	let { tcp } = device;
	if (transport !== "ws") {
		// Nothing that is to be checked: such a connection would only seem secure.
		if (tls === undefined || (tls.ca === undefined && tls.fingerprint === undefined))
			throw new Error(`${transport}:// needs broker.tls.ca or broker.tls.fingerprint`);
		tcp = { io: transportClass(device, "tls"), TCP: tcp, secure: tls } as Device["tcp"];
	}
	if (transport !== "mqtts")
		tcp = {
			io: transportClass(device, "websocket"),
			TCP: tcp,
			timer: device.timer,
			path,
			defaultPort: transport === "ws" ? 80 : 443,
		} as Device["tcp"];
	return Object.create(device, { tcp: { value: tcp } }) as Host;
}

function transportClass(device: Pick<Device, "transport">, name: "tls" | "websocket"): TCPConstructor {
	const found = device.transport?.(name);
	if (found === undefined) throw new Error(`this image lacks it: include firmware/${name}/manifest.json`);
	return found;
}
