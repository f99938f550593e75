import type { Limits, RememberedLimits } from "../client/client";
import { FLAG_LIMITS, FLAG_NO_PIPELINE, FLAG_NO_RETAIN, QOS_SHIFT, REAL_PROBE, WORD_FLAGS, WORD_PACKET_SIZE, WORD_RECEIVE_MAXIMUM } from "./layout";
import type { Retained } from "./retained";

/*
 * What is remembered of the broker from one connection to the next, through sleep.
 */

/** A broker that refused packets before CONNACK is offered them again after this time, in ms: it may have been replaced. */
const PROBE_INTERVAL = 86_400_000;

/** Keeps what CONNACK says for the next first flight. */
export function rememberLimits(words: Uint32Array, { receiveMaximum, maximumPacketSize, maximumQoS, retainAvailable }: Limits): void {
	words[WORD_RECEIVE_MAXIMUM] = receiveMaximum;
	words[WORD_PACKET_SIZE] = maximumPacketSize;
	words[WORD_FLAGS] = (words[WORD_FLAGS] & FLAG_NO_PIPELINE) | FLAG_LIMITS | (retainAvailable ? 0 : FLAG_NO_RETAIN) | (maximumQoS << QOS_SHIFT);
}

/** For the first flight. */
export function recallLimits(words: Uint32Array): RememberedLimits {
	const flags = words[WORD_FLAGS];
	if ((flags & FLAG_LIMITS) === 0) return {};
	return {
		receiveMaximum: words[WORD_RECEIVE_MAXIMUM],
		maximumPacketSize: words[WORD_PACKET_SIZE],
		maximumQoS: (flags >> QOS_SHIFT) & 3,
		retainAvailable: (flags & FLAG_NO_RETAIN) === 0,
	};
}

/** The broker takes nothing before CONNACK. @param now node time */
export function rememberRefusal({ words, reals }: Retained, now: number): void {
	words[WORD_FLAGS] |= FLAG_NO_PIPELINE;
	reals[REAL_PROBE] = now + PROBE_INTERVAL;
}

/** Whether the broker is offered packets before CONNACK. @param now node time */
export function recallPipeline({ words, reals }: Retained, now: number): boolean {
	if ((words[WORD_FLAGS] & FLAG_NO_PIPELINE) === 0) return true;
	if (now < reals[REAL_PROBE]) return false;
	// Refused again, it is remembered again; cut off before it shows, it is tried again.
	words[WORD_FLAGS] &= ~FLAG_NO_PIPELINE;
	return true;
}
