/** A unit as a multiple of its quantity's base, after an offset. */
interface UnitScale {
	readonly quantity: string;
	/** base = (value + offset) × factor */
	readonly factor: number;
	readonly offset: number;
}

const scale = (quantity: string, factor: number, offset = 0): UnitScale => ({ quantity, factor, offset });

const SCALES: Readonly<Record<string, UnitScale>> = {
	"°C": scale("temperature", 1),
	"°F": scale("temperature", 5 / 9, -32),
	K: scale("temperature", 1, -273.15),
	Pa: scale("pressure", 1),
	hPa: scale("pressure", 100),
	mbar: scale("pressure", 100),
	kPa: scale("pressure", 1000),
	bar: scale("pressure", 100_000),
	inHg: scale("pressure", 3386.389),
	mmHg: scale("pressure", 133.3224),
	psi: scale("pressure", 6894.757),
	V: scale("voltage", 1),
	mV: scale("voltage", 0.001),
	"%": scale("ratio", 1),
	lx: scale("illuminance", 1),
	ppm: scale("concentration", 1),
	W: scale("power", 1),
	kW: scale("power", 1000),
};

/** Other spellings. */
const SPELLINGS: Readonly<Record<string, string>> = {
	C: "°C",
	"℃": "°C",
	degC: "°C",
	Celsius: "°C",
	F: "°F",
	"℉": "°F",
	degF: "°F",
	Fahrenheit: "°F",
	lux: "lx",
	"%RH": "%",
	"% RH": "%",
};

/** The usual spelling of a unit that can be converted; undefined if it is not known. */
export function knownUnit(text: string): string | undefined {
	const unit = SPELLINGS[text] ?? text;
	return Object.hasOwn(SCALES, unit) ? unit : undefined;
}

/** The unit in a name such as `Temperature (°F)` or `t [hPa]`; undefined if there is none. */
export function unitInName(name: string): string | undefined {
	const text = /[([]\s*([^()[\]]+?)\s*[)\]]\s*$/.exec(name)?.[1];
	return text === undefined ? undefined : knownUnit(text);
}

/**
 * Conversion of values from one unit to another; undefined if they do not measure the same.
 * @param from,to as a file or a manifest has them
 */
export function unitConversion(from: string, to: string): ((value: number) => number) | undefined {
	const source = knownUnit(from);
	const target = knownUnit(to);
	if (from === to || (source !== undefined && source === target)) return (value) => value;
	if (source === undefined || target === undefined) return undefined;
	const given = SCALES[source]!;
	const wanted = SCALES[target]!;
	if (given.quantity !== wanted.quantity) return undefined;
	// Rounds off binary fractions: 21.4, not 21.400000000000002.
	return (value) =>
		Number((((value + given.offset) * given.factor) / wanted.factor - wanted.offset).toPrecision(12));
}
