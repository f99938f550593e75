/** Texts that stand for "no value". */
const NO_VALUE =
	/^(|[-–—]+|\?|\.|[+-]?nan(\(ind\))?|#?n\/?a!?|null|none|nil|undefined|unavailable|unknown|missing|#value!|#div\/0!)$/i;
/** First group of digits before others of three. */
const GROUP = "[1-9]\\d{0,2}";
const POINT = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const COMMA = /^[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?$/i;
const GROUPED_BY_COMMA = new RegExp(`^[+-]?${GROUP}(,\\d{3})+(\\.\\d+)?$`);
const GROUPED_BY_POINT = new RegExp(`^[+-]?${GROUP}([.'\u00a0\u202f ]\\d{3})+(,\\d+)?$`);

/** A number with a unit, which is no name of a device either. */
const WITH_UNIT = /^[+-]?\d+([.,]\d+)?\s?(°|%|\s[a-zµ])/i;

/** What the commas in the numbers of a file mean, and whether points separate thousands then. */
export type Comma = "decimal" | "decimal, grouped by points" | "group" | undefined;

export function isNoValue(text: string): boolean {
	return NO_VALUE.test(text);
}

/** Whether a text is a number in any usual notation. */
export function isNumber(text: string): boolean {
	const plain = normalize(text);
	return [POINT, COMMA, GROUPED_BY_COMMA, GROUPED_BY_POINT].some((form) => form.test(plain));
}

/** Whether a text is a number, or was meant as one. */
export function isNumeric(text: string): boolean {
	return isNumber(text) || WITH_UNIT.test(text);
}

/**
 * What commas mean in numbers; undefined if there are none, or nothing decides it.
 * @param betweenFields whether commas also separate the fields
 */
export function commaOf(texts: Iterable<string>, betweenFields: boolean): Comma {
	let decimal = false;
	let grouped = false;
	let ambiguous = false;
	for (const text of texts) {
		if (!text.includes(",")) continue;
		const plain = normalize(text);
		if (GROUPED_BY_POINT.test(plain)) return "decimal, grouped by points";
		const group = GROUPED_BY_COMMA.test(plain);
		if (COMMA.test(plain)) {
			if (group) ambiguous = true;
			else decimal = true;
		} else if (group) grouped = true;
	}
	if (decimal) return "decimal";
	if (grouped) return "group";
	return ambiguous && !betweenFields ? "decimal" : undefined;
}

/** The value of a number; undefined if it is none, or if it could be two. */
export function parseNumber(text: string, comma: Comma): number | undefined {
	const plain = normalize(text);
	const byPoints = GROUPED_BY_POINT.test(plain);
	if (byPoints && comma === "decimal, grouped by points")
		return finite(plain.replace(/[.'\u00a0\u202f ]/g, "").replace(",", "."));
	if (byPoints && comma === "decimal") return undefined;
	if (POINT.test(plain)) return finite(plain);
	if (comma === "group") return GROUPED_BY_COMMA.test(plain) ? finite(plain.replaceAll(",", "")) : undefined;
	return comma !== undefined && COMMA.test(plain) ? finite(plain.replace(",", ".")) : undefined;
}

/** With an ASCII minus sign. */
function normalize(text: string): string {
	return text.replace(/^\u2212/, "-");
}

function finite(text: string): number | undefined {
	const value = Number(text);
	return Number.isFinite(value) ? value : undefined;
}
