/*
 * What the BME280's readings mean, by the trimming values of each chip: the formulas for floating point of
 * the datasheet (BST-BME280-DS002, revision 1.6, §8.1), whose constants are powers of two. Trimming values
 * are in the order of the registers 0x88 … 0xa1 and 0xe1 … 0xe7 (table 16), little-endian.
 */

const H1 = 25;
const H2 = 26;
const H3 = 28;
const H4 = 29;
const H5 = 30;
const H6 = 32;

/**
 * Temperature in 1/5120 °C, which the other two quantities depend on.
 * @param raw 20 bits
 */
export function fineTemperature(trim: DataView, raw: number): number {
	const t1 = trim.getUint16(0, true);
	const t2 = trim.getInt16(2, true);
	const t3 = trim.getInt16(4, true);
	const difference = raw / 131_072 - t1 / 8192;
	return (raw / 16_384 - t1 / 1024) * t2 + difference * difference * t3;
}

/**
 * Pressure in Pa.
 * @param raw 20 bits
 * @param fine of `fineTemperature`
 * @throws if the trimming values are none
 */
export function compensatedPressure(trim: DataView, raw: number, fine: number): number {
	// Difference from 25 °C.
	const t = fine / 2 - 64_000;
	const offset =
		((t * t * pressureTrim(trim, 6)) / 32_768 + t * pressureTrim(trim, 5) * 2) / 4 +
		pressureTrim(trim, 4) * 65_536;
	const slope = ((pressureTrim(trim, 3) * t * t) / 524_288 + pressureTrim(trim, 2) * t) / 524_288;
	const sensitivity = (1 + slope / 32_768) * trim.getUint16(6, true);
	if (!(sensitivity > 0)) throw new Error("BME280: has no trimming values");
	const pressure = ((1_048_576 - raw - offset / 4096) * 6250) / sensitivity;
	const square = (pressureTrim(trim, 9) * pressure * pressure) / 2_147_483_648;
	const linear = (pressure * pressureTrim(trim, 8)) / 32_768;
	return pressure + (square + linear + pressureTrim(trim, 7)) / 16;
}

/** The signed trimming value dig_P2 … dig_P9. */
function pressureTrim(trim: DataView, number: number): number {
	return trim.getInt16(4 + 2 * number, true);
}

/**
 * Relative humidity in percent, 0 … 100.
 * @param raw 16 bits
 * @param fine of `fineTemperature`
 */
export function compensatedHumidity(trim: DataView, raw: number, fine: number): number {
	const t = fine - 76_800;
	// Two values of twelve bits share a byte, and are signed.
	const shared = trim.getUint8(H5);
	const h4 = trim.getInt8(H4) * 16 + (shared & 0x0f);
	const h5 = trim.getInt8(H5 + 1) * 16 + (shared >> 4);
	const h3 = trim.getUint8(H3) / 67_108_864;
	const curve = 1 + (trim.getInt8(H6) / 67_108_864) * t * (1 + h3 * t);
	const linear = (raw - (h4 * 64 + (h5 / 16_384) * t)) * (trim.getInt16(H2, true) / 65_536) * curve;
	const humidity = linear * (1 - (trim.getUint8(H1) * linear) / 524_288);
	return humidity < 0 ? 0 : humidity > 100 ? 100 : humidity;
}
