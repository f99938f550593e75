import type { SensorSettings } from "../../config/types";
import { SENSOR_DUE, SENSOR_REALS } from "../retained/layout";
import { addSample, clearWindow, samplesTaken, windowValue } from "../retained/sample-window";
import { isDue, nextDue, nextDueOnGrid } from "../time/schedule";

/** The windows of the sensors whose values stand for several samples. Allocates nothing. */
export class SampleWindows {
	private readonly state: Float64Array;
	/** For each sensor, where its window is in the state; 0: it has none. */
	private readonly windows: readonly number[];
	private readonly sensors: readonly SensorSettings[];

	constructor(state: Float64Array, windows: readonly number[], sensors: readonly SensorSettings[]) {
		this.state = state;
		this.windows = windows;
		this.sensors = sensors;
	}

	/** Whether a value of a sensor has begun. */
	isOpen(index: number): boolean {
		const at = this.windows[index];
		return at > 0 && samplesTaken(this.state, at) > 0;
	}

	/** Node time of the earliest sample of a value that has begun. @param sensors their retained state */
	continuesAt(sensors: Float64Array): number {
		let earliest = Infinity;
		for (let i = 0; i < this.windows.length; i++) {
			const due = sensors[i * SENSOR_REALS + SENSOR_DUE];
			if (due < earliest && this.isOpen(i)) earliest = due;
		}
		return earliest;
	}

	/**
	 * Whether a sample that is due at `due` is to be taken now. What has been gathered of a value is dropped if
	 * its next sample is late by more than a period.
	 */
	isDue(index: number, due: number, now: number): boolean {
		const { every, grid, spacing = every } = this.sensors[index];
		if (now - due > every) clearWindow(this.state, this.windows[index]);
		return this.isOpen(index) ? isDue(due, now, spacing, false) : isDue(due, now, every, grid);
	}

	/** Drops what has been gathered of a sensor's value. */
	clear(index: number): void {
		const at = this.windows[index];
		if (at > 0) clearWindow(this.state, at);
	}

	/** Adds a sample to a sensor's value. @returns whether that completes it */
	add(index: number, value: number): boolean {
		const at = this.windows[index];
		const { samples, aggregate } = this.sensors[index];
		addSample(this.state, at, aggregate, value);
		return samplesTaken(this.state, at) >= samples;
	}

	/** The value, once it is complete; the next one begins. NaN: all of its samples have failed. */
	take(index: number): number {
		const at = this.windows[index];
		const value = windowValue(this.state, at, this.sensors[index].aggregate);
		clearWindow(this.state, at);
		return value;
	}

	/**
	 * Node time of the next sample.
	 * @param due of the present one
	 * @param wallOffset NaN: wall time is unknown, and there is no grid to align to
	 */
	nextDue(index: number, due: number, now: number, wallOffset: number): number {
		const { samples, every, grid, spacing = every } = this.sensors[index];
		if (samplesTaken(this.state, this.windows[index]) + 1 < samples) return nextDue(due, now, spacing);
		// Counted from the first sample of the value.
		const span = (samples - 1) * spacing;
		return grid && wallOffset - wallOffset === 0
			? nextDueOnGrid(now - span, now - span + wallOffset, every)
			: nextDue(due - span, now, every);
	}
}
