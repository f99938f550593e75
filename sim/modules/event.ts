import type { EventName } from "../../src/device";
import type { Native } from "./native";

/** `platform/event`: reports the firmware's progress to the simulator. */
export default function event(name: EventName, a?: number, b?: number, c?: number): void {
	(native("sim_event") as Native).call(undefined, name, a, b, c);
}
