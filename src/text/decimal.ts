import { MINUS, NINE, POINT, ZERO } from "./ascii";

/**
 * Decimals of at most 15 significant digits map one to one to doubles: no two of them denote the same double.
 */
const MANTISSA_LIMIT = 1e15;
/**
 * 10^22 is the largest power of ten that a double represents exactly; dividing by an exact power rounds once,
 * as parsing the text does.
 */
const SCALE_LIMIT = 22;

/**
 * Longest text of a number, in bytes: 21 digits before the point and the most `decimals` behind it,
 * `-100000000000000000000.000000`. The longest of a number that is not padded is
 * `-0.0000010702056624301601`.
 */
export const NUMBER_LENGTH = 29;

/** A number as mantissa · 10^−scale. Reusable, so that converting a number allocates nothing. */
export class Decimal {
	/** An integer, |mantissa| < 10^15. */
	mantissa = 0;
	/** −22 … 22; negative from 10^15 on. */
	scale = 0;

	/**
	 * Finds the shortest decimal that parses to `value`. False if it has more than 15 significant digits, lies
	 * outside 10^−22 … 10^37, or is not finite.
	 */
	set(value: number): boolean {
		const magnitude = value < 0 ? -value : value;
		let power = 1;
		if (magnitude < MANTISSA_LIMIT) {
			for (let scale = 0; scale <= SCALE_LIMIT; scale++) {
				const mantissa = Math.round(magnitude * power);
				if (mantissa >= MANTISSA_LIMIT) return false;
				if (mantissa / power === magnitude) {
					this.mantissa = value < 0 ? -mantissa : mantissa;
					this.scale = scale;
					return true;
				}
				power *= 10;
			}
			return false;
		}
		for (let scale = 1; scale <= SCALE_LIMIT; scale++) {
			power *= 10;
			const mantissa = Math.round(magnitude / power);
			if (mantissa < MANTISSA_LIMIT && mantissa * power === magnitude) {
				this.mantissa = value < 0 ? -mantissa : mantissa;
				this.scale = -scale;
				return true;
			}
		}
		return false;
	}
}

/**
 * Writes `value` as JSON text, the same as `String(value)`, and returns the index after it; `null` if it is
 * not finite. Allocates only for a number of more than 15 significant digits or outside 10^−22 … 10^37, which
 * needs `String(value)`.
 * @param bytes with room for {@link NUMBER_LENGTH} bytes at `at`
 */
export function writeNumber(bytes: Uint8Array, at: number, value: number, decimal: Decimal): number {
	if (decimal.set(value)) return writeDecimal(bytes, at, decimal.mantissa, decimal.scale);
	if (value - value !== 0) return writeNull(bytes, at);
	const text = String(value);
	const { length } = text;
	for (let i = 0; i < length; i++) bytes[at++] = text.charCodeAt(i);
	return at;
}

export function writeNull(bytes: Uint8Array, at: number): number {
	bytes[at] = 0x6e;
	bytes[at + 1] = 0x75;
	bytes[at + 2] = bytes[at + 3] = 0x6c;
	return at + 4;
}

/**
 * Writes mantissa · 10^−scale in the form of ECMA-262 Number::toString and returns the index after it.
 * Allocates nothing.
 */
export function writeDecimal(bytes: Uint8Array, at: number, mantissa: number, scale: number): number {
	if (mantissa < 0) {
		bytes[at++] = MINUS;
		mantissa = -mantissa;
	}
	if (mantissa === 0) {
		bytes[at] = ZERO;
		return at + 1;
	}
	let digits = countDigits(mantissa);
	/** Digits before the decimal point; 0 or negative: number of zeros after it, negated. */
	const whole = digits - scale;
	if (whole > 21 || whole < -5) {
		while (mantissa % 10 === 0) {
			mantissa /= 10;
			digits--;
		}
		at = writeDigits(bytes, at, mantissa, digits, digits - 1);
		bytes[at++] = 0x65;
		const exponent = whole - 1;
		bytes[at++] = exponent < 0 ? MINUS : 0x2b;
		const size = exponent < 0 ? -exponent : exponent;
		return writeDigits(bytes, at, size, countDigits(size), 0);
	}
	if (scale <= 0) {
		at = writeDigits(bytes, at, mantissa, digits, 0);
		for (; scale < 0; scale++) bytes[at++] = ZERO;
		return at;
	}
	if (whole > 0) return writeDigits(bytes, at, mantissa, digits, scale);
	bytes[at++] = ZERO;
	bytes[at++] = POINT;
	for (let zeros = whole; zeros < 0; zeros++) bytes[at++] = ZERO;
	return writeDigits(bytes, at, mantissa, digits, 0);
}

/**
 * Appends zeros to a number in [from, to) until it has `decimals` digits after the point, and returns the new
 * end; a number with an exponent, and `null`, stay as they are. Allocates nothing.
 * @param decimals at least 1
 */
export function padDecimals(bytes: Uint8Array, from: number, to: number, decimals: number): number {
	let point = to;
	for (let i = from; i < to; i++) {
		const byte = bytes[i];
		if (byte === POINT) point = i;
		else if (byte > NINE) return to;
	}
	if (point === to) bytes[to++] = POINT;
	while (to - point <= decimals) bytes[to++] = ZERO;
	return to;
}

/** Writes an integer 0 … 10^15. */
export function writeInteger(bytes: Uint8Array, at: number, value: number): number {
	return writeDigits(bytes, at, value, countDigits(value), 0);
}

function countDigits(value: number): number {
	// As readings have
	if (value < 100) return value < 10 ? 1 : 2;
	if (value < 10_000) return value < 1000 ? 3 : 4;
	let digits = 5;
	let limit = 100_000;
	while (value >= limit) {
		limit *= 10;
		digits++;
	}
	return digits;
}

/**
 * Writes `digits` digits of `value`, from the last to the first, with a point before the last `fraction`
 * digits.
 */
function writeDigits(bytes: Uint8Array, at: number, value: number, digits: number, fraction: number): number {
	let end = at + digits;
	let point = -1;
	if (fraction > 0) {
		point = end - fraction;
		end++;
	}
	let index = end;
	// Above 2^31 the quotient must come from floating point.
	while (value > 0x7fffffff) {
		const quotient = Math.floor(value / 10);
		if (--index === point) bytes[index--] = POINT;
		bytes[index] = ZERO + (value - quotient * 10);
		value = quotient;
	}
	let rest = value | 0;
	if (index > point && point > 0) {
		for (; index > point + 1; rest = (rest / 10) | 0) bytes[--index] = ZERO + (rest % 10);
		bytes[--index] = POINT;
	}
	for (; index > at; rest = (rest / 10) | 0) bytes[--index] = ZERO + (rest % 10);
	return end;
}
