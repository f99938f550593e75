import type { Device } from "../../src/device";
import { lookUpName } from "../network/name-lookup";

/** Resolves names as this machine does, and those of Multicast DNS. */
export const nodeResolve: Device["resolve"] = (host, callback) => lookUpName(host, 0, callback);
