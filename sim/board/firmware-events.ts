import type { SensorSettings } from "../../src/config/settings";
import type { WakeReason } from "../../src/device";
import type { DeviceEvent } from "../../src/device-events";
import { simulationEvent } from "../report/firmware-event";
import type { Natives, Peripheral, PeripheralHost } from "./peripheral";
import type { Sockets } from "./sockets";

/** Converts the firmware's progress events to the simulator's. */
export class FirmwareEvents implements Peripheral {
	readonly natives: Natives;

	constructor(
		core: PeripheralHost,
		sockets: Sockets,
		sensors: readonly SensorSettings[],
		reason: () => WakeReason,
	) {
		const names = sensors.map(({ name }) => name);
		this.natives = {
			sim_event: (...args: unknown[]) => {
				const event = args as DeviceEvent;
				if (event[0] === "acknowledged") sockets.acknowledged++;
				const converted = simulationEvent(event, names, reason);
				if (converted) core.emit(converted);
			},
		};
	}

	reset(): void {}
}
