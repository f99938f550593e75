import type { NodeParts } from "./node-parts";
import { NEXT_EVENT_TIMER } from "./node-timers";
import { REAL_DRIFT } from "./retained/layout";
import { countSleep } from "./retained/run-counts";
import { nextPauseEnd } from "./retained/topic-backoff";
import { nextRetryAt } from "./retained/try-backoff";
import { alignRetryWithSample, LONGEST_SLEEP_MS, sleepLength } from "./time/schedule";

/** Interval, in ms, of checks whether a connection has closed. */
const CLOSING_RECHECK_MS = 100;

/**
 * Node time of the next try to report; Infinity: there is nothing to report. A node that stays connected
 * connects even then.
 */
export function nextTryAt(node: NodeParts): number {
	const retry = nextRetryAt(node.retained);
	if (!node.deepSleep) return retry;
	// So in most wakes, and the rest would come to the same.
	if (node.outbox.waitingCount === 0 && node.diagnostics === undefined) return Infinity;
	if (node.battery?.isSilent) return Infinity;
	const sendableAt = node.outbox.sendableAt(node.encoder.grouped);
	return Math.max(retry, Math.min(sendableAt, node.diagnostics?.dueAt ?? Infinity));
}

/**
 * Nothing can be done now: sleeps, or sets the timer, until the next event.
 * @param leastMs minimum duration
 */
export function waitOrSleep(node: NodeParts, leastMs: number): void {
	if (node.asleep || (node.deepSleep && node.commands?.update?.isFetching)) return;
	const now = node.clock.now;
	let until = now + LONGEST_SLEEP_MS;
	if (!node.idle) {
		until = node.collector.earliestDue;
		const retry = node.reporting ? nextPauseEnd(node.retained, now) : nextTryAt(node);
		if (retry < until) until = alignRetryWithSample(retry, until);
	}
	if (until < now + leastMs) until = now + leastMs;
	if (!node.deepSleep) {
		const leastWaitMs = !node.reporting && node.exchange?.busy ? CLOSING_RECHECK_MS : 1;
		const waitMs = until - now;
		node.timers.start(NEXT_EVENT_TIMER, waitMs > leastWaitMs ? waitMs : leastWaitMs);
	} else if (!node.reporting) sleep(node, until);
}

/** Ends the run: everything is durable, then the host sleeps. @param until node time */
export function sleep(node: NodeParts, until: number): void {
	const { retained, clock } = node;
	node.collector.close();
	if (node.deepSleep) node.commands?.countWake(node.outbox.waitingCount);
	node.commands?.beforeSleep();
	const now = clock.now;
	// With an empty battery only the timer wakes it.
	if (node.wakePins !== undefined && !node.battery?.isSilent) until = node.wakePins.arm(now, until);
	const sleepMs = sleepLength(until, now, retained.reals[REAL_DRIFT]);
	clock.saveTimes(sleepMs, now);
	node.diagnostics?.recordSleep(now);
	if (node.derived.extension.counts > 0) countSleep(retained, now);
	retained.commit();
	retained.clearBootMark();
	node.asleep = true;
	node.device.event?.("sleep", sleepMs, node.outbox.waitingCount, now - node.startedAt);
	if (!node.commands?.update?.endRun()) node.device.sleep.deep(sleepMs);
}
