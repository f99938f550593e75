import { formatPause } from "../config/duration";
import type { Fault } from "../fault";
import type { ReasonCode } from "../mqtt/constants";
import type { NodeParts } from "./node-parts";
import { TASK_DONE, TASK_NONE, type Task } from "./node-tasks";
import { STEP_TIMER, WATCHDOG_TIMER } from "./node-timers";
import { countFailedTry, failedTries } from "./retained/try-backoff";
import { sleep, waitOrSleep } from "./sleep-phase";
import { fetchImage } from "./update-phase";

/** Sleep, in ms, after an internal error: one that recurs at every boot must not drain the battery. */
const ERROR_SLEEP_MS = 60_000;

/** Ends the try: the connection has ended, and everything was delivered. */
export function endReported(node: NodeParts): Task {
	node.reporting = false;
	node.battery?.endTry();
	if (!fetchImage(node)) waitOrSleep(node, 0);
	return TASK_NONE;
}

/** Ends the try without that; pending reports wait for the next one. */
export function endTry(node: NodeParts, fault: Fault, reasonCode: ReasonCode, message: string): void {
	scheduleRetry(node, fault, reasonCode, message);
	if (!node.deepSleep && node.commands?.countFailedTry()) sleep(node, node.clock.now);
	else waitOrSleep(node, 0);
}

function scheduleRetry(node: NodeParts, fault: Fault, reasonCode: ReasonCode, message: string): void {
	const { device, retained, timers } = node;
	node.reporting = false;
	node.battery?.endTry();
	node.network.forgetUnconfirmed();
	timers.stop(STEP_TIMER);
	if (!node.deepSleep) timers.stop(WATCHDOG_TIMER);
	const pauseMs = countFailedTry(retained, node.settings.backoff, node.clock.now);
	device.event?.("failed", fault, reasonCode, failedTries(retained));
	device.trace(
		`not reported: ${message}; ${node.outbox.waitingCount} waiting, next try in ${formatPause(pauseMs)}`,
	);
}

/** The wake, or without sleep this try, has reached `awakeLimit`. */
export function endAtAwakeLimit(node: NodeParts): Task {
	if (node.deepSleep && node.reporting && node.exchange?.isDelivered) {
		node.exchange.abort();
		return TASK_DONE;
	}
	node.device.event?.("limit", node.clock.now - node.startedAt, node.outbox.waitingCount);
	if (!node.deepSleep) node.timers.stop(WATCHDOG_TIMER);
	if (node.reporting) {
		node.exchange?.abort();
		if (!node.network.isUp) node.network.leave();
		endTry(node, "limit", 0, "awakeLimit is over");
	} else waitOrSleep(node, 0);
	return TASK_NONE;
}

/** An exception in the node itself: the try is over, and a pause follows. Never throws. */
export function endAfterError(node: NodeParts, error: unknown): void {
	try {
		node.exchange?.abort();
		scheduleRetry(node, "program", 0, `${error}`);
		waitOrSleep(node, ERROR_SLEEP_MS);
	} catch {
		node.asleep = true;
		node.device.sleep.deep(ERROR_SLEEP_MS);
	}
}
