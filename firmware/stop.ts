import Modules from "modules";

const STOP_MODULE = "platform/stop";

/**
 * Registers a callback for the end of the firmware, on hosts that announce it; a chip loses power without
 * notice.
 */
export function onStop(callback: () => void): void {
	if (Modules.has(STOP_MODULE)) (Modules.importNow(STOP_MODULE) as typeof onStop)(callback);
}
