import { Random } from "../../sim/clock/random";
import type { PropertyDeclaration } from "../../sim/manifest/driver-declaration";
import { type Curve, curveOf, curveValue, quantizedReading } from "../../sim/sensors/curves";
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

interface Channel {
	readonly every: number;
	readonly delta: number | undefined;
	readonly heartbeat: number | undefined;
	readonly decimals: number | undefined;
	readonly calibration: SensorSettings;
	readonly curve: Curve;
	readonly noise: Random;
	due: number;
	last: number;
	reportedAt: number;
}

/**
 * Plays the samples of a day through the deadband, with the simulator's curves.
 * @param declarations what the driver of each sensor declares of its property
 */
export function playDay(
	{ sensors, payload, topic }: Settings,
	declarations: readonly (PropertyDeclaration | undefined)[],
): Day {
	const channels = sensors.map((sensor, index) => openChannel(sensor, declarations[index]));
	const samplesPerDay = sensors.reduce((sum, { every }) => sum + DAY_MS / every, 0);
	const length = DAY_MS * Math.min(1, MAX_SAMPLES / Math.max(1, samplesPerDay));
	const together = payload === "json" && !topic.includes("{sensor}");
	const counts = { wakes: 0, reportsAtMost: 0, reports: 0, exchanges: 0 };
	for (let now = nextWake(channels); now < length; now = nextWake(channels)) {
		let samples = 0;
		let reports = 0;
		for (const channel of channels) {
			if (channel.due - now > earlyTolerance(channel.every)) continue;
			samples++;
			if (sample(channel, now)) reports++;
			channel.due = nextDue(channel.due, now, channel.every);
		}
		counts.wakes++;
		counts.reportsAtMost += together ? 1 : samples;
		counts.reports += together ? Math.min(1, reports) : reports;
		if (reports > 0) counts.exchanges++;
	}
	const perDay = (count: number): number => Math.round((count * DAY_MS) / length);
	return {
		wakes: perDay(counts.wakes),
		reportsAtMost: perDay(counts.reportsAtMost),
		reports: perDay(counts.reports),
		exchanges: perDay(counts.exchanges),
	};
}

function openChannel(sensor: SensorSettings, declaration: PropertyDeclaration | undefined): Channel {
	const { property, name, options = {}, every, delta, heartbeat, decimals } = sensor;
	const curve = curveOf(property.at(-1) ?? name, options as Readonly<Record<string, unknown>>, declaration);
	const noise = new Random(1, name);
	return {
		every,
		delta,
		heartbeat,
		decimals,
		calibration: sensor,
		curve,
		noise,
		due: 0,
		last: NaN,
		reportedAt: 0,
	};
}

function nextWake(channels: readonly Channel[]): number {
	let earliest = Infinity;
	for (const { due } of channels) if (due < earliest) earliest = due;
	return earliest;
}

/** Whether the sample is reported. */
function sample(channel: Channel, now: number): boolean {
	const { curve, noise, decimals } = channel;
	const measured = quantizedReading(curve, curveValue(curve, START_MS + now, 0.5), noise.normal());
	const reading = calibrated(measured, channel.calibration);
	const value = decimals === undefined ? reading : roundTo(reading, decimals);
	const elapsed = now - channel.reportedAt;
	if (!passesDeadband(value, channel.last, elapsed, channel.delta, channel.heartbeat)) return false;
	channel.last = value;
	channel.reportedAt = now;
	return true;
}
