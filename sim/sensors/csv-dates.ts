/** Order of day and month in dates such as 02/03/2024, which the whole file tells. */
export type DayOrder = "day first" | "month first" | undefined;

const YEAR_FIRST = /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d.])/;
const DOTS = /^(\d{1,2})\.(\d{1,2})\.(\d{4}|\d\d)(?!\d)/;
const SLASHES = /^(\d{1,2})([-/])(\d{1,2})\2(\d{4})(?!\d)/;
const CLOCK = /^(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:\s?([ap])\.?m\.?)?/i;
const ZONE = /^\s?(Z|UTC|GMT|([+-])(\d\d):?(\d\d)?)$/i;
/** After a time of day: the sign of an offset is no separator of a date. */
const ZONE_AT_END = /(Z|UTC|GMT|:\d\d(?:[.,]\d+)?\s?[+-]\d\d:?(?:\d\d)?)$/i;
const EPOCH = /^\d+(\.\d+)?$/;
/** Numbers below are s, ms, µs, else ns since 1970: 1e11 s is the year 5138, 1e11 ms is 1973. */
const SECONDS_LIMIT = 1e11;
/** The digits of a number below a limit that are less than a millisecond. */
const EPOCH_LIMITS = [
	[1e14, 0],
	[1e17, 3],
] as const;
const NANOSECOND_DIGITS = 6;
const MS_PER_HOUR = 3_600_000;
const MS_PER_MINUTE = 60_000;

/** Whether a text is a time of day without a date. */
export function isClockTime(text: string): boolean {
	const match = CLOCK.exec(text);
	return match !== null && (match[0].length === text.length || ZONE.test(text.slice(match[0].length)));
}

/** Whether a text is a date, with or without a time of day; a number is none. */
export function isDate(text: string): boolean {
	return parseDate(text, "day first") !== undefined || parseDate(text, "month first") !== undefined;
}

/** Whether a text is a date without a time of day. */
export function isDateOnly(text: string): boolean {
	return isDate(text) && !text.includes(":");
}

/** Whether a date has no time zone; a number of seconds counts from 1970 in UTC. */
export function isLocal(text: string): boolean {
	return !EPOCH.test(text) && !ZONE_AT_END.test(text);
}

/** Order of day and month that all texts admit; undefined if both are possible, or none. */
export function dayOrderOf(texts: readonly string[]): DayOrder {
	const fits = (order: DayOrder): boolean => {
		let before = Number.NEGATIVE_INFINITY;
		for (const text of texts) {
			const time = parseDate(text, order);
			if (time === undefined || time < before) return false;
			before = time;
		}
		return true;
	};
	const dayFirst = fits("day first");
	if (dayFirst === fits("month first")) return undefined;
	return dayFirst ? "day first" : "month first";
}

/** Whether a date needs to know the order of day and month. */
export function needsDayOrder(text: string): boolean {
	return SLASHES.test(text) && parseDate(text, "day first") !== parseDate(text, "month first");
}

/** ms since 1970 of a date or a number of seconds, ms, µs or ns; without a zone it is UTC. */
export function parseTime(text: string, order: DayOrder): number | undefined {
	if (!EPOCH.test(text)) return parseDate(text, order);
	const number = Number(text);
	if (number <= 0) return undefined;
	const digits = EPOCH_LIMITS.find(([limit]) => number < limit)?.[1] ?? NANOSECOND_DIGITS;
	if (digits === 0) return number < SECONDS_LIMIT ? number * 1000 : number;
	// Nanoseconds have more digits than a double.
	const [whole] = text.split(".");
	return Number(whole!.slice(0, -digits));
}

function parseDate(text: string, order: DayOrder): number | undefined {
	const date = readDay(text, order);
	if (date === undefined) return undefined;
	const time = new Date(Date.UTC(date.year, date.month - 1, date.day));
	if (time.getUTCMonth() !== date.month - 1 || time.getUTCDate() !== date.day) return undefined;
	const rest = text.slice(date.length).replace(/^(T|,? +)/i, "");
	if (rest === "") return time.getTime();
	const clock = CLOCK.exec(rest);
	const zoneText = rest.slice(clock?.[0].length ?? 0);
	const offset = zoneText === "" ? 0 : zoneOffset(zoneText);
	const ofDay = clock === null ? 0 : timeOfDay(clock);
	return offset === undefined || ofDay === undefined ? undefined : time.getTime() + ofDay - offset;
}

function readDay(
	text: string,
	order: DayOrder,
): { year: number; month: number; day: number; length: number } | undefined {
	let match = YEAR_FIRST.exec(text);
	if (match !== null) {
		const [{ length }, year, , month, day] = match;
		return { year: Number(year), month: Number(month), day: Number(day), length };
	}
	match = DOTS.exec(text);
	if (match !== null) {
		const [{ length }, day, month, year] = match;
		const century = year!.length === 2 ? 2000 : 0;
		return { year: century + Number(year), month: Number(month), day: Number(day), length };
	}
	match = SLASHES.exec(text);
	if (match === null) return undefined;
	const [{ length }, first, , second, year] = match;
	const dayFirst = order === "day first";
	return {
		year: Number(year),
		month: Number(dayFirst ? second : first),
		day: Number(dayFirst ? first : second),
		length,
	};
}

function timeOfDay(match: RegExpExecArray): number | undefined {
	const [, hourText, minuteText, secondText = "0", fraction = "", half] = match;
	let hour = Number(hourText);
	if (half !== undefined) {
		if (hour < 1 || hour > 12) return undefined;
		hour = (hour % 12) + (half.toLowerCase() === "p" ? 12 : 0);
	}
	const minute = Number(minuteText);
	const second = Number(secondText);
	if (hour > 23 || minute > 59 || second > 59) return undefined;
	const ms = Number(fraction.slice(0, 3).padEnd(3, "0"));
	return hour * MS_PER_HOUR + minute * MS_PER_MINUTE + second * 1000 + ms;
}

function zoneOffset(text: string): number | undefined {
	const match = ZONE.exec(text);
	if (match === null) return undefined;
	const [, , sign, hours = "0", minutes = "0"] = match;
	return (sign === "-" ? -1 : 1) * (Number(hours) * MS_PER_HOUR + Number(minutes) * MS_PER_MINUTE);
}
