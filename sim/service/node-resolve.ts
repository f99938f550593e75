import { lookup } from "node:dns";
import { isIP } from "node:net";
import type { Device } from "../../src/device";

/** Resolves names as this machine does. */
export const nodeResolve: Device["resolve"] = (host, callback) => {
	if (isIP(host) !== 0) callback(host);
	else lookup(host, (error, address) => callback(error === null ? address : undefined));
};
