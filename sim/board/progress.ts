import type { SensorSettings } from "../../src/config/settings";
import type { WakeReason } from "../../src/device";
import type { Fault, Happening } from "../report/events";
import type { Core, Natives, Peripheral } from "./core";
import type { Sockets } from "./sockets";

/** `Fault` of src/sensor/events by number. */
const FAULTS: readonly Fault[] = ["configuration", "peer", "resource", "transport", "wifi", "limit", "program"];

/** What the firmware tells of its progress, in the simulator's words (src/sensor/events has the numbers). */
export class Progress implements Peripheral {
	readonly natives: Natives;

	constructor(core: Core, sockets: Sockets, sensors: readonly SensorSettings[], reason: () => WakeReason) {
		this.natives = {
			sim_event: (name: string, a = 0, b = 0, c = 0) => {
				if (name === "acknowledged") sockets.acknowledged++;
				const happening = translate(name, a, b, c);
				if (happening) core.emit(happening);
			},
		};

		function translate(name: string, a: number, b: number, c: number): Happening | undefined {
			switch (name) {
				case "wake":
					return { type: "wake", reason: reason() };
				case "sample":
					return { type: "sample", sensor: sensors[a]?.name ?? String(a), value: Number.isNaN(b) ? undefined : b };
				case "filtered":
					return { type: "filtered", sensor: sensors[a]?.name ?? String(a) };
				case "accepted":
					return { type: "accepted", sequence: a, waiting: b };
				case "dropped":
					return { type: "dropped", count: 1, waiting: b };
				case "join":
				case "joined":
				case "open":
				case "limit":
					return { type: name };
				case "opened":
					return { type: "connected", sessionPresent: a !== 0 };
				case "publish":
					return { type: "publish", sequence: a, qos: c as 0 | 1 | 2, again: b !== 0 };
				case "acknowledged":
					return { type: "acknowledged", sequence: a, waiting: b };
				case "failed":
					return { type: "failed", fault: FAULTS[a] ?? "program", reasonCode: b };
				case "sleep":
					return { type: "sleep", duration: a, waiting: b };
			}
			return undefined;
		}
	}

	reset(): void {}
}
