import type { ImageUpdate } from "./commands/image-update";
import type { NodeParts } from "./node-parts";
import { WATCHDOG_TIMER } from "./node-timers";
import { sleep, waitOrSleep } from "./sleep-phase";

/**
 * Fetches an image if one is due, the battery is not low, and no settings are on trial. A node that sleeps
 * stays awake for it, within the limit of the update; one that stays connected goes on meanwhile.
 * @returns whether one is being fetched
 */
export function fetchImage(node: NodeParts): boolean {
	const commands = node.commands;
	const update = commands?.update;
	if (update === undefined || !update.isDue || node.battery?.isLow) return false;
	if (commands?.areSettingsOnTrial) return false;
	// Apart: on XS a variable of a closure is allocated at the start of its function
	return beginFetch(node, update);
}

function beginFetch(node: NodeParts, update: ImageUpdate): boolean {
	update.fetch(() => node.onFetched());
	if (!update.isFetching) return false;
	if (node.deepSleep) node.timers.stop(WATCHDOG_TIMER);
	return true;
}

/** The image was activated, or the try has failed. */
export function endFetch(node: NodeParts): void {
	if (node.deepSleep) {
		waitOrSleep(node, 0);
		return;
	}
	if (!node.commands?.update?.isActivated) return;
	const { exchange } = node;
	if (!exchange?.busy) sleep(node, node.clock.now);
	else {
		// DISCONNECT first: the broker would publish the will
		exchange.endRun();
		exchange.pump();
	}
}
