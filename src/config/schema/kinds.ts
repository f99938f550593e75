import Type, { type TUnsafe } from "typebox";
import { formatDuration } from "../duration";
import { durationProblem, type Problem, secondsProblem } from "../problems";
import type { Range } from "../ranges";

/** Objects know all their keys: an unknown one is an error. */
export const strict = { additionalProperties: false } as const;

const durationPattern = "^\\d+(\\.\\d+)?(ms|s|m|h|d)$";
const secondsPattern = "^\\d+(\\.\\d+)?(s|m|h|d)$";

/** A string that the firmware's own `problem` judges. Keywords in `hints` are for editors, which cannot run it. */
export function Text(
	description: string,
	problem: Problem,
	hints: { readonly default?: string; readonly pattern?: string; readonly examples?: string[] } = {},
) {
	return Type.Refine(
		Type.String({ description, minLength: 1, ...hints }),
		(value: string) => problem(value) === undefined,
		(value: string) => problem(value) ?? "",
	);
}

/** A duration; `fallback` and `range` in ms. */
export function Duration(description: string, range: Range, fallback?: number) {
	const limits = `From ${formatDuration(range.minimum)} to ${formatDuration(range.maximum)}.`;
	return Text(`${description} ${limits}`, (text) => durationProblem(text, range), {
		pattern: durationPattern,
		...(fallback === undefined ? {} : { default: formatDuration(fallback) }),
	});
}

/** A duration that MQTT counts in seconds; `fallback` and `range` in seconds. */
export function Seconds(description: string, range: Range, fallback: number) {
	const limits = `Whole seconds, from ${formatDuration(range.minimum * 1000)} to ${formatDuration(range.maximum * 1000)}.`;
	return Text(`${description} ${limits}`, (text) => secondsProblem(text, range), {
		pattern: secondsPattern,
		default: formatDuration(fallback * 1000),
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
