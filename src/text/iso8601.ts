import { COLON, MINUS, POINT, ZERO } from "./ascii";

const DAY_MS = 86_400_000;
/** Bytes of `2015-02-02T14:19:00.000Z`. */
export const ISO8601_LENGTH = 24;
/** 10000-01-01T00:00:00Z: from this time on, ISO 8601 requires more digits. */
const YEAR_10000_MS = 253_402_300_800_000;

/** Whether {@link writeIso8601} can write a time: the years 1970 … 9999. */
export function isIso8601Time(timeMs: number): boolean {
	return timeMs >= 0 && timeMs < YEAR_10000_MS;
}

/**
 * Writes wall time, in ms since 1970-01-01T00:00Z, as ISO 8601 in UTC and returns the index after it: the
 * same text as `new Date(time).toISOString()`, without allocation. Days are counted in eras of 400 years.
 */
export function writeIso8601(bytes: Uint8Array, at: number, timeMs: number): number {
	const days = Math.floor(timeMs / DAY_MS);
	let restMs = Math.floor(timeMs - days * DAY_MS);
	// Years that begin in March put the leap day last; 719,468 days lie between 0000-03-01 and 1970-01-01.
	const shifted = days + 719_468;
	const era = (shifted / 146_097) | 0;
	const dayOfEra = shifted - era * 146_097;
	const yearOfEra =
		((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
	const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
	const shiftedMonth = ((5 * dayOfYear + 2) / 153) | 0;
	const day = dayOfYear - (((153 * shiftedMonth + 2) / 5) | 0) + 1;
	const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
	const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
	const century = (year / 100) | 0;
	writePair(bytes, at, century);
	writePair(bytes, at + 2, year - century * 100);
	bytes[at + 4] = bytes[at + 7] = MINUS;
	writePair(bytes, at + 5, month);
	writePair(bytes, at + 8, day);
	bytes[at + 10] = 0x54;
	const hours = (restMs / 3_600_000) | 0;
	restMs -= hours * 3_600_000;
	const minutes = (restMs / 60_000) | 0;
	restMs -= minutes * 60_000;
	const seconds = (restMs / 1000) | 0;
	restMs -= seconds * 1000;
	writePair(bytes, at + 11, hours);
	bytes[at + 13] = bytes[at + 16] = COLON;
	writePair(bytes, at + 14, minutes);
	writePair(bytes, at + 17, seconds);
	bytes[at + 19] = POINT;
	const tenths = (restMs / 10) | 0;
	writePair(bytes, at + 20, tenths);
	bytes[at + 22] = ZERO + restMs - tenths * 10;
	bytes[at + 23] = 0x5a;
	return at + ISO8601_LENGTH;
}

function writePair(bytes: Uint8Array, at: number, value: number): void {
	const tens = (value / 10) | 0;
	bytes[at] = ZERO + tens;
	bytes[at + 1] = ZERO + value - tens * 10;
}
