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
 * What is remembered of the broker from one connection to the next, through sleep.
 */

/**
 * A broker that refused packets before CONNACK is offered them again after this time, in ms: it may have been
 * replaced.
 */
const PIPELINE_RETRY_MS = 86_400_000;

/** Keeps what CONNACK says for the next first flight. */
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

/** For the first flight. */
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

/** The broker takes nothing before CONNACK. @param now node time */
export function cachePipelineRefusal({ words, reals }: RetainedState, now: number): void {
	words[WORD_FLAGS] |= FLAG_NO_PIPELINE;
	reals[REAL_PIPELINE_RETRY] = now + PIPELINE_RETRY_MS;
}

/** Whether the broker is offered packets before CONNACK. @param now node time */
export function mayPipeline({ words, reals }: RetainedState, now: number): boolean {
	if ((words[WORD_FLAGS] & FLAG_NO_PIPELINE) === 0) return true;
	if (now < reals[REAL_PIPELINE_RETRY]) return false;
	// Refused again, it is remembered again; cut off before it shows, it is tried again.
	words[WORD_FLAGS] &= ~FLAG_NO_PIPELINE;
	return true;
}
