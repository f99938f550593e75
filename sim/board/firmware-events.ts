import type { SensorSettings } from "../../src/config/settings";
import type { WakeReason } from "../../src/device";
import {
	DROPPED_CORRUPTED,
	DROPPED_UNREADABLE,
	FAULT_CONFIGURATION,
	FAULT_LIMIT,
	FAULT_PEER,
	FAULT_PROGRAM,
	FAULT_RESOURCE,
	FAULT_TRANSPORT,
	FAULT_WIFI,
	type Fault,
	type FaultCode,
} from "../../src/sensor/events";
import type { SimulationEvent } from "../report/events";
import type { Natives, Peripheral, PeripheralHost } from "./peripheral";
import type { Sockets } from "./sockets";

const FAULTS: Readonly<Record<FaultCode, Fault>> = {
	[FAULT_CONFIGURATION]: "configuration",
	[FAULT_PEER]: "peer",
	[FAULT_RESOURCE]: "resource",
	[FAULT_TRANSPORT]: "transport",
	[FAULT_WIFI]: "wifi",
	[FAULT_LIMIT]: "limit",
	[FAULT_PROGRAM]: "program",
};

/** Converts the firmware's progress events to the simulator's (src/sensor/events has the numbers). */
export class FirmwareEvents implements Peripheral {
	readonly natives: Natives;

	constructor(
		core: PeripheralHost,
		sockets: Sockets,
		sensors: readonly SensorSettings[],
		reason: () => WakeReason,
	) {
		this.natives = {
			sim_event: (name: string, a = 0, b = 0, c = 0) => {
				if (name === "acknowledged") sockets.acknowledged++;
				const event = toSimulationEvent(name, a, b, c);
				if (event) core.emit(event);
			},
		};

		function toSimulationEvent(name: string, a: number, b: number, c: number): SimulationEvent | undefined {
			switch (name) {
				case "wake":
					return { type: "wake", reason: reason() };
				case "sample":
					return {
						type: "sample",
						sensor: sensors[a]?.name ?? String(a),
						value: Number.isNaN(b) ? undefined : b,
					};
				case "filtered":
					return { type: "filtered", sensor: sensors[a]?.name ?? String(a) };
				case "accepted":
					return { type: "accepted", sequence: a, waiting: b };
				case "dropped":
					return {
						type: "dropped",
						count: 1,
						waiting: b,
						...(c === DROPPED_CORRUPTED ? { reason: "damaged" } : {}),
						...(c === DROPPED_UNREADABLE ? { reason: "unreadable" } : {}),
					};
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
					return { type: "failed", fault: FAULTS[a as FaultCode] ?? "program", reasonCode: b };
				case "sleep":
					return { type: "sleep", duration: a, waiting: b };
			}
			return undefined;
		}
	}

	reset(): void {}
}
