import type { PropertyDeclaration } from "../manifest/driver-declaration";

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

/** A curve, and the unit that it is in. */
interface QuantityCurve extends Curve {
	readonly unit: string;
}

/** By Home Assistant's device class; units as in ECMA-419's sensor classes and the SDK's drivers. */
const CURVES: Readonly<Record<string, QuantityCurve>> = {
	temperature: { unit: "°C", mean: 21, swing: 3, peak: 15, weather: 1.5, noise: 0.03, resolution: 0.01 },
	humidity: {
		unit: "%",
		mean: 48,
		swing: -8,
		peak: 15,
		weather: 6,
		noise: 0.15,
		resolution: 0.01,
		minimum: 0,
		maximum: 100,
	},
	atmospheric_pressure: {
		unit: "Pa",
		mean: 101_325,
		swing: 60,
		peak: 10,
		weather: 900,
		noise: 3,
		resolution: 0.16,
	},
	voltage: { unit: "V", mean: 3.9, swing: 0.01, peak: 15, weather: 0, noise: 0.003, resolution: 0.001 },
	carbon_dioxide: {
		unit: "ppm",
		mean: 650,
		swing: 200,
		peak: 14,
		weather: 60,
		noise: 8,
		resolution: 1,
		minimum: 400,
	},
	illuminance: {
		unit: "lx",
		mean: 120,
		swing: 380,
		peak: 13,
		weather: 80,
		noise: 4,
		resolution: 1,
		minimum: 0,
	},
	moisture: {
		unit: "%",
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

/** Last names of properties of drivers without a declaration, where they are no device class. */
const CLASSES: Readonly<Record<string, string>> = {
	co2: "carbon_dioxide",
	light: "illuminance",
	pressure: "atmospheric_pressure",
};

/**
 * The curve of a property, adjusted by the driver's options.
 * @param name last part of the property's path
 * @param declaration of the driver, if it has one: its device class selects the curve, its range bounds it
 */
export function curveOf(
	name: string,
	options: Readonly<Record<string, unknown>>,
	declaration?: PropertyDeclaration,
): Curve {
	const base = declaration === undefined ? curveByName(name.toLowerCase()) : declaredCurve(declaration);
	const changes = Object.entries(options).filter(
		([key, value]) =>
			(key in DEFAULT_CURVE || key === "minimum" || key === "maximum") && typeof value === "number",
	);
	return { ...base, ...Object.fromEntries(changes) };
}

function curveByName(name: string): Curve {
	return CURVES[CLASSES[name] ?? name] ?? DEFAULT_CURVE;
}

function declaredCurve({ deviceClass, unit, minimum, maximum, decimals, curve }: PropertyDeclaration): Curve {
	const known = CURVES[deviceClass ?? ""];
	const base = known !== undefined && known.unit === unit ? known : curveWithin(minimum, maximum, decimals);
	return { ...base, minimum, maximum, ...curve };
}

/** Of a quantity that nothing is known of but its range. */
function curveWithin(minimum: number, maximum: number, decimals: number): Curve {
	const span = maximum - minimum;
	return {
		mean: minimum + span / 2,
		swing: span * 0.1,
		peak: DEFAULT_CURVE.peak,
		weather: span * 0.05,
		noise: span * 0.002,
		resolution: 10 ** -decimals,
	};
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
	const steps = Math.round(bounded / curve.resolution);
	// Rounds off binary fractions: 21.37, not 21.370000000000001. A quotient of whole numbers has none.
	const perUnit = Math.round(1 / curve.resolution);
	return perUnit * curve.resolution === 1
		? steps / perUnit + 0
		: Number((steps * curve.resolution).toPrecision(12));
}
