import UDP from "embedded:io/socket/udp";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK's module
import Net from "net";
import Timer from "timer";
import type { Timer as TimerShape, UDPConstructor } from "../../src/device";
import { AddressQuery, isLocalName } from "../../src/mdns/address-query";
import type { Host } from "../host";
import { panelControls, postToPanel } from "./panel";

const SDKTimer = Timer as unknown as TimerShape;
const SDKUDP = UDP as unknown as UDPConstructor;

let pending = 0;
let onIdle: (() => void) | undefined;

/** Resolves a name; no name while the panel's Wi-Fi is off. */
export const resolve: Host["resolve"] = (name, callback) => {
	if (!panelControls().wifi) {
		callback(name);
		return;
	}
	// The SDK's resolver on Linux returns the first address only, which for this name is an IPv6 one.
	const asked = name === "localhost" ? "127.0.0.1" : name;
	pending++;
	postToPanel({ resolving: true });
	try {
		Net.resolve(asked, (_, address) => {
			if (address === undefined && isLocalName(asked)) ask(asked, callback);
			else {
				end();
				callback(name, address);
			}
		});
	} catch (error) {
		end();
		throw error;
	}
};

/** Asks the network itself: the computer knows such names only with an addition such as nss-mdns. */
function ask(name: string, callback: Parameters<Host["resolve"]>[1]): void {
	const done = (address?: string): void => {
		end();
		callback(name, address);
	};
	try {
		new AddressQuery({ udp: SDKUDP, timer: SDKTimer }, name, done);
	} catch {
		// No name of DNS
		done();
	}
}

/**
 * Calls back once no look-up is pending: the SDK's resolver would call into a machine that has ended, and so
 * end mcsim.
 */
export function afterLookUps(callback: () => void): void {
	if (pending === 0) callback();
	else onIdle = callback;
}

function end(): void {
	if (--pending > 0) return;
	postToPanel({ resolving: false });
	const callback = onIdle;
	onIdle = undefined;
	callback?.();
}
