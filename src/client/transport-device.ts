import type { Device, TCPConstructor } from "../device";
import { TLS_SESSION_BYTES } from "../retained-memory";

/** How a broker is reached other than by MQTT over TCP. */
export interface TransportOptions {
	/** Over TLS, over WebSocket, or over both. */
	readonly transport?: "mqtts" | "ws" | "wss";
	/** Path and query of the WebSocket; "/" by default. */
	readonly path?: string;
	/** What a connection over TLS checks, and shows of itself; the socket has further options of its own. */
	readonly tls?: { readonly ca?: string; readonly fingerprint?: string };
}

/**
 * The device whose sockets reach a broker as its URL asks: over TLS, over WebSocket, over both, or over TCP.
 * The connection is the same otherwise: packets leave as soon as the last handshake is complete.
 * @param session `TLS_SESSION_BYTES` bytes for what the next connection over TLS may resume; by default it is
 *   kept as long as the device is used
 * @throws Error if the build does not include what is needed
 */
export function deviceWithTransport<Host extends Pick<Device, "tcp" | "timer" | "transport">>(
	device: Host,
	broker: TransportOptions,
	session?: Uint8Array,
): Host {
	const { transport, path, tls } = broker;
	if (transport === undefined) return device;
	let { tcp } = device;
	if (transport !== "ws") {
		// Nothing that is to be checked: such a connection would only seem secure.
		if (tls === undefined || (tls.ca === undefined && tls.fingerprint === undefined))
			throw new Error(`${transport}:// needs tls.ca or tls.fingerprint`);
		const kept = session ?? new Uint8Array(TLS_SESSION_BYTES);
		tcp = { io: transportClass(device, "tls"), TCP: tcp, secure: tls, kept } as Device["tcp"];
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
