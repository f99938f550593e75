/** Stores the broker's state so that it survives a restart. */
export interface Persistence {
	/** Whether there are changes to store. */
	readonly changed: boolean;
	/**
	 * Whether save() must be called even without changes, as the duration of the last power loss is not known
	 * yet.
	 */
	readonly awaitingWallClock: boolean;
	/** Whether the last attempt to store failed. */
	readonly failing: boolean;
	/**
	 * Stores all changes. On failure the stored state stays as it was, the failure is counted, and the next
	 * call tries again. Never throws.
	 */
	save(): void;
}
