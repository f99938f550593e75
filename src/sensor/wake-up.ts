import { makeAllDue } from "./commands/all-sensors";
import { forgetAfterColdBoot } from "./discovery/announcer";
import { forgetAddresses, forgetLink } from "./network/join-cache";
import type { NodeParts } from "./node-parts";
import { TASK_SAMPLE, type Task } from "./node-tasks";
import { WATCHDOG_TIMER } from "./node-timers";
import { forgetRecords } from "./outbox/flash-summary";
import {
	droppedReports,
	FLASH_FLAGS,
	WORD_BROKER_HASH,
	WORD_FLAGS,
	WORD_SEQUENCE,
	WORD_WAKES,
} from "./retained/layout";
import type { RestoreResult } from "./retained/retained-state";
import { clearAllBackoffs } from "./retained/topic-backoff";
import { clearFailedTries } from "./retained/try-backoff";

/** Restores what is retained, and starts the limit of the wake. */
export function wakeUp(node: NodeParts): Task {
	const { device, retained, clock, collector, settings } = node;
	const restored = retained.restore(node.derived.extension.hash);
	const reason = device.sleep.reason;
	// After a reset by hand or a loss of power the driver that was being called is not the cause.
	const mayPause = reason === "deep-sleep" || reason === "crash" || reason === "watchdog";
	const interrupted = mayPause && restored === "valid" ? retained.interruptedDriver : -1;
	const crashed = reason === "deep-sleep" && restored === "valid" && retained.wasInterrupted;
	const wasReset = reason !== "deep-sleep" || crashed;
	if (!clock.restore(reason, node.wakePins?.sleptMs)) forgetAddresses(retained);
	node.startedAt = clock.now;
	// The firmware sleeps a while after a crash before the node runs.
	node.diagnostics?.start(crashed ? "crash" : reason, node.startedAt, device.sleep.wakePin);
	if (node.deepSleep) node.timers.start(WATCHDOG_TIMER, settings.sleep.awakeLimit);
	adoptRetained(node, restored, wasReset);
	collector.start(restored !== "valid", mayPause);
	if (node.wakePins?.start(node.startedAt)) collector.collect(node.clock.now, Infinity);
	if (interrupted >= 0) collector.recordInterruptedDriver(interrupted);
	if (node.commands?.isFirstTrial) {
		clearFailedTries(retained);
		makeAllDue(retained, clock.now);
	}
	if (node.idle)
		device.trace(settings.sensors.length === 0 ? "no sensors are configured" : "no broker is configured");
	return TASK_SAMPLE;
}

/**
 * Makes what earlier wakes have retained fit the present settings: reports of other sensors are discarded,
 * and what was learnt of another broker is forgotten. Counts the wake.
 * @param restored how the retained state was found
 */
function adoptRetained(node: NodeParts, restored: RestoreResult, wasReset: boolean): void {
	const { device, retained, outbox, derived } = node;
	const words = retained.words;
	const brokerHash = derived.brokerHash;
	const reason = device.sleep.reason;
	const withoutPower = reason === "power-on" || reason === "brown-out";
	if (withoutPower && restored === "valid") node.flash?.markDamaged();
	if (restored === "changed") outbox.discard();
	else outbox.recover();
	if (node.flash !== undefined) node.flash.start(restored, wasReset);
	else if (withoutPower || reason === "reset") forgetRecords(device);
	forgetAfterColdBoot(node);
	if (words[WORD_BROKER_HASH] !== brokerHash) {
		words[WORD_BROKER_HASH] = brokerHash;
		forgetLink(retained);
		words[WORD_FLAGS] &= FLASH_FLAGS;
		clearAllBackoffs(retained);
		outbox.releaseOversized();
	}
	// Other settings, such as a shorter topic, may have made reports smaller.
	if (reason !== "deep-sleep") outbox.releaseOversized();
	words[WORD_WAKES]++;
	device.event?.("wake", outbox.waitingCount, words[WORD_SEQUENCE], droppedReports(words));
}
