import Modules from "modules";

const STOP_MODULE = "platform/stop";

/**
 * Has `callback` called before the host ends the firmware, on hosts that can tell; on a chip power goes
 * without a word.
 */
export function onStop(callback: () => void): void {
	if (Modules.has(STOP_MODULE)) (Modules.importNow(STOP_MODULE) as typeof onStop)(callback);
}
