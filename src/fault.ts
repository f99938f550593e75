/**
 * Who has to act before the client's next attempt can succeed.
 * - `configuration`: the user; credentials, client identifier, version, server address.
 * - `peer`: the broker violated the protocol or did not answer.
 * - `resource`: nobody; a limit was reached or the broker is busy, retry later.
 * - `transport`: nobody; name resolution, TCP or the network failed.
 */
export type ClientFault = "configuration" | "peer" | "resource" | "transport";

/** Why a connection failed, as its socket knows it: one over TLS or WebSocket does. */
export interface ConnectionFailure {
	readonly fault: ClientFault;
	/** For people. */
	readonly message: string;
}

/** Cause of a failed try of the node to report. */
export type Fault =
	| ClientFault
	/** No network. */
	| "wifi"
	/** `awakeLimit` ended the try. */
	| "limit"
	/** An unexpected exception. */
	| "program";
