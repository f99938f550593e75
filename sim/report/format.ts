/** `2026-01-01 00:00:01.250`, in UTC. */
export function formatTime(time: number): string {
	return new Date(time).toISOString().slice(0, 23).replace("T", " ");
}

/** Formats a span of ms: `0.812 s`, `4.2 min`, `3.1 h`, `26.0 d`. */
export function formatSpan(milliseconds: number): string {
	if (milliseconds < 100_000) return `${formatNumber(milliseconds / 1000, 3)} s`;
	if (milliseconds < 100 * 60_000) return `${formatNumber(milliseconds / 60_000, 1)} min`;
	if (milliseconds < 100 * 3_600_000) return `${formatNumber(milliseconds / 3_600_000, 1)} h`;
	return `${formatNumber(milliseconds / 86_400_000, 1)} d`;
}

/**
 * At most `digits` decimals, thousands separators, no trailing zeros. Not by `Intl`, which takes longer to
 * load than a whole check.
 * @param value smaller than 10^21
 */
export function formatNumber(value: number, digits = 0): string {
	const [whole, fraction = ""] = value.toFixed(digits).split(".");
	const decimals = fraction.replace(/0+$/, "");
	const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
	return decimals === "" ? grouped : `${grouped}.${decimals}`;
}

/** A reading with its unit; `–` if undefined. */
export function formatValue(
	value: number | undefined,
	unit: string | undefined,
	decimals: number | undefined,
): string {
	if (value === undefined || Number.isNaN(value)) return "–";
	const text = decimals === undefined ? String(Number(value.toPrecision(6))) : value.toFixed(decimals);
	return unit === undefined || unit === "" ? text : `${text} ${unit}`;
}

/** `1 report`, `2 reports`. */
export function count(value: number, noun: string): string {
	return `${formatNumber(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Where the texts of a summary's lines begin, behind their titles. */
const TEXT_COLUMN = 13;

/**
 * Breaks a summary's lines between words, so that none is wider than a terminal, and what follows a break is
 * below the text, not below the title. @param columns undefined: as long as they are
 */
export function wrapLines(lines: readonly string[], columns: number | undefined): string[] {
	if (columns === undefined || columns < 2 * TEXT_COLUMN) return [...lines];
	return lines.flatMap((line) => {
		const wrapped: string[] = [];
		let rest = line;
		while (rest.length > columns) {
			const end = rest.lastIndexOf(" ", columns);
			if (end <= TEXT_COLUMN) break;
			wrapped.push(rest.slice(0, end));
			rest = " ".repeat(TEXT_COLUMN) + rest.slice(end + 1);
		}
		return [...wrapped, rest];
	});
}

/** Cuts a text that is longer than `width` characters. */
export function clip(text: string, width: number): string {
	return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
