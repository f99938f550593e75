import type { DeviceEventName } from "../../src/device-events";
import type { Native } from "./native";

/** `platform/event`: reports the firmware's progress to the simulator. */
export default function event(name: DeviceEventName, a?: unknown, b?: unknown, c?: unknown): void {
	(native("sim_event") as Native).call(undefined, name, a, b, c);
}
