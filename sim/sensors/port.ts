import type { Natives } from "../board/peripheral";

/** Where the drivers of a board get their values: see manifest/drivers.ts for the other side. */
export interface SensorPort {
	/** `sim_sensor_open(options: string): instance`, `sim_sensor_read(instance, path): number | undefined` */
	readonly natives: Natives;
}
