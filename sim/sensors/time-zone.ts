const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;
const offsets = new Map<string, number>();
const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether a text is the IANA name of a time zone, such as `Europe/Berlin`. */
export function isTimeZone(zone: string): boolean {
	try {
		formatOf(zone);
		return true;
	} catch {
		return false;
	}
}

/**
 * The time at which clocks of a zone show a time of day. When clocks are set back they show an hour twice: it
 * is the first one that is after `before`. What they skip in spring counts from the hour before.
 * @param shown ms since 1970, as if it were UTC
 * @param zone IANA name
 */
export function timeInZone(shown: number, zone: string, before = -Infinity): number {
	const early = shown - offsetAt(shown - DAY_MS, zone);
	const late = shown - offsetAt(shown + DAY_MS, zone);
	const fitting = [Math.min(early, late), Math.max(early, late)].filter(
		(time) => time + offsetAt(time, zone) === shown,
	);
	return fitting.find((time) => time > before) ?? fitting.at(-1) ?? early;
}

/** Difference of a zone's clocks to UTC at a time, ms. They change at full quarters of an hour only. */
function offsetAt(time: number, zone: string): number {
	const key = `${zone} ${Math.floor(time / QUARTER_MS)}`;
	let offset = offsets.get(key);
	if (offset === undefined) {
		offset = computedOffset(Math.floor(time / QUARTER_MS) * QUARTER_MS, zone);
		offsets.set(key, offset);
	}
	return offset;
}

function computedOffset(time: number, zone: string): number {
	const parts = Object.fromEntries(
		formatOf(zone)
			.formatToParts(time)
			.map(({ type, value }) => [type, Number(value)]),
	) as Readonly<Record<"year" | "month" | "day" | "hour" | "minute" | "second", number>>;
	const { year, month, day, hour, minute, second } = parts;
	return Date.UTC(year, month - 1, day, hour, minute, second) - time;
}

function formatOf(zone: string): Intl.DateTimeFormat {
	let format = formats.get(zone);
	if (format === undefined) {
		format = new Intl.DateTimeFormat("en-US", {
			timeZone: zone,
			hourCycle: "h23",
			year: "numeric",
			month: "numeric",
			day: "numeric",
			hour: "numeric",
			minute: "numeric",
			second: "numeric",
		});
		formats.set(zone, format);
	}
	return format;
}
