import type { SensorSettings } from "../../config/types";

/*
 * The samples that one value stands for, as doubles: how many were taken, how many of them succeeded, then
 * what the aggregate needs.
 */
const TAKEN = 0;
const SUCCEEDED = 1;
/** The sum, the extreme or the last one; for the median all values, in ascending order. */
const VALUES = 2;

type Aggregate = SensorSettings["aggregate"];

/** Doubles of a window; 0: a value stands for one sample. */
export function windowSize(samples: number, aggregate: Aggregate): number {
	if (samples <= 1) return 0;
	return VALUES + (aggregate === "median" ? samples : 1);
}

/** Number of samples taken, failed ones included. */
export function samplesTaken(state: Float64Array, at: number): number {
	return state[at + TAKEN];
}

export function clearWindow(state: Float64Array, at: number): void {
	state[at + TAKEN] = state[at + SUCCEEDED] = 0;
}

/** Counts a sample. Allocates nothing. @param value NaN: it failed */
export function addSample(state: Float64Array, at: number, aggregate: Aggregate, value: number): void {
	state[at + TAKEN]++;
	if (Number.isNaN(value)) return;
	const before = state[at + SUCCEEDED]++;
	const first = at + VALUES;
	if (aggregate === "median") insert(state, first, first + before, value);
	else if (before === 0 || aggregate === "last") state[first] = value;
	else if (aggregate === "mean") state[first] += value;
	else if (aggregate === "min" ? value < state[first] : value > state[first]) state[first] = value;
}

/** What the samples amount to; NaN: none has succeeded, or the result is no finite number. */
export function windowValue(state: Float64Array, at: number, aggregate: Aggregate): number {
	const value = aggregated(state, at, aggregate);
	return value - value === 0 ? value : NaN;
}

function aggregated(state: Float64Array, at: number, aggregate: Aggregate): number {
	const count = state[at + SUCCEEDED];
	const first = at + VALUES;
	if (count === 0) return NaN;
	if (aggregate === "mean") return state[first] / count;
	if (aggregate !== "median") return state[first];
	const middle = first + (count >> 1);
	return (count & 1) === 1 ? state[middle] : (state[middle - 1] + state[middle]) / 2;
}

/** Inserts a value into the ascending ones in [from, to). */
function insert(state: Float64Array, from: number, to: number, value: number): void {
	let at = to;
	for (; at > from && state[at - 1] > value; at--) state[at] = state[at - 1];
	state[at] = value;
}
