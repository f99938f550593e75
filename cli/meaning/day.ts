import { Random } from "../../sim/clock/random";
import type { PropertyDeclaration } from "../../sim/manifest/driver-declaration";
import { curveOf, curveValue, quantizedReading } from "../../sim/sensors/curves";
import type { SensorSettings, Settings } from "../../src/config/settings";
import { calibrated } from "../../src/sensor/measure/calibration";
import { Reporting } from "./reporting";
import { type Schedule, scheduleKey, scheduleOf } from "./schedule";
import { valuesOf } from "./sensor-values";

/** What a node does in a day without faults. */
export interface Day {
	readonly wakes: number;
	/** Samples, of which a value may have several, and values. */
	readonly samples: number;
	readonly values: number;
	/** Time awake for the further samples of a value, ms. */
	readonly gathering: number;
	/** Messages if every value is reported. */
	readonly reportsAtMost: number;
	/** Messages, with the simulator's curves. */
	readonly reports: number;
	/** Wakes that raise Wi-Fi, likewise. */
	readonly exchanges: number;
}

export const DAY_MS = 86_400_000;
/** More samples than this say no more. */
const MAX_SAMPLES = 10_000;
/** Half a day has each slope of the daily curves once; so it stands for a whole one. */
const HALF = 0.5;
/** Readings until their noise repeats: a prime, so that no schedule has the same noise at the same hours. */
const NOISE_LENGTH = 997;
/** 2026-01-01: where the simulator starts too. */
const START_MS = Date.UTC(2026, 0, 1);

/**
 * Plays the samples of a day through the deadband, with the simulator's curves. What was calculated for some
 * settings is used again for others with the same samples.
 */
export class DayPlayer {
	readonly #declarations: readonly (PropertyDeclaration | undefined)[];
	readonly #schedules = new Map<string, DaySchedule>();

	/** @param declarations what the driver of each sensor declares of its property */
	constructor(declarations: readonly (PropertyDeclaration | undefined)[]) {
		this.#declarations = declarations;
	}

	/** @param settings the sensors of each call may differ in times, `delta` and `heartbeat` only */
	play(settings: Settings): Day {
		const { sensors } = settings;
		const { schedule, length, values } = this.#scheduleOf(sensors);
		const reporting = new Reporting(settings, schedule);
		for (let i = 0; i < sensors.length; i++) {
			// Without a deadband every value is reported, whatever it is.
			if (sensors[i].delta !== undefined)
				values[i] ??= valuesOf(sensors[i], schedule.sensors[i], readings(sensors[i], this.#declarations[i]));
			reporting.add(i, values[i]);
		}
		const perDay = (count: number): number => Math.round((count * DAY_MS) / length);
		return {
			wakes: perDay(schedule.wakes.length),
			samples: perDay(schedule.samples),
			values: perDay(reporting.values),
			gathering: perDay(schedule.gathering),
			reportsAtMost: perDay(reporting.messagesAtMost),
			reports: perDay(reporting.messages),
			exchanges: perDay(reporting.exchanges()),
		};
	}

	#scheduleOf(sensors: readonly SensorSettings[]): DaySchedule {
		const key = scheduleKey(sensors);
		const known = this.#schedules.get(key);
		if (known !== undefined) return known;
		const perDay = sensors.reduce((sum, { every, samples }) => sum + (samples * DAY_MS) / every, 0);
		const share = perDay <= MAX_SAMPLES ? 1 : Math.min(HALF, MAX_SAMPLES / perDay);
		const length = share * DAY_MS;
		const computed = { schedule: scheduleOf(sensors, length), length, values: [] };
		this.#schedules.set(key, computed);
		return computed;
	}
}

/** The samples of a day, or of its first part. */
interface DaySchedule {
	readonly schedule: Schedule;
	/** ms */
	readonly length: number;
	/** By sensor; absent where none was needed yet. */
	readonly values: (Float64Array | undefined)[];
}

/** The simulator's readings of a sensor, in the order of time. */
function readings(
	sensor: SensorSettings,
	declaration: PropertyDeclaration | undefined,
): (time: number) => number {
	const { property, name, options = {} } = sensor;
	const curve = curveOf(property.at(-1) ?? name, options as Readonly<Record<string, unknown>>, declaration);
	const random = new Random(1, name);
	const noise = Float64Array.from({ length: NOISE_LENGTH }, () => random.normal());
	let count = 0;
	return (time) => {
		const value = curveValue(curve, START_MS + time, 0.5);
		return calibrated(quantizedReading(curve, value, noise[count++ % NOISE_LENGTH]), sensor);
	};
}
