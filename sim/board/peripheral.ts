import type { Scheduler } from "../clock/scheduler";
import type { NativeFunction } from "../engine/engine";
import type { SimulationEvent } from "../report/events";

export type Natives = Record<string, NativeFunction>;

/** The board as seen by its peripherals. */
export interface PeripheralHost {
	readonly scheduler: Scheduler;
	/** Calls a function of the firmware; no-op while the chip is off. */
	call(handle: number | undefined, ...args: (number | string | boolean | undefined)[]): unknown;
	/** Releases a function of the firmware; no-op while the chip is off. */
	forget(handle: number): void;
	emit(event: SimulationEvent): void;
}

/** A part of the board with native functions of its own. */
export interface Peripheral {
	readonly natives: Natives;
	/** The chip was switched off: discards its function handles and everything pending. */
	reset(): void;
}
