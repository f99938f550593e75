import type { UpdateSettings } from "../../config/types";
import type { Device } from "../../device";
import type { CommandMemory } from "./command-memory";

/** The parts of a device that an update works with. */
export type UpdateDevice = Pick<
	Device,
	"chip" | "imageSlots" | "resolve" | "storage" | "tcp" | "timer" | "trace"
> & { readonly event?: Device["event"] | undefined };

/**
 * The update to another image, as far as commands and the node have to know: src/sensor/update has it, which
 * is in an image with firmware/update/manifest.json only.
 */
export interface ImageUpdate {
	/** An image is to be fetched, once nothing else is to be done. */
	readonly isDue: boolean;
	/** It is being fetched. */
	readonly isFetching: boolean;
	/** An image was activated: the node is to end its run with {@link endRun}. */
	readonly isActivated: boolean;
	/** The image that runs is on trial, and this is its first wake. */
	readonly isFirstTrial: boolean;
	/** A report of an image on trial was acknowledged: {@link confirm} is to be called. */
	readonly isConfirmDue: boolean;
	/** The broker has not acknowledged the answer with the outcome. */
	readonly isOutcomeOwed: boolean;
	/**
	 * Takes the command.
	 * @param url member of the command @param sha256 likewise
	 * @param id as the answers repeat it, in JSON
	 * @param isRetained it may come again after it was executed
	 * @returns why it is refused; undefined: it is stored
	 */
	accept(url: unknown, sha256: unknown, id: string | undefined, isRetained: boolean): string | undefined;
	/** Fetches the image, in callbacks of its own. @param onEnd called once it is there, or is not */
	fetch(onEnd: () => void): void;
	/** A report was acknowledged. @returns whether {@link confirm} is to be called, from an empty stack */
	onDelivered(): boolean;
	/** The image that runs is good. */
	confirm(): void;
	/** An image on trial has had a chance to report, in vain. @returns whether it is to be returned from */
	countFailure(): boolean;
	/** Adds the answer with the outcome, if it is owed and there is room. */
	addOutcome(): void;
	/** Whether an answer with this identity has the outcome that is owed, and not that of an update before. */
	isOutcome(identity: number): boolean;
	/** The broker has that answer, or will never take it. From an empty stack. */
	onOutcomeTold(): void;
	/** Ends the run with another image, if that is to be. @returns whether it does */
	endRun(): boolean;
}

export interface ImageUpdateConstructor {
	/** Finds out what has become of an update that had begun. */
	new (device: UpdateDevice, settings: UpdateSettings, memory: CommandMemory): ImageUpdate;
}
