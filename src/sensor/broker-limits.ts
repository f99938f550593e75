import type { BrokerLimits, CachedLimits } from "../client/client";
import {
	FLAG_LIMITS_KNOWN,
	FLAG_NO_PIPELINE,
	FLAG_NO_RETAIN,
	QOS_SHIFT,
	REAL_PIPELINE_RETRY,
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

/** Caches the limits of a CONNACK for the packets that the next connection sends before CONNACK. */
export function cacheLimits(
	words: Uint32Array,
	{ receiveMaximum, maximumPacketSize, maximumQoS, retainAvailable }: BrokerLimits,
): void {
	words[WORD_RECEIVE_MAXIMUM] = receiveMaximum;
	words[WORD_PACKET_SIZE] = maximumPacketSize;
	words[WORD_FLAGS] =
		(words[WORD_FLAGS] & FLAG_NO_PIPELINE) |
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

/** Call if the broker refuses packets before CONNACK. @param now node time */
export function cachePipelineRefusal({ words, reals }: RetainedState, now: number): void {
	words[WORD_FLAGS] |= FLAG_NO_PIPELINE;
	reals[REAL_PIPELINE_RETRY] = now + PIPELINE_RETRY_MS;
}

/** Whether packets may be sent before CONNACK. @param now node time */
export function mayPipeline({ words, reals }: RetainedState, now: number): boolean {
	if ((words[WORD_FLAGS] & FLAG_NO_PIPELINE) === 0) return true;
	if (now < reals[REAL_PIPELINE_RETRY]) return false;
	// A further refusal sets the flag again; if the connection ends before that, the next one tries again.
	words[WORD_FLAGS] &= ~FLAG_NO_PIPELINE;
	return true;
}
