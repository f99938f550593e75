import { batteryCapacityMAh } from "../../sim/report/currents";
import type { SensorSettings, Settings } from "../../src/config/settings";
import { changed } from "../meaning/changed-settings";
import { dailyCharge } from "../meaning/charge";
import { DAY_MS } from "../meaning/day";
import { Reporting } from "../meaning/reporting";
import { type Schedule, scheduleOf } from "../meaning/schedule";
import { valuesOf } from "../meaning/sensor-values";
import { deltaChoices } from "./delta-choices";
import { type RecordedSeries, readerOf } from "./recorded-series";

/** A sensor and what was recorded of it. */
export interface RecordedSensor {
	readonly series: RecordedSeries;
	/** From the series' unit to the sensor's. */
	convert(value: number): number;
	/** What its driver declares to be a change that matters. */
	readonly delta?: number | undefined;
}

/** What a deadband makes of the recorded readings of a sensor. */
export interface Deadband {
	/** Undefined: every value is reported. */
	readonly delta?: number;
	/** ms; undefined: silence has no limit. */
	readonly heartbeat?: number;
	/** Whether the manifest says so. */
	readonly configured: boolean;
	readonly reports: number;
	/** Of the reports without a deadband, 0 … 1. */
	readonly saved: number;
	/** mAh a day and days on the simulator's battery, of the chip alone, with all sensors of the node. */
	readonly charge: number;
	readonly days: number;
	/** Between what was recorded and what was reported last before it. */
	readonly largestError: number;
}

export interface SensorSavings {
	readonly name: string;
	/** Name of its series in the file. */
	readonly series: string;
	readonly unit?: string;
	/** ms */
	readonly every: number;
	readonly readings: number;
	readonly minimum: number;
	readonly maximum: number;
	/** Times without a reading: their number and ms in all. */
	readonly gaps: { readonly count: number; readonly length: number };
	/** The first is without a deadband. */
	readonly deadbands: readonly Deadband[];
}

export interface Savings {
	/** ms since 1970, of what is played. */
	readonly from: number;
	readonly to: number;
	/** Whether something before `from` is left out. */
	readonly cut: boolean;
	readonly sensors: readonly SensorSavings[];
}

/** Where a sensor has none, ms. */
const HEARTBEAT_MS = 900_000;
/** Other times that are tried, ms. */
const HEARTBEATS_MS = [300_000, 3_600_000, 21_600_000];
/** More samples take too long: the last part of the recording is played. */
const MAX_SAMPLES = 4_000_000;

/** Plays recorded readings through the deadbands of a node's sensors. */
export class RecordedNode {
	readonly #settings: Settings;
	readonly #sensors: readonly RecordedSensor[];
	readonly #bytes: number;
	readonly #schedule: Schedule;
	readonly #values: readonly Float64Array[];
	readonly #from: number;
	readonly #length: number;
	readonly #cut: boolean;

	/**
	 * @param settings of the node; as many sensors as `sensors`
	 * @param bytes of a report
	 */
	constructor(settings: Settings, sensors: readonly RecordedSensor[], bytes: number) {
		this.#settings = settings;
		this.#sensors = sensors;
		this.#bytes = bytes;
		const first = Math.min(...sensors.map(({ series: { times } }) => times[0]));
		const to = Math.max(...sensors.map(({ series: { times } }) => times[times.length - 1]));
		const perMs = settings.sensors.reduce((sum, { every, samples }) => sum + samples / every, 0);
		this.#length = Math.min(to - first, Math.floor(MAX_SAMPLES / perMs)) + 1;
		this.#from = to + 1 - this.#length;
		this.#cut = this.#from > first;
		this.#schedule = scheduleOf(settings.sensors, this.#length);
		this.#values = settings.sensors.map((sensor, i) => {
			const read = readerOf(sensors[i].series, sensors[i].convert);
			return valuesOf(sensor, this.#schedule.sensors[i], (time) => read(this.#from + time));
		});
	}

	savings(): Savings {
		return {
			from: this.#from,
			to: this.#from + this.#length - 1,
			cut: this.#cut,
			sensors: this.#settings.sensors.map((_, index) => this.#savingsOf(index)),
		};
	}

	#savingsOf(index: number): SensorSavings {
		const sensor = this.#settings.sensors[index];
		const recorded = this.#sensors[index];
		const played = Float64Array.from(recorded.series.values, (value, i) =>
			Number.isNaN(value) || recorded.series.times[i] < this.#from ? NaN : recorded.convert(value),
		);
		const finite = played.filter((value) => !Number.isNaN(value));
		const heartbeat = sensor.heartbeat ?? Math.max(HEARTBEAT_MS, sensor.every);
		const choices = deltaChoices(finite, sensor.delta, recorded.delta);
		const middle = sensor.delta ?? recorded.delta ?? choices[choices.length >> 1];
		const others = HEARTBEATS_MS.filter((each) => each !== heartbeat && each >= sensor.every);
		const tried: { readonly delta?: number; readonly heartbeat?: number }[] = [
			{},
			...choices.map((delta) => ({ delta, heartbeat })),
			...(middle === undefined ? [] : others.map((each) => ({ delta: middle, heartbeat: each }))),
		];
		let all = NaN;
		const deadbands = tried.map((deadband): Deadband => {
			const result = this.#play(index, deadband, played);
			if (Number.isNaN(all)) all = result.reports;
			const { delta } = deadband;
			const configured =
				delta === sensor.delta && (delta === undefined || deadband.heartbeat === sensor.heartbeat);
			return { ...deadband, configured, ...result, saved: all === 0 ? 0 : 1 - result.reports / all };
		});
		const { unit } = sensor;
		return {
			name: sensor.name,
			series: recorded.series.name,
			...(unit === undefined ? {} : { unit }),
			every: sensor.every,
			readings: finite.length,
			minimum: finite.reduce((least, value) => Math.min(least, value), Infinity),
			maximum: finite.reduce((most, value) => Math.max(most, value), -Infinity),
			gaps: gapsOf(this.#values[index], sensor.every),
			deadbands,
		};
	}

	/** Plays the node with another deadband of one sensor. */
	#play(
		index: number,
		deadband: Pick<SensorSettings, "delta" | "heartbeat">,
		played: Float64Array,
	): Pick<Deadband, "reports" | "charge" | "days" | "largestError"> {
		const { sensors } = this.#settings;
		const other = changed(sensors[index], { delta: undefined, heartbeat: undefined, ...deadband });
		const settings = changed(this.#settings, {
			sensors: sensors.map((sensor, i) => (i === index ? other : sensor)),
		});
		const reporting = new Reporting(settings, this.#schedule);
		const times: number[] = [];
		const values: number[] = [];
		for (let i = 0; i < sensors.length; i++) {
			if (i !== index) reporting.add(i, this.#values[i]);
			else
				reporting.add(i, this.#values[i], (time, value) => {
					times.push(this.#from + time);
					values.push(value);
				});
		}
		const charge = dailyCharge(settings, this.#dayOf(reporting), this.#bytes);
		return {
			reports: times.length,
			charge,
			days: batteryCapacityMAh / charge,
			largestError: largestError(this.#sensors[index].series.times, played, times, values),
		};
	}

	/** The counts of a day, as they were while there were readings. */
	#dayOf(reporting: Reporting) {
		const perDay = DAY_MS / this.#length;
		const missing = this.#values.reduce((sum, values) => sum + countNaN(values), 0);
		const measured = perDay / Math.max(1 / reporting.values, 1 - missing / reporting.values);
		return {
			wakes: this.#schedule.wakes.length * perDay,
			samples: this.#schedule.samples * perDay,
			values: reporting.values * perDay,
			gathering: this.#schedule.gathering * perDay,
			reportsAtMost: reporting.messagesAtMost * perDay,
			reports: reporting.messages * measured,
			exchanges: reporting.exchanges() * measured,
		};
	}
}

/**
 * The largest difference between a value and what was reported last at its time.
 * @param values NaN: none
 */
export function largestError(
	times: ArrayLike<number>,
	values: ArrayLike<number>,
	reportTimes: readonly number[],
	reports: readonly number[],
): number {
	let largest = 0;
	let next = 0;
	for (let i = 0; i < times.length; i++) {
		while (next < reportTimes.length && reportTimes[next] <= times[i]) next++;
		if (next === 0 || Number.isNaN(values[i])) continue;
		largest = Math.max(largest, Math.abs(values[i] - reports[next - 1]));
	}
	return largest;
}

function gapsOf(values: Float64Array, every: number): { readonly count: number; readonly length: number } {
	let count = 0;
	for (let i = 0; i < values.length; i++)
		if (Number.isNaN(values[i]) && !(i > 0 && Number.isNaN(values[i - 1]))) count++;
	return { count, length: countNaN(values) * every };
}

function countNaN(values: Float64Array): number {
	let count = 0;
	for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) count++;
	return count;
}
