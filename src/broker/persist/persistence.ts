/** Keeps the broker's state over a restart. */
export interface Persistence {
	/** Whether there is something to store. */
	readonly changed: boolean;
	/**
	 * Whether it is to be called again though nothing changes: it is not known yet for how long there was no
	 * power.
	 */
	readonly awaitingWallClock: boolean;
	/** Whether the last attempt to store failed. */
	readonly failing: boolean;
	/**
	 * Stores what has changed. When that fails nothing is changed there, it is counted, and the next call tries
	 * again. Throws nothing.
	 */
	save(): void;
}
