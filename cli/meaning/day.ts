import { Random } from "../../sim/clock/random";
import type { PropertyDeclaration } from "../../sim/manifest/driver-declaration";
import { type Curve, curveOf, curveValue, quantizedReading } from "../../sim/sensors/curves";
import type { SensorSettings, Settings } from "../../src/config/settings";
import { calibrated } from "../../src/sensor/measure/calibration";
import { passesDeadband, roundTo } from "../../src/sensor/measure/filter";
import {
	addSample,
	clearWindow,
	samplesTaken,
	windowSize,
	windowValue,
} from "../../src/sensor/retained/sample-window";
import { AWAKE_WAIT_LIMIT_MS, earlyTolerance, nextDue } from "../../src/sensor/time/schedule";

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

const DAY_MS = 86_400_000;
/** More samples than this say no more. */
const MAX_SAMPLES = 40_000;
/** 2026-01-01: where the simulator starts too. */
const START_MS = Date.UTC(2026, 0, 1);

interface Channel {
	readonly sensor: SensorSettings;
	readonly curve: Curve;
	readonly noise: Random;
	/** The samples of a value that has begun. */
	readonly window: Float64Array;
	due: number;
	last: number;
	reportedAt: number;
}

/**
 * Plays the samples of a day through the deadband, with the simulator's curves.
 * @param declarations what the driver of each sensor declares of its property
 */
export function playDay(
	{ sensors, payload, topic, diagnostics }: Settings,
	declarations: readonly (PropertyDeclaration | undefined)[],
): Day {
	const channels = sensors.map((sensor, index) => openChannel(sensor, declarations[index]));
	const samplesPerDay = sensors.reduce((sum, { every, samples }) => sum + (samples * DAY_MS) / every, 0);
	const length = DAY_MS * Math.min(1, MAX_SAMPLES / Math.max(1, samplesPerDay));
	const together = payload === "json" && !topic.includes("{sensor}");
	let messageDue = diagnostics === undefined ? Infinity : 0;
	const counts = {
		wakes: 0,
		samples: 0,
		values: 0,
		gathering: 0,
		reportsAtMost: 0,
		reports: 0,
		exchanges: 0,
	};
	for (let now = nextWake(channels); now < length; now = nextWake(channels)) {
		let values = 0;
		let reports = 0;
		let gathering = 0;
		for (const channel of channels) {
			const { sensor, window } = channel;
			const { every, samples, spacing = every } = sensor;
			const taken = samplesTaken(window, 0);
			if (channel.due - now > earlyTolerance(taken > 0 ? spacing : every)) continue;
			const inOneWake = samples > 1 && spacing <= AWAKE_WAIT_LIMIT_MS;
			const count = inOneWake ? samples : 1;
			for (let i = 0; i < count; i++)
				addSample(window, 0, sensor.aggregate, measure(channel, now + i * spacing));
			if (inOneWake) gathering = Math.max(gathering, (samples - 1) * spacing);
			counts.samples += count;
			if (taken + count < samples) {
				channel.due = nextDue(channel.due, now, spacing);
				continue;
			}
			values++;
			if (report(channel, now)) reports++;
			const span = inOneWake ? 0 : (samples - 1) * spacing;
			channel.due = nextDue(channel.due - span, now, every);
		}
		const early = reports > 0 ? (diagnostics?.every ?? 0) / 4 : 0;
		const message = messageDue - now <= early;
		if (message) messageDue = now + (diagnostics?.every ?? 0);
		counts.wakes++;
		counts.values += values;
		counts.gathering += gathering;
		counts.reportsAtMost += together ? Math.min(1, values) : values;
		counts.reports += together ? Math.min(1, reports) : reports;
		if (reports > 0 || message) counts.exchanges++;
	}
	const perDay = (count: number): number => Math.round((count * DAY_MS) / length);
	return {
		wakes: perDay(counts.wakes),
		samples: perDay(counts.samples),
		values: perDay(counts.values),
		gathering: perDay(counts.gathering),
		reportsAtMost: perDay(counts.reportsAtMost),
		reports: perDay(counts.reports),
		exchanges: perDay(counts.exchanges),
	};
}

function openChannel(sensor: SensorSettings, declaration: PropertyDeclaration | undefined): Channel {
	const { property, name, options = {}, samples, aggregate } = sensor;
	const curve = curveOf(property.at(-1) ?? name, options as Readonly<Record<string, unknown>>, declaration);
	const window = new Float64Array(windowSize(Math.max(2, samples), aggregate));
	return { sensor, curve, noise: new Random(1, name), window, due: 0, last: NaN, reportedAt: 0 };
}

function nextWake(channels: readonly Channel[]): number {
	let earliest = Infinity;
	for (const { due } of channels) if (due < earliest) earliest = due;
	return earliest;
}

function measure({ sensor, curve, noise }: Channel, now: number): number {
	// Without a deadband every value is reported, whatever it is.
	if (sensor.delta === undefined) return 0;
	return calibrated(quantizedReading(curve, curveValue(curve, START_MS + now, 0.5), noise.normal()), sensor);
}

/** Whether the value of the samples so far is reported; the next value begins. */
function report(channel: Channel, now: number): boolean {
	const { sensor, window } = channel;
	const { decimals, aggregate, delta, heartbeat } = sensor;
	const gathered = windowValue(window, 0, aggregate);
	clearWindow(window, 0);
	const value = decimals === undefined ? gathered : roundTo(gathered, decimals);
	if (!passesDeadband(value, channel.last, now - channel.reportedAt, delta, heartbeat)) return false;
	channel.last = value;
	channel.reportedAt = now;
	return true;
}
