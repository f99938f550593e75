/** Model of a quantity over time: a daily curve, slow weather, white noise, and the sensor's resolution. */
export interface Curve {
	readonly mean: number;
	/** Amplitude of the daily curve. */
	readonly swing: number;
	/** Hour of the day of the maximum, UTC. */
	readonly peak: number;
	/** Amplitude of the weather, over days. */
	readonly weather: number;
	/** Standard deviation of a reading. */
	readonly noise: number;
	/** Smallest step of a reading. */
	readonly resolution: number;
	readonly minimum?: number;
	readonly maximum?: number;
}

const DEFAULT_CURVE: Curve = { mean: 50, swing: 10, peak: 14, weather: 5, noise: 0.2, resolution: 0.01 };

/**
 * By the last part of the property's path, in lower case; units as in ECMA-419's sensor classes and the SDK's
 * drivers.
 */
const CURVES: Readonly<Record<string, Curve>> = {
	temperature: { mean: 21, swing: 3, peak: 15, weather: 1.5, noise: 0.03, resolution: 0.01 },
	humidity: {
		mean: 48,
		swing: -8,
		peak: 15,
		weather: 6,
		noise: 0.15,
		resolution: 0.01,
		minimum: 0,
		maximum: 100,
	},
	pressure: { mean: 101_325, swing: 60, peak: 10, weather: 900, noise: 3, resolution: 0.16 },
	voltage: { mean: 3.9, swing: 0.01, peak: 15, weather: 0, noise: 0.003, resolution: 0.001 },
	co2: { mean: 650, swing: 200, peak: 14, weather: 60, noise: 8, resolution: 1, minimum: 400 },
	light: { mean: 120, swing: 380, peak: 13, weather: 80, noise: 4, resolution: 1, minimum: 0 },
	illuminance: { mean: 120, swing: 380, peak: 13, weather: 80, noise: 4, resolution: 1, minimum: 0 },
	moisture: {
		mean: 35,
		swing: -2,
		peak: 15,
		weather: 8,
		noise: 0.1,
		resolution: 0.1,
		minimum: 0,
		maximum: 100,
	},
};

/** The curve of a property, adjusted by the driver's options. */
export function curveOf(property: string, options: Readonly<Record<string, unknown>>): Curve {
	const curve = CURVES[property.toLowerCase()] ?? DEFAULT_CURVE;
	const changes = Object.entries(options).filter(
		([name, value]) => name in DEFAULT_CURVE && typeof value === "number",
	);
	return { ...curve, ...Object.fromEntries(changes) };
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** The value at a time, without noise or quantisation. @param phase 0 … 1, differs between instances */
export function curveValue(curve: Curve, time: number, phase: number): number {
	const day = Math.cos((2 * Math.PI * (time - curve.peak * HOUR_MS)) / DAY_MS);
	const weather =
		Math.sin(2 * Math.PI * (time / (3.3 * DAY_MS) + phase)) * 0.6 +
		Math.sin(2 * Math.PI * (time / (10.7 * DAY_MS) + phase * 3)) * 0.4;
	return curve.mean + curve.swing * day + curve.weather * weather;
}

/**
 * A reading: with noise, quantised, within the sensor's range.
 * @param noise a sample of the standard normal distribution
 */
export function quantizedReading(curve: Curve, value: number, noise: number): number {
	const bounded = Math.min(
		curve.maximum ?? Infinity,
		Math.max(curve.minimum ?? -Infinity, value + noise * curve.noise),
	);
	if (!(curve.resolution > 0)) return bounded;
	// Rounds off binary fractions: 21.37, not 21.370000000000001.
	return Number((Math.round(bounded / curve.resolution) * curve.resolution).toPrecision(12));
}
