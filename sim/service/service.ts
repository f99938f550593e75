import type { BridgeSettings, ListenSettings } from "../../src/config/settings";
import type { DeviceEvents } from "../../src/device-events";
import type { Capture } from "../capture/capture";
import type { EngineName } from "../engine/engine-factory";
import type { JSONObject, Manifest } from "../manifest/manifest-reader";
import type { SecureListenOptions } from "./secure-server";

export interface ServeOptions {
	readonly engine: EngineName;
	/** Name on the status page. */
	readonly name: string;
	/**
	 * Settings of the broker on V8, and on both engines the ports to wait for; `port` 0 lets the machine
	 * choose.
	 */
	readonly settings: ListenSettings;
	/** The bridge of the broker on V8; absent: there is none. */
	readonly bridge?: BridgeSettings;
	/** Folder that the bridge's certificates are relative to. */
	readonly directory: string;
	/** The firmware for XS, and its `mc/config` with the same settings. */
	readonly manifest: Manifest;
	readonly config: JSONObject;
	/** Addresses to bind to; those after the first only if the machine has them. Undefined: all. */
	readonly addresses: readonly string[] | undefined;
	/** A second port with TLS; only on V8. */
	readonly secure?: SecureListenOptions;
	/** Directory of its state, created if necessary; absent: no storage. */
	readonly data?: string;
	/** Announces the broker on the networks where it can be reached; absent: it does not. */
	readonly announce?: AnnounceOptions;
	/** Receives what clients and the broker send. */
	readonly capture?: Capture | undefined;
	/** Shuts the broker down in an orderly way. */
	readonly signal: AbortSignal;
	/** Connections are accepted on all ports. */
	listening(ports: Ports): void;
	/** A message of the broker. */
	trace(message: string): void;
	/** The bridge has connected, or a try has failed: see DeviceEvents. */
	bridgeEvent?(...event: DeviceEvents["bridge"]): void;
	/** Called while XS is built, once on a machine. */
	progress?(done: number, total: number): void;
}

/** What announces a broker. */
export interface AnnounceOptions {
	/** The host's name, without ".local". */
	readonly host: string;
	/** The host has a name on an interface. @param url of the broker */
	announced(url: string, address: string): void;
}

/** Ports in use. */
export interface Ports {
	/** Undefined: all. */
	addresses: readonly string[] | undefined;
	mqtt: number;
	mqtts?: number;
	webSocket?: number;
}

/** Collects the ports of the listeners, MQTT's first, until all configured ones are open. */
export function collectPorts(
	settings: ListenSettings,
	listening: (ports: Ports) => void,
): (number: number, port: number, securePort?: number, addresses?: readonly string[]) => void {
	const ports: Ports = { addresses: undefined, mqtt: 0 };
	let remaining = settings.webSocket === undefined ? 1 : 2;
	return (number, port, securePort, addresses) => {
		ports.addresses = addresses;
		if (number === 0) ports.mqtt = port;
		else ports.webSocket = port;
		if (securePort !== undefined) ports.mqtts = securePort;
		if (--remaining === 0) listening(ports);
	};
}

/** The broker cannot serve. */
export class ServeError extends Error {
	override readonly name = "ServeError";
}

/** The error for a port that could not be opened. */
export function portError(error: NodeJS.ErrnoException, port: number): ServeError {
	if (error.code === "EADDRINUSE") return new ServeError(`port ${port} is in use by another program`);
	if (error.code === "EACCES") return new ServeError(`port ${port} may not be opened: permission denied`);
	return new ServeError(`port ${port} cannot be opened: ${error.message}`);
}
