import { Random } from "../../sim/clock/random";
import type { PropertyDeclaration } from "../../sim/manifest/driver-declaration";
import { curveOf, curveValue, quantizedReading } from "../../sim/sensors/curves";
import type { SensorSettings, Settings } from "../../src/config/settings";
import { calibrated } from "../../src/sensor/calibration";
import { passesDeadband, roundTo } from "../../src/sensor/filter";
import { earlyTolerance, nextDue } from "../../src/sensor/schedule";

/** What a node does in a day without faults. */
export interface Day {
	readonly wakes: number;
	/** Messages if every sample is reported. */
	readonly reportsAtMost: number;
	/** Messages, with the simulator's curves. */
	readonly reports: number;
	/** Wakes that raise Wi-Fi, likewise. */
	readonly exchanges: number;
}

const DAY_MS = 86_400_000;
/** More samples than this say no more. */
const MAX_SAMPLES = 40_000;
/** 2026-01-01: where the simulator starts too. */
const START_MS = Date.UTC(2026, 0, 1);

/** When the sensors are sampled in a day, or in the part of it that is simulated. */
interface Samples {
	/** Of the simulated part, ms. */
	readonly length: number;
	/** Number of wakes. */
	readonly wakes: number;
	/** Of each sensor. */
	readonly sensors: readonly SensorSamples[];
}

/** Time of each sample, ms, and the index of its wake. */
interface SensorSamples {
	readonly times: number[];
	readonly wakes: number[];
}

/**
 * Plays the samples of a day through the deadband, with the simulator's curves. What was calculated for some
 * settings is used again for others with the same samples.
 */
export class DayPlayer {
	readonly #declarations: readonly (PropertyDeclaration | undefined)[];
	readonly #samples = new Map<string, Samples>();
	readonly #readings = new Map<SensorSamples, Float64Array>();

	/** @param declarations what the driver of each sensor declares of its property */
	constructor(declarations: readonly (PropertyDeclaration | undefined)[]) {
		this.#declarations = declarations;
	}

	/** @param settings the sensors of each call may differ in `every`, `delta` and `heartbeat` only */
	play({ sensors, payload, topic }: Settings): Day {
		const samples = computed(this.#samples, sensors.map(({ every }) => every).join(), () =>
			samplesOf(sensors),
		);
		const exchanges = new Uint8Array(samples.wakes);
		let taken = 0;
		let reported = 0;
		for (let i = 0; i < sensors.length; i++) {
			taken += samples.sensors[i].times.length;
			reported += this.#report(sensors[i], this.#declarations[i], samples.sensors[i], exchanges);
		}
		const reporting = exchanges.reduce((sum, exchange) => sum + exchange, 0);
		const together = payload === "json" && !topic.includes("{sensor}");
		const perDay = (count: number): number => Math.round((count * DAY_MS) / samples.length);
		return {
			wakes: perDay(samples.wakes),
			reportsAtMost: perDay(together ? samples.wakes : taken),
			reports: perDay(together ? reporting : reported),
			exchanges: perDay(reporting),
		};
	}

	/** Counts the reports of a sensor, and marks the wakes that have one. */
	#report(
		sensor: SensorSettings,
		declaration: PropertyDeclaration | undefined,
		samples: SensorSamples,
		exchanges: Uint8Array,
	): number {
		const { delta, heartbeat } = sensor;
		const { times, wakes } = samples;
		// Without a deadband no reading is needed.
		const readings =
			delta === undefined
				? undefined
				: computed(this.#readings, samples, () => readingsOf(sensor, declaration, times));
		let last = Number.NaN;
		let reportedAt = 0;
		let reports = 0;
		for (let i = 0; i < times.length; i++) {
			if (readings !== undefined) {
				if (!passesDeadband(readings[i], last, times[i] - reportedAt, delta, heartbeat)) continue;
				last = readings[i];
				reportedAt = times[i];
			}
			exchanges[wakes[i]] = 1;
			reports++;
		}
		return reports;
	}
}

function computed<Key, Value>(known: Map<Key, Value>, key: Key, compute: () => Value): Value {
	const value = known.get(key) ?? compute();
	known.set(key, value);
	return value;
}

function samplesOf(sensors: readonly SensorSettings[]): Samples {
	const perDay = sensors.reduce((sum, { every }) => sum + DAY_MS / every, 0);
	const length = DAY_MS * Math.min(1, MAX_SAMPLES / Math.max(1, perDay));
	const intervals = sensors.map(({ every }) => every);
	const due = sensors.map(() => 0);
	const samples = sensors.map((): SensorSamples => ({ times: [], wakes: [] }));
	let wakes = 0;
	for (let now = 0; now < length; now = Math.min(...due)) {
		for (let i = 0; i < due.length; i++) {
			if (due[i] - now > earlyTolerance(intervals[i])) continue;
			samples[i].times.push(now);
			samples[i].wakes.push(wakes);
			due[i] = nextDue(due[i], now, intervals[i]);
		}
		wakes++;
	}
	return { length, wakes, sensors: samples };
}

function readingsOf(
	sensor: SensorSettings,
	declaration: PropertyDeclaration | undefined,
	times: readonly number[],
): Float64Array {
	const { property, name, options = {}, decimals } = sensor;
	const curve = curveOf(property.at(-1) ?? name, options as Readonly<Record<string, unknown>>, declaration);
	const noise = new Random(1, name);
	const readings = new Float64Array(times.length);
	for (let i = 0; i < times.length; i++) {
		const value = curveValue(curve, START_MS + times[i], 0.5);
		const reading = calibrated(quantizedReading(curve, value, noise.normal()), sensor);
		readings[i] = decimals === undefined ? reading : roundTo(reading, decimals);
	}
	return readings;
}
