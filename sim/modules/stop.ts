import type { Native } from "./native";

/**
 * `platform/stop`: stopping the simulator shuts the firmware down in an orderly way, which no chip can do.
 */
export default function onStop(callback: () => void): void {
	(native("sim_stop_start") as Native).call(undefined, callback);
}
