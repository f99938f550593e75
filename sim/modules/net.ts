import type { Native } from "./native";

/** The SDK's `net` module. */

type Callback = (host: string, address?: string) => void;

interface Query {
	readonly host: string;
	readonly callback: Callback;
}

let queries: (Query | undefined)[] | undefined;

function dispatch(id: number, address: string | undefined): void {
	const { host, callback } = queries![id]!;
	queries![id] = undefined;
	callback(host, address);
}

/** @param property "IP", "MAC", "SSID", "BSSID", "RSSI" or "CHANNEL" */
function get(property: string): string | number | undefined {
	return (native("sim_net_get") as Native).call(undefined, property) as string | number | undefined;
}

function resolve(host: string, callback: Callback): void {
	if (queries === undefined) {
		queries = [];
		(native("sim_net_start") as Native).call(undefined, dispatch);
	}
	const free = queries.indexOf(undefined);
	const id = free < 0 ? queries.length : free;
	queries[id] = { host, callback };
	(native("sim_net_resolve") as Native).call(undefined, host, id);
}

export default Object.freeze({ get, resolve });
