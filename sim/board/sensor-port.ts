import type { Natives } from "./peripheral";

/** Source of the values of a board's drivers; manifest/drivers.ts has the other side. */
export interface SensorPort {
	/** `sim_sensor_open(options: string): instance`, `sim_sensor_read(instance, path): number | undefined` */
	readonly natives: Natives;
}
