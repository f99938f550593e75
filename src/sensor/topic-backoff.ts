import type { BackoffSettings } from "../config/types";
import { backoffDelay } from "./backoff";
import { SENSOR_REALS, SENSOR_TOPIC_BACKOFF, WORD_REFUSED_TOPICS } from "./layout";
import type { RetainedState } from "./retained-state";
import { RETRY_TOLERANCE_MS } from "./schedule";

/*
 * A topic on which the broker has refused a report is paused: its reports, and those that join them, wait,
 * and all others go on. Its backoff is like that of whole tries, survives sleep, and ends with the first
 * report on it that is taken. Nothing is dropped for a refusal: what fills the outbox meanwhile gives way by
 * its policy, the oldest first.
 *
 * A topic goes by the index of its sensor in the settings, and by 0 where one report holds all values.
 */

/** Of SENSOR_PAUSE: what the time is multiplied by. */
const REFUSALS_SCALE = 32;

/** Whether a topic was refused and no report on it was taken since. */
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

/** Whether a topic that was refused may be tried. */
export function anyRetryDue(retained: RetainedState, now: number): boolean {
	if (retained.words[WORD_REFUSED_TOPICS] === 0) return false;
	for (let topic = topicCount(retained) - 1; topic >= 0; topic--)
		if (wasRefused(retained, topic) && !isPaused(retained, topic, now)) return true;
	return false;
}

/** The next time after `now` that a pause ends; Infinity: none does. */
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
 * Takes note of a refusal.
 * @param now node time @param random 0 … 1
 * @returns ms of the pause; 0: the topic is paused already, as several of its reports were under way
 */
export function pauseTopic(
	retained: RetainedState,
	topic: number,
	now: number,
	settings: BackoffSettings,
	random: number,
): number {
	if (isPaused(retained, topic, now)) return 0;
	if (!wasRefused(retained, topic)) retained.words[WORD_REFUSED_TOPICS]++;
	const refusals = Math.min(refusalCount(retained, topic) + 1, REFUSALS_SCALE - 1);
	// Half of it at least: the answers to what is under way are to find the topic paused.
	const pauseMs = backoffDelay(refusals, settings.minimum, settings.maximum, 0.5 + random / 2);
	retained.sensors[topic * SENSOR_REALS + SENSOR_TOPIC_BACKOFF] =
		Math.ceil(now + pauseMs) * REFUSALS_SCALE + refusals;
	return pauseMs;
}

/** A report was taken, or goes where nothing is refused. */
export function clearBackoff(retained: RetainedState, topic: number): void {
	if (!wasRefused(retained, topic)) return;
	retained.words[WORD_REFUSED_TOPICS]--;
	retained.sensors[topic * SENSOR_REALS + SENSOR_TOPIC_BACKOFF] = 0;
}

/** Another broker. */
export function clearAllBackoffs(retained: RetainedState): void {
	for (let topic = topicCount(retained) - 1; topic >= 0; topic--) clearBackoff(retained, topic);
}

function topicCount({ sensors }: RetainedState): number {
	return sensors.length / SENSOR_REALS;
}
