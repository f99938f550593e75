import type { BatterySettings } from "../../config/types";

// State of the battery, a double of the retained extension
const NORMAL = 0;
/** Values are more rarely sampled. */
const LOW = 1;
/** The last report is to be sent. */
const EMPTY = 2;
/** It was sent, or has failed: the node sleeps without network. */
const SILENT = 3;

/** What a node does as its battery runs down: longer periods, a last report, then sleep without network. */
export class BatteryGuard {
	/** Index of the sensor that measures the battery. */
	readonly sensor: number;
	private readonly settings: BatterySettings;
	private readonly extension: Float64Array;
	/** Index of the state. */
	private readonly at: number;

	constructor(settings: BatterySettings, sensor: number, extension: Float64Array, at: number) {
		this.settings = settings;
		this.sensor = sensor;
		this.extension = extension;
		this.at = at;
	}

	/** Whether nothing is reported, and only the battery is measured. */
	get isSilent(): boolean {
		return this.extension[this.at] === SILENT;
	}

	/** Whether the battery is to be spared. */
	get isLow(): boolean {
		return this.extension[this.at] !== NORMAL;
	}

	/** Time from one value of a sensor to the next, in ms. @param every with a good battery */
	period(every: number): number {
		if (this.isSilent) return this.settings.checkEvery;
		return this.extension[this.at] === NORMAL ? every : every * this.settings.slowdown;
	}

	/** The battery was measured. @returns whether its state has changed, which is worth a report */
	update(value: number): boolean {
		const { extension, at } = this;
		const before = extension[at];
		extension[at] = this.stateAfter(before, value);
		return extension[at] !== before;
	}

	/** A try to report has ended: an empty battery has none left. */
	endTry(): void {
		if (this.extension[this.at] === EMPTY) this.extension[this.at] = SILENT;
	}

	private stateAfter(before: number, value: number): number {
		const { low, empty, recovery } = this.settings;
		if (value < empty) return before >= EMPTY ? before : EMPTY;
		if (before >= EMPTY && value < empty + recovery) return before;
		if (value < low || (before !== NORMAL && value < low + recovery)) return LOW;
		return NORMAL;
	}
}
