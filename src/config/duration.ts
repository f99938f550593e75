/** Milliseconds of a unit; NaN if it is unknown. */
function unitMs(text: string): number {
	switch (text) {
		case "ms":
			return 1;
		case "s":
			return 1000;
		case "m":
			return 60_000;
		case "h":
			return 3_600_000;
		case "d":
			return 86_400_000;
		default:
			return Number.NaN;
	}
}

/**
 * Parses a decimal number and a unit (`250ms`, `60s`, `1.5m`, `1h`, `30d`) into milliseconds, rounded.
 * Undefined for any other text, including signs, blanks, exponents and numbers without unit.
 */
export function parseDuration(text: string): number | undefined {
	let digits = 0;
	let point = false;
	let end = 0;
	for (const character of text) {
		if (character >= "0" && character <= "9") digits++;
		else if (character === "." && digits > 0 && !point) {
			point = true;
			digits = 0;
		} else break;
		end++;
	}
	// The number must end with a digit.
	if (digits === 0) return undefined;
	const milliseconds = Math.round(Number(text.slice(0, end)) * unitMs(text.slice(end)));
	return milliseconds >= 0 ? milliseconds : undefined;
}

/** The shortest spelling of a duration in whole milliseconds: `90000` is `90s`, `3600000` is `1h`. */
export function formatDuration(milliseconds: number): string {
	if (milliseconds === 0) return "0s";
	if (milliseconds % 86_400_000 === 0) return `${milliseconds / 86_400_000}d`;
	if (milliseconds % 3_600_000 === 0) return `${milliseconds / 3_600_000}h`;
	if (milliseconds % 60_000 === 0) return `${milliseconds / 60_000}m`;
	if (milliseconds % 1000 === 0) return `${milliseconds / 1000}s`;
	return `${milliseconds}ms`;
}

/** For people: rounded up to seconds, beyond ten minutes to minutes, beyond ten hours to hours. */
export function formatPause(milliseconds: number): string {
	const step = milliseconds > 36_000_000 ? 3_600_000 : milliseconds > 600_000 ? 60_000 : 1000;
	return formatDuration(Math.ceil(milliseconds / step) * step);
}
