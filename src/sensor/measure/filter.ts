/**
 * Whether a value must be reported: without `delta` always; otherwise if it differs by at least `delta` from
 * the value reported last, or `heartbeat` has passed since.
 * @param last value reported last; NaN: none
 * @param elapsed ms since `last` was sampled
 */
export function passesDeadband(
	value: number,
	last: number,
	elapsed: number,
	delta: number | undefined,
	heartbeat: number | undefined,
): boolean {
	if (delta === undefined || Number.isNaN(last)) return true;
	if (heartbeat !== undefined && elapsed >= heartbeat) return true;
	const change = Math.abs(value - last);
	// 23.9 and 23.7 differ by 0.2 as decimals, but by slightly less as doubles.
	const error = (Math.abs(value) + Math.abs(last)) * 2.3e-16;
	return change > 0 && change + error >= delta;
}

/** Rounds `value` to `decimals` digits after the decimal point, halves up. */
export function roundTo(value: number, decimals: number): number {
	let power = 1;
	for (let i = 0; i < decimals; i++) power *= 10;
	const scaled = value * power;
	// From 2^52 on a double has no fraction left to round.
	return Math.abs(scaled) < 0x10000000000000 ? Math.round(scaled) / power : value;
}
