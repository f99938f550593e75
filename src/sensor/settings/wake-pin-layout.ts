import type { SensorSettings } from "../../config/types";
import type { Pull } from "../../device";

/** Pins that may wake a node: an ESP32 has two wake-up sources that take a pin each (ext0 and ext1). */
export const WAKE_PIN_LIMIT = 2;

// Doubles of the retained extension, counted from where wake pins begin
/** `Date.now()` when the sleep began. */
export const WAKE_SLEPT_AT = 0;
/**
 * Node time at which the wakes by pin so far are used up, at an even rate of `pinWakeLimit` an hour: an hour
 * ahead, none is left.
 */
export const WAKE_USED_UNTIL = 1;
/** Level of the first wake pin when it was sampled last, plus 1; 0: unknown. Those of the others follow. */
export const WAKE_LEVELS = 2;

/** A sensor whose pin wakes the node. */
export interface WakePin {
	/** Index in the settings. */
	readonly sensor: number;
	/** GPIO. */
	readonly pin: number;
	/** Level that stands for the value 1. */
	readonly activeLevel: 0 | 1;
	readonly pull: Pull;
}

/** Options of a driver of a pin that concern its level. */
interface PinOptions {
	readonly pin?: unknown;
	readonly pull?: unknown;
	readonly activeLow?: unknown;
}

/** The sensors with `wake`, without pins beyond {@link WAKE_PIN_LIMIT}. For start-up. */
export function wakePinsOf(sensors: readonly SensorSettings[]): readonly WakePin[] {
	const wakePins: WakePin[] = [];
	const pins: number[] = [];
	sensors.forEach(({ wake, options }, sensor) => {
		const { pin, pull, activeLow } = (options ?? {}) as PinOptions;
		if (wake !== true || typeof pin !== "number" || !Number.isInteger(pin)) return;
		if (!pins.includes(pin)) {
			if (pins.length === WAKE_PIN_LIMIT) return;
			pins.push(pin);
		}
		wakePins.push({
			sensor,
			pin,
			activeLevel: activeLow === true ? 0 : 1,
			pull: pull === "none" || pull === "down" ? pull : "up",
		});
	});
	return wakePins;
}

/** Doubles of the state of wake pins. */
export function wakeStateSize(count: number): number {
	return WAKE_LEVELS + count;
}
