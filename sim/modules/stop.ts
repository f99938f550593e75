import type { Native } from "./native";

/** `platform/stop`: who stops the simulator stops the firmware in good order, as nobody can on a chip. */
export default function onStop(callback: () => void): void {
	(native("sim_stop_start") as Native).call(undefined, callback);
}
