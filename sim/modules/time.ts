import type { Native } from "./native";

function ticks(): number {
	return (native("sim_time_ticks") as Native).call(undefined) as number;
}

/** The SDK's `time` module: ticks are 32 bits wide and count from boot, as on the ESP32. */
export default Object.freeze({
	get ticks(): number {
		return ticks();
	},

	get microseconds(): number {
		return (native("sim_time_microseconds") as Native).call(undefined) as number;
	},

	delta(start: number, end?: number): number {
		return ((end === undefined ? ticks() : end) - start) | 0;
	},

	/** @param seconds since 1970 */
	set(seconds: number): void {
		(native("sim_time_set") as Native).call(undefined, seconds);
	},
});
