import type { Settings } from "../../config/types";
import type { CachedLimits, Negotiated } from "../../session/negotiated";
import {
	FLAG_LIMITS_KNOWN,
	FLAG_NO_PIPELINE,
	FLAG_NO_RETAIN,
	FLAG_SESSION_OWN,
	FLASH_FLAGS,
	QOS_SHIFT,
	REAL_PIPELINE_RETRY,
	REFUSALS_SHIFT,
	WORD_FLAGS,
	WORD_PACKET_SIZE,
	WORD_RECEIVE_MAXIMUM,
} from "./layout";
import type { RetainedState } from "./retained-state";

/*
 * Properties of the broker that are cached from one connection to the next, and through sleep.
 */

/**
 * Time, in ms, after which packets before CONNACK are tried again with a broker that refused them: it may
 * have been replaced.
 */
const PIPELINE_RETRY_MS = 86_400_000;
/**
 * Number of pipelined connections in a row that end before CONNACK, each followed by one without pipelining
 * that is accepted, after which the broker is taken to refuse pipelining: one, or two, may be chance.
 */
export const PIPELINE_REFUSALS = 3;
const REFUSALS_MASK = 3 << REFUSALS_SHIFT;

/** Caches the limits of a CONNACK for the packets that the next connection sends before CONNACK. */
export function cacheLimits(
	words: Uint32Array,
	{ receiveMaximum, maximumPacketSize, maximumQoS, retainAvailable }: Negotiated,
): void {
	words[WORD_RECEIVE_MAXIMUM] = receiveMaximum;
	words[WORD_PACKET_SIZE] = maximumPacketSize;
	words[WORD_FLAGS] =
		(words[WORD_FLAGS] & (FLAG_NO_PIPELINE | FLAG_SESSION_OWN | REFUSALS_MASK | FLASH_FLAGS)) |
		FLAG_LIMITS_KNOWN |
		(retainAvailable ? 0 : FLAG_NO_RETAIN) |
		(maximumQoS << QOS_SHIFT);
}

/** Limits for packets before CONNACK; empty if none are known. */
export function cachedLimits(words: Uint32Array): CachedLimits {
	const flags = words[WORD_FLAGS];
	if ((flags & FLAG_LIMITS_KNOWN) === 0) return {};
	return {
		receiveMaximum: words[WORD_RECEIVE_MAXIMUM],
		maximumPacketSize: words[WORD_PACKET_SIZE],
		maximumQoS: (flags >> QOS_SHIFT) & 3,
		retainAvailable: (flags & FLAG_NO_RETAIN) === 0,
	};
}

/**
 * Call if the broker closed a pipelined connection before CONNACK, and accepted the next one without.
 * @param now node time
 * @returns whether it is taken to refuse pipelining from now on
 */
export function countPipelineRefusal({ words, reals }: RetainedState, now: number): boolean {
	const refusals = ((words[WORD_FLAGS] & REFUSALS_MASK) >> REFUSALS_SHIFT) + 1;
	if (refusals < PIPELINE_REFUSALS) {
		words[WORD_FLAGS] = (words[WORD_FLAGS] & ~REFUSALS_MASK) | (refusals << REFUSALS_SHIFT);
		return false;
	}
	// The count stays as it is: after the day's pause one further refusal is enough.
	words[WORD_FLAGS] |= FLAG_NO_PIPELINE;
	reals[REAL_PIPELINE_RETRY] = now + PIPELINE_RETRY_MS;
	return true;
}

/** Call when the broker has accepted a connection with packets before CONNACK. */
export function clearPipelineRefusals({ words }: RetainedState): void {
	words[WORD_FLAGS] &= ~REFUSALS_MASK;
}

/** Whether packets may be sent before CONNACK. @param now node time */
export function mayPipeline({ words, reals }: RetainedState, now: number): boolean {
	if ((words[WORD_FLAGS] & FLAG_NO_PIPELINE) === 0) return true;
	if (now < reals[REAL_PIPELINE_RETRY]) return false;
	// A further refusal sets the flag again; if the connection ends before that, the next one tries again.
	words[WORD_FLAGS] &= ~FLAG_NO_PIPELINE;
	return true;
}

/**
 * Whether a session that the broker has is not of this retained memory, as after a loss of power: it may
 * await the PUBREL of a message whose packet identifier a new report will have, which it would take for that
 * message and not deliver. Such a session has to be discarded. [MQTT-4.1.0-1] [MQTT-3.1.1:4.1.0-1]
 */
export function mayHaveForeignSession({ words }: RetainedState, { broker, sensors }: Settings): boolean {
	return (
		!broker.cleanStart && (words[WORD_FLAGS] & FLAG_SESSION_OWN) === 0 && sensors.some(({ qos }) => qos === 2)
	);
}

/**
 * The broker has no such session, or has discarded it. Durable at once: what is published from now on belongs
 * to the new one.
 */
export function ownSession(retained: RetainedState): void {
	retained.words[WORD_FLAGS] |= FLAG_SESSION_OWN;
	retained.commit();
}
