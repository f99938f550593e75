import { type Backoff, backoffDelay, EQUAL_JITTER } from "../../backoff";
import { SENSOR_REALS, SENSOR_TOPIC_BACKOFF, WORD_REFUSED_TOPICS } from "./layout";
import type { RetainedState } from "./retained-state";
import { RETRY_TOLERANCE_MS } from "./try-backoff";

/*
 * A topic is paused after the broker has refused a report on it: its reports, including new ones, wait, while
 * all others are sent. Its backoff follows the same rule as that of whole tries, survives sleep, and ends
 * with the first accepted report on the topic. A refusal drops no report: if the outbox fills up meanwhile,
 * its policy drops reports as usual.
 *
 * A topic is identified by the index of its sensor in the settings, or by 0 if one report holds all values.
 */

/** In SENSOR_TOPIC_BACKOFF, the factor of the time; the remainder is the number of refusals. */
const REFUSALS_SCALE = 32;

/** Whether a topic was refused and no report on it was accepted since. */
export function wasRefused({ words, sensors }: RetainedState, topic: number): boolean {
	return words[WORD_REFUSED_TOPICS] > 0 && sensors[topic * SENSOR_REALS + SENSOR_TOPIC_BACKOFF] > 0;
}

/** Refusals in a row, 0 … 31. */
export function refusalCount({ sensors }: RetainedState, topic: number): number {
	return sensors[topic * SENSOR_REALS + SENSOR_TOPIC_BACKOFF] % REFUSALS_SCALE;
}

/** Node time from which a topic may be tried; 0: it was not refused. */
export function pauseEnd({ sensors }: RetainedState, topic: number): number {
	return Math.floor(sensors[topic * SENSOR_REALS + SENSOR_TOPIC_BACKOFF] / REFUSALS_SCALE);
}

/** Whether a topic may not be tried yet. */
export function isPaused(retained: RetainedState, topic: number, now: number): boolean {
	return pauseEnd(retained, topic) - now > RETRY_TOLERANCE_MS;
}

/** Whether any refused topic may be tried again. */
export function anyRetryDue(retained: RetainedState, now: number): boolean {
	if (retained.words[WORD_REFUSED_TOPICS] === 0) return false;
	for (let topic = topicCount(retained) - 1; topic >= 0; topic--)
		if (wasRefused(retained, topic) && !isPaused(retained, topic, now)) return true;
	return false;
}

/** The earliest end of a pause after `now`; Infinity: no topic is paused. */
export function nextPauseEnd(retained: RetainedState, now: number): number {
	let next = Infinity;
	if (retained.words[WORD_REFUSED_TOPICS] === 0) return next;
	for (let topic = topicCount(retained) - 1; topic >= 0; topic--) {
		const time = pauseEnd(retained, topic);
		if (time > now && time < next) next = time;
	}
	return next;
}

/**
 * Records a refusal and pauses the topic.
 * @param now node time @param random 0 … 1
 * @returns ms of the pause; 0: the topic is paused already, as several of its reports were in flight
 */
export function pauseTopic(
	retained: RetainedState,
	topic: number,
	now: number,
	backoff: Backoff,
	random: number,
): number {
	if (isPaused(retained, topic, now)) return 0;
	if (!wasRefused(retained, topic)) retained.words[WORD_REFUSED_TOPICS]++;
	const refusals = Math.min(refusalCount(retained, topic) + 1, REFUSALS_SCALE - 1);
	// Answers to other reports in flight must find the topic paused.
	const pauseMs = backoffDelay(backoff, refusals, EQUAL_JITTER, random);
	retained.sensors[topic * SENSOR_REALS + SENSOR_TOPIC_BACKOFF] =
		Math.ceil(now + pauseMs) * REFUSALS_SCALE + refusals;
	return pauseMs;
}

/** Call when a report was accepted, or is sent with QoS 0, which cannot be refused. */
export function clearBackoff(retained: RetainedState, topic: number): void {
	if (!wasRefused(retained, topic)) return;
	retained.words[WORD_REFUSED_TOPICS]--;
	retained.sensors[topic * SENSOR_REALS + SENSOR_TOPIC_BACKOFF] = 0;
}

/** Call when the broker was replaced. */
export function clearAllBackoffs(retained: RetainedState): void {
	for (let topic = topicCount(retained) - 1; topic >= 0; topic--) clearBackoff(retained, topic);
}

function topicCount({ sensors }: RetainedState): number {
	return sensors.length / SENSOR_REALS;
}
