// biome-ignore lint/style/useNodejsImportProtocol: the SDK's module
import Net from "net";
import type { Host } from "../host";
import { panelControls, postToPanel } from "./panel";

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
			end();
			callback(name, address);
		});
	} catch (error) {
		end();
		throw error;
	}
};

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
