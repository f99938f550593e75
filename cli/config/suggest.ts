import { distance } from "fastest-levenshtein";
import { parseDuration } from "../../src/config/duration";
import { urlProblem } from "../../src/config/validators";

/** The word that `text` was probably meant to be; undefined when none is near. */
export function nearest(text: string, words: readonly string[]): string | undefined {
	const wanted = text.toLowerCase();
	let best: string | undefined;
	let bestDistance = Math.max(1, Math.floor(text.length / 3)) + 1;
	for (const word of words) {
		const known = word.toLowerCase();
		const steps = areSwapped(wanted, known) ? 1 : distance(wanted, known);
		if (steps < bestDistance) {
			best = word;
			bestDistance = steps;
		}
	}
	return best;
}

/** Whether two texts differ by two neighbouring characters only, which are the other way round. */
function areSwapped(text: string, other: string): boolean {
	let at = 0;
	while (at < text.length && text[at] === other[at]) at++;
	return (
		text.length === other.length &&
		at < text.length - 1 &&
		text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2) === other
	);
}

/** `; did you mean "every"?`, or nothing. */
export function didYouMean(suggestion: unknown): string {
	return suggestion === undefined ? "" : `; did you mean ${JSON.stringify(suggestion)}?`;
}

/** Schemes that other software has for what `mqtt` and `mqtts` are here. */
const schemes: readonly (readonly [RegExp, string])[] = [
	[/^(mqtt|tcp):\/\//i, "mqtt://"],
	[/^(mqtts|ssl|tls):\/\//i, "mqtts://"],
];

/** The URL of a broker that a text was probably meant to be: `10.0.0.1:1883` is `mqtt://10.0.0.1:1883`. */
export function suggestURL(text: string): string | undefined {
	const known = schemes.find(([spelling]) => spelling.test(text));
	const rest = known === undefined ? text : text.replace(known[0], "");
	if (known === undefined && text.includes("//")) return undefined;
	const suggestion = `${known?.[1] ?? "mqtt://"}${rest}`;
	return suggestion === text || urlProblem(suggestion) !== undefined ? undefined : suggestion;
}

/** Spellings of units that people use, by their first letters. */
const units: readonly (readonly [RegExp, string])[] = [
	[/^(ms|msecs?|millis|milliseconds?)$/, "ms"],
	[/^(s|secs?|seconds?)$/, "s"],
	[/^(m|mins?|minutes?)$/, "m"],
	[/^(h|hrs?|hours?)$/, "h"],
	[/^(d|days?)$/, "d"],
];

/** The duration that a text or number was probably meant to be: `60 seconds` is `60s`, and so is 60. */
export function suggestDuration(value: unknown): string | undefined {
	const match = /^\s*(\d+)?([.,]\d+)?\s*([a-z]*)\.?\s*$/i.exec(String(value));
	if (match === null || (match[1] === undefined && match[2] === undefined)) return undefined;
	const number = `${match[1] ?? "0"}${(match[2] ?? "").replace(",", ".")}`;
	const unit = match[3] === "" ? "s" : units.find(([spelling]) => spelling.test(match[3].toLowerCase()))?.[1];
	if (unit === undefined) return undefined;
	const suggestion = `${number}${unit}`;
	return parseDuration(suggestion) === undefined || suggestion === value ? undefined : suggestion;
}
