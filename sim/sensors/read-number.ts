import { type Comma, isNoValue, isNumber, parseNumber } from "./csv-numbers";
import { ReplayError } from "./replay-error";

/** The number in a field; undefined if it stands for "no value". @throws {ReplayError} */
export function readNumber(field: string, comma: Comma, where: string): number | undefined {
	if (isNoValue(field)) return undefined;
	const value = parseNumber(field, comma);
	if (value !== undefined) return value;
	throw new ReplayError(
		isNumber(field)
			? `${where} is ${JSON.stringify(field)}, and nothing in the file tells whether that separates decimals or thousands`
			: `${where} is ${JSON.stringify(field)}, not a number`,
	);
}
