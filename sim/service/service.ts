import type { ListenSettings } from "../../src/config/settings";
import type { EngineName } from "../engine/engine-factory";
import type { JSONObject, Manifest } from "../manifest/manifest-reader";
import type { SecureListenOptions } from "./secure-server";

export interface ServeOptions {
	readonly engine: EngineName;
	/** What the status page calls it. */
	readonly name: string;
	/**
	 * What the broker on V8 is made of, and on both engines which ports to wait for; `port` 0 lets the machine
	 * choose.
	 */
	readonly settings: ListenSettings;
	/** Where the firmware for XS is, and what it reads as `mc/config`: the same settings. */
	readonly manifest: Manifest;
	readonly config: JSONObject;
	/** Address to bind to; undefined: all. */
	readonly address: string | undefined;
	/** A second port with TLS; only on V8. */
	readonly secure?: SecureListenOptions;
	/** Directory where its state is kept, made if need be; absent: it has no storage. */
	readonly data?: string;
	/** Ends the broker in good order. */
	readonly signal: AbortSignal;
	/** Connections are accepted on all ports. */
	listening(ports: Ports): void;
	/** What the broker has to say. */
	trace(message: string): void;
	/** Told while XS is built, once on a machine. */
	progress?(done: number, total: number): void;
}

/** Ports in use. */
export interface Ports {
	mqtt: number;
	mqtts?: number;
	webSocket?: number;
}

/** Gathers what listeners tell, the one for MQTT first, until all that the settings ask for are there. */
export function collectPorts(
	settings: ListenSettings,
	listening: (ports: Ports) => void,
): (number: number, port: number, securePort?: number) => void {
	const ports: Ports = { mqtt: 0 };
	let remaining = settings.webSocket === undefined ? 1 : 2;
	return (number, port, securePort) => {
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

/** Why a port could not be opened. */
export function portError(error: NodeJS.ErrnoException, port: number): ServeError {
	if (error.code === "EADDRINUSE") return new ServeError(`port ${port} is in use by another program`);
	if (error.code === "EACCES") return new ServeError(`port ${port} may not be opened: permission denied`);
	return new ServeError(`port ${port} cannot be opened: ${error.message}`);
}
