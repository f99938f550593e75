/** One fault of a run. */
export interface Fault {
	/** As in {@link FAULT_KINDS}. */
	readonly name: string;
	/** How much, in the unit of its kind; absent: the kind's default. */
	readonly amount?: number;
	/** ms; absent for a fault that is over at once. */
	readonly duration?: number;
	/** Start, ms after that of the run. */
	readonly at: number;
	/** Name of the board that it concerns; absent: as its kind says. */
	readonly board?: string;
}
