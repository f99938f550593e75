import type { DriverDeclaration, OptionDeclaration } from "../../sim/manifest/driver-declaration";
import { defaults } from "../../src/config/defaults";
import { formatDuration, parseDuration } from "../../src/config/duration";
import { configuredFormats } from "./discovery";
import type { ManifestView } from "./json";
import type { Path, Problem } from "./problem";
import { describeValue, valueAt } from "./schema-problems";
import { didYouMean, nearest } from "./suggest";

/** One sensor of a manifest, and what its driver declares. */
interface DeclaredSensor {
	readonly document: ManifestView;
	/** Of the sensor. */
	readonly path: Path;
	readonly sensor: Readonly<Record<string, unknown>>;
	readonly driver: string;
	readonly declaration: DriverDeclaration;
}

/** Options and a property that the driver does not have, or not so. */
export function driverValueProblems(of: DeclaredSensor): Problem[] {
	return [...propertyProblems(of), ...optionProblems(of)];
}

/** A unit other than that of the value, which nobody converts: neither firmware nor calibration. */
export function unitWarnings({ document, path, sensor, declaration }: DeclaredSensor): Problem[] {
	const unit = declaration.properties[String(sensor.property ?? sensor.name)]?.unit;
	if (unit === undefined || sensor.unit === undefined || sensor.unit === unit) return [];
	if (CALIBRATION.some((key) => sensor[key] !== undefined)) return [];
	const message = `${JSON.stringify(sensor.unit)} is not the unit of ${sensor.property ?? sensor.name}, ${unit}; values are not converted${unit === "°C" && sensor.unit === "°F" ? " but by scale 1.8 and offset 32" : ""}`;
	return [document.at([...path, "unit"], message)];
}

/** Keys of a sensor that make another value of what the driver measures. */
const CALIBRATION = ["scale", "offset", "table"];

/** What the driver declares of a property, but its manifest does not bring to the device. */
export function unannouncedWarnings({
	document,
	path,
	sensor,
	driver,
	declaration,
}: DeclaredSensor): Problem[] {
	const property = String(sensor.property ?? sensor.name);
	if (configuredFormats(document) === undefined || declaration.properties[property] === undefined) return [];
	if (valueAt(document.value, ["config", "driverProperties", driver, property]) !== undefined) return [];
	const message = `the manifest of ${driver} lacks config.driverProperties.${driver}[${JSON.stringify(property)}], so that discovery knows neither unit nor device class of it`;
	return [document.at([...path, "driver"], message)];
}

/** A driver for nodes that stay awake, or one whose samples take much of a wake, on a node that sleeps. */
export function sleepWarnings({ document, path, sensor, driver, declaration }: DeclaredSensor): Problem[] {
	const { awakeOnly, options } = declaration;
	const get = (...keys: string[]): unknown => valueAt(document.value, ["config", "firefly", ...keys]);
	const sleeps =
		(get("sleep", "mode") ?? defaults.sleep.mode) === "deep" && (get("role") ?? defaults.role) === "sensor";
	if (!sleeps) return [];
	const warnings: Problem[] = [];
	if (awakeOnly !== undefined)
		warnings.push(document.at([...path, "driver"], `${driver} ${awakeOnly}: set sleep.mode to "none"`));
	const limit =
		parseDuration(String(get("sleep", "awakeLimit") ?? defaults.sleep.awakeLimit)) ??
		defaults.sleep.awakeLimit;
	for (const [name, { sampleMs = {}, default: fallback }] of Object.entries(options)) {
		const written = valueAt(sensor, ["options", name]);
		const ms = sampleMs[String(written ?? fallback)];
		if (ms === undefined || ms <= limit / 2) continue;
		warnings.push(
			document.at(
				written === undefined ? [...path, "driver"] : [...path, "options", name],
				`a sample of ${driver} takes ${formatDuration(ms)}, more than half of sleep.awakeLimit, ${formatDuration(limit)}; raise it, to ${formatDuration(ms * 4)}, say`,
			),
		);
	}
	return warnings;
}

function propertyProblems({ document, path, sensor, driver, declaration }: DeclaredSensor): Problem[] {
	const names = Object.keys(declaration.properties);
	const { property, name } = sensor;
	const wanted = property ?? name;
	if (typeof wanted !== "string" || Object.hasOwn(declaration.properties, wanted)) return [];
	const meant = nearestProperty(wanted, names);
	const all = `${driver} has ${names.join(", ")}`;
	if (property === undefined)
		return [
			document.at(
				path,
				`lacks "property", and "${wanted}" is none of ${driver}${meant === undefined ? `, which has ${names.join(", ")}` : didYouMean(meant)}`,
			),
		];
	return [
		document.at(
			[...path, "property"],
			`${JSON.stringify(wanted)} is not a property of ${driver}${meant === undefined ? `; ${all}` : didYouMean(meant)}`,
		),
	];
}

/** `temperature`, `temprature` and `sht.temperature` are `thermometer.temperature`. */
function nearestProperty(wanted: string, names: readonly string[]): string | undefined {
	const last = (name: string): string => name.slice(name.lastIndexOf(".") + 1);
	const whole = nearest(wanted, names);
	if (whole !== undefined) return whole;
	const part = nearest(last(wanted), names.map(last));
	return part === undefined ? undefined : names.find((name) => last(name) === part);
}

function optionProblems({ document, path, sensor, driver, declaration }: DeclaredSensor): Problem[] {
	const { options: declared } = declaration;
	const written = sensor.options ?? {};
	// What is not an object is reported by the schema.
	if (typeof written !== "object" || written === null || Array.isArray(written)) return [];
	const problems: Problem[] = [];
	const at = [...path, "options"];
	for (const [name, value] of Object.entries(written)) {
		const option = Object.hasOwn(declared, name) ? declared[name] : undefined;
		if (option === undefined)
			problems.push(document.atKey([...at, name], unknownOption(driver, name, declared)));
		else {
			const wrong = optionProblem(value, option);
			if (wrong !== undefined) problems.push(document.at([...at, name], wrong));
		}
	}
	for (const [name, { required, text }] of Object.entries(declared))
		if (required && !Object.hasOwn(written, name))
			problems.push(
				document.at(
					sensor.options === undefined ? path : at,
					`lacks ${JSON.stringify(sensor.options === undefined ? `options.${name}` : name)}, which ${driver} needs: ${text}`,
				),
			);
	return problems;
}

function unknownOption(
	driver: string,
	name: string,
	declared: Readonly<Record<string, OptionDeclaration>>,
): string {
	const names = Object.keys(declared);
	const meant = nearest(name, names) ?? PIN_NAMES[name.toLowerCase()];
	return meant !== undefined && names.includes(meant)
		? `is not an option of ${driver}${didYouMean(meant)}`
		: `is not an option of ${driver}, which has ${names.length === 0 ? "none" : names.join(", ")}`;
}

/** What other firmware calls the pins. */
const PIN_NAMES: Readonly<Record<string, string>> = {
	adc_pin: "pin",
	frequency: "hz",
	gpio: "pin",
	i2c_address: "address",
	scl: "clock",
	scl_pin: "clock",
	sda: "data",
	sda_pin: "data",
};

function optionProblem(value: unknown, option: OptionDeclaration): string | undefined {
	const { type, minimum, maximum, choices, words } = option;
	const shown = describeValue(value);
	if (type === "object")
		return typeof value === "object" && value !== null && !Array.isArray(value)
			? undefined
			: `${shown} is not an object`;
	if (type === "boolean") {
		const meant =
			value === "true" || value === 1 ? true : value === "false" || value === 0 ? false : undefined;
		return typeof value === "boolean" ? undefined : `${shown} is not true or false${didYouMean(meant)}`;
	}
	if (type === "text") {
		if (words === undefined || words.some((word) => word === value))
			return typeof value === "string" ? undefined : `${shown} is not a text`;
		const meant = typeof value === "string" ? nearest(value, words) : undefined;
		return `${shown} is not one of ${words.map((word) => JSON.stringify(word)).join(", ")}${didYouMean(meant)}`;
	}
	if (typeof value !== "number" || (type === "integer" && !Number.isInteger(value))) {
		const kind = type === "integer" ? "a whole number" : "a number";
		return `${shown} is not ${kind}${didYouMean(meantNumber(value, option))}`;
	}
	if (choices !== undefined)
		return choices.includes(value)
			? undefined
			: `${shown} is not one of ${choices.map((choice) => optionText(choice, option)).join(", ")}`;
	if (value < (minimum ?? -Infinity) || value > (maximum ?? Infinity))
		return `${shown} is not between ${minimum} and ${maximum}${option.unit === undefined ? "" : ` ${option.unit}`}`;
	return undefined;
}

/** `68 (0x44)`, or `68`. */
export function optionText(value: number, { notation }: OptionDeclaration): string {
	return notation === "hex" ? `${value} (0x${value.toString(16)})` : String(value);
}

/** The number of a text: `"0x44"` is 68, `"GPIO21"` is 21. */
function meantNumber(value: unknown, { type }: OptionDeclaration): number | undefined {
	if (typeof value !== "string") return undefined;
	const match = /^\s*(?:GPIO|IO|D)?\s*(0x[0-9a-f]+|-?\d+(?:\.\d+)?)\s*$/i.exec(value);
	if (match === null) return undefined;
	const number = Number(match[1]);
	return type === "integer" && !Number.isInteger(number) ? undefined : number;
}
