import type { SensorSettings } from "../../src/config/settings";
import { AWAKE_WAIT_LIMIT_MS, earlyTolerance, nextDue } from "../../src/sensor/time/schedule";

/** When a node samples, if nothing goes wrong. */
export interface Schedule {
	/** Time of each wake, ms from the first one. */
	readonly wakes: readonly number[];
	/** Samples of all sensors, also of values that are not complete at the end. */
	readonly samples: number;
	/** Time awake for the further samples of a value, ms. */
	readonly gathering: number;
	readonly sensors: readonly SensorSchedule[];
}

export interface SensorSchedule {
	/** Time of each sample, ms: those of the first value, those of the second, … */
	readonly samples: readonly number[];
	/** Of each value: the index of the wake in which its last sample was taken. */
	readonly values: readonly number[];
}

/** A sensor's place in the schedule. */
interface Channel {
	readonly every: number;
	/** Of one value. */
	readonly samples: number;
	readonly spacing: number;
	/** Whether all samples of a value are taken in one wake. */
	readonly inOneWake: boolean;
	readonly times: number[];
	readonly values: number[];
	due: number;
	/** How long before `due` the sample may be taken, ms. */
	early: number;
}

/** What {@link scheduleOf} depends on, as a key of maps. */
export function scheduleKey(sensors: readonly SensorSettings[]): string {
	return sensors.map(({ every, samples, spacing }) => `${every} ${samples} ${spacing}`).join();
}

/** The schedule of sensors that are all sampled at the first wake. @param length ms */
export function scheduleOf(sensors: readonly SensorSettings[], length: number): Schedule {
	const channels = sensors.map(({ every, samples, spacing = every }): Channel => {
		const inOneWake = samples > 1 && spacing <= AWAKE_WAIT_LIMIT_MS;
		return {
			every,
			samples,
			spacing,
			inOneWake,
			times: [],
			values: [],
			due: 0,
			early: earlyTolerance(every),
		};
	});
	const wakes: number[] = [];
	let gathering = 0;
	for (let now = nextWake(channels); now < length; now = nextWake(channels)) {
		let longest = 0;
		for (let i = 0; i < channels.length; i++) {
			const channel = channels[i];
			if (channel.due - now > channel.early) continue;
			const { samples, spacing, every, inOneWake, times } = channel;
			if (inOneWake) {
				for (let k = 0; k < samples; k++) times.push(now + k * spacing);
				longest = Math.max(longest, (samples - 1) * spacing);
			} else times.push(now);
			const complete = times.length % samples === 0;
			channel.early = earlyTolerance(complete ? every : spacing);
			if (!complete) channel.due = nextDue(channel.due, now, spacing);
			else {
				channel.values.push(wakes.length);
				const span = inOneWake ? 0 : (samples - 1) * spacing;
				channel.due = nextDue(channel.due - span, now, every);
			}
		}
		gathering += longest;
		wakes.push(now);
	}
	const samples = channels.reduce((sum, { times }) => sum + times.length, 0);
	return {
		wakes,
		samples,
		gathering,
		sensors: channels.map(({ times, values }) => ({ samples: times, values })),
	};
}

function nextWake(channels: readonly Channel[]): number {
	let earliest = Infinity;
	for (let i = 0; i < channels.length; i++) earliest = Math.min(earliest, channels[i].due);
	return earliest;
}
