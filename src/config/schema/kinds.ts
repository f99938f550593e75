import Type, { type TUnsafe } from "typebox";
import { formatDuration } from "../duration";
import type { Range } from "../ranges";
import { durationProblem, secondsProblem, type Validator } from "../validators";

/** Unknown keys of an object are errors. */
export const strict = { additionalProperties: false } as const;

const durationPattern = "^\\d+(\\.\\d+)?(ms|s|m|h|d)$";
const secondsPattern = "^\\d+(\\.\\d+)?(s|m|h|d)$";

/**
 * A string that the firmware's own validator checks. Keywords in `hints` are for editors, which cannot run
 * it.
 */
export function Text(
	description: string,
	validate: Validator,
	hints: { readonly default?: string; readonly pattern?: string; readonly examples?: string[] } = {},
) {
	return Type.Refine(
		Type.String({ description, minLength: 1, ...hints }),
		(value: string) => validate(value) === undefined,
		(value: string) => validate(value) ?? "",
	);
}

/** A duration in the manifest's notation; numbers here are in ms. */
export function Duration(description: string, rangeMs: Range, fallbackMs?: number) {
	const limits = `From ${formatDuration(rangeMs.minimum)} to ${formatDuration(rangeMs.maximum)}.`;
	return Text(`${description} ${limits}`, (text) => durationProblem(text, rangeMs), {
		pattern: durationPattern,
		...(fallbackMs === undefined ? {} : { default: formatDuration(fallbackMs) }),
	});
}

/** A duration that MQTT counts in seconds, as do the numbers here. */
export function Seconds(description: string, rangeSeconds: Range, fallbackSeconds: number) {
	const limits = `Whole seconds, from ${formatDuration(rangeSeconds.minimum * 1000)} to ${formatDuration(rangeSeconds.maximum * 1000)}.`;
	return Text(`${description} ${limits}`, (text) => secondsProblem(text, rangeSeconds), {
		pattern: secondsPattern,
		default: formatDuration(fallbackSeconds * 1000),
	});
}

export function Count(description: string, range: Range, fallback?: number) {
	return Type.Integer({
		description: `${description} From ${range.minimum} to ${range.maximum}.`,
		...range,
		...(fallback === undefined ? {} : { default: fallback }),
	});
}

export function Choice<const Value extends string | number | boolean>(
	description: string,
	values: readonly Value[],
	fallback: NoInfer<Value>,
): TUnsafe<Value> {
	return Type.Unsafe<Value>({ description, enum: [...values], default: fallback });
}
