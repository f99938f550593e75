import type { WakeReason } from "../../src/device";
import {
	type DeviceEvent,
	DROPPED_CLEARED,
	DROPPED_CORRUPTED,
	DROPPED_OLDEST,
	DROPPED_THINNED,
	DROPPED_UNREADABLE,
} from "../../src/device-events";
import type { SimulationEvent } from "./events";

/**
 * An event of the firmware as one of a simulation; undefined: simulations have none like it.
 * @param sensors their names
 * @param reason why the board started last
 */
export function simulationEvent(
	event: DeviceEvent,
	sensors: readonly string[],
	reason: () => WakeReason,
): SimulationEvent | undefined {
	switch (event[0]) {
		case "wake": {
			const [type, waiting, nextSequence, dropped] = event;
			return { type, reason: reason(), waiting, accepted: nextSequence - 1, dropped };
		}
		case "sample":
		case "gathered": {
			const [type, sensor, value] = event;
			return { type, sensor: sensorName(sensors, sensor), value: Number.isNaN(value) ? undefined : value };
		}
		case "filtered": {
			const [type, sensor] = event;
			return { type, sensor: sensorName(sensors, sensor) };
		}
		case "accepted":
		case "acknowledged": {
			const [type, sequence, waiting] = event;
			return { type, sequence, waiting };
		}
		case "dropped": {
			const [type, sequence, waiting, reason] = event;
			return {
				type,
				count: 1,
				waiting,
				...(sequence === 0 ? {} : { sequence }),
				...(reason === DROPPED_OLDEST ? { policy: "dropOldest" } : {}),
				...(reason === DROPPED_THINNED ? { policy: "thin" } : {}),
				...(reason === DROPPED_CORRUPTED ? { reason: "damaged" } : {}),
				...(reason === DROPPED_UNREADABLE ? { reason: "unreadable" } : {}),
				...(reason === DROPPED_CLEARED ? { reason: "cleared" } : {}),
			};
		}
		case "joined":
			return { type: "joined", fast: event[3] };
		case "join":
		case "open":
		case "limit":
			return { type: event[0] };
		case "opened": {
			const [, sessionPresent] = event;
			return { type: "connected", sessionPresent };
		}
		case "publish": {
			const [type, sequence, again, qos] = event;
			return { type, sequence, qos, again };
		}
		case "failed": {
			const [type, fault, reasonCode] = event;
			return { type, fault, reasonCode };
		}
		case "command": {
			const [type, command, accepted] = event;
			return { type, command, accepted };
		}
		case "update": {
			const [type, phase] = event;
			return { type, phase };
		}
		case "bridge": {
			const [type, connected, failures, retry] = event;
			return { type, connected, failures, retry };
		}
		case "sleep": {
			const [type, duration, waiting] = event;
			return { type, duration, waiting };
		}
	}
	return undefined;
}

function sensorName(sensors: readonly string[], index: number): string {
	return sensors[index] ?? String(index);
}
