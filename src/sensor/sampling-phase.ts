import type { NodeParts } from "./node-parts";
import { TASK_NONE, TASK_REPORT, type Task } from "./node-tasks";
import { NEXT_EVENT_TIMER } from "./node-timers";
import { RETRY_TOLERANCE_MS } from "./retained/try-backoff";
import { nextTryAt, waitOrSleep } from "./sleep-phase";
import { AWAKE_WAIT_LIMIT_MS, awakeWait } from "./time/schedule";

/** Share of `awakeLimit` that a driver may take: after that, hardly anything is left for a report. */
const DRIVER_SHARE = 0.75;

/** Takes the samples that are due, then reports, or waits for the next event. */
export function sample(node: NodeParts): Task {
	let next: Task = TASK_NONE;
	// In deep mode the timer runs once; otherwise it is set again below.
	if (node.deepSleep) node.timers.stop(NEXT_EVENT_TIMER);
	else node.flash?.retry();
	if (!node.idle) {
		const now = node.clock.now;
		const waitMs = awakeWait(node.collector.earliestDue, now);
		if (waitMs > 0) {
			node.timers.start(NEXT_EVENT_TIMER, waitMs);
			return TASK_NONE;
		}
		node.collector.collect(now, node.deepSleep ? node.settings.sleep.awakeLimit * DRIVER_SHARE : Infinity);
		if (!node.reporting) {
			if (node.deepSleep && goesOnSampling(node)) return TASK_NONE;
			if (shouldReport(node)) {
				node.reporting = true;
				next = TASK_REPORT;
			}
		} else if (node.exchange?.busy) node.exchange.pump();
	}
	waitOrSleep(node, 0);
	return next;
}

/** Waits for the next sample of a value that has begun, in the first half of a wake: then it reports. */
function goesOnSampling(node: NodeParts): boolean {
	const continuesAt = node.collector.continuesAt;
	if (continuesAt === Infinity) return false;
	const { now } = node.clock;
	const waitMs = continuesAt - now;
	if (waitMs > AWAKE_WAIT_LIMIT_MS || now - node.startedAt >= node.settings.sleep.awakeLimit / 2)
		return false;
	node.timers.start(NEXT_EVENT_TIMER, Math.max(waitMs, 1));
	return true;
}

function shouldReport(node: NodeParts): boolean {
	if (node.exchange?.busy) return false;
	const tryAt = nextTryAt(node);
	return tryAt < Infinity && tryAt - node.clock.now <= RETRY_TOLERANCE_MS;
}
