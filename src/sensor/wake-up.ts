import type { Device } from "../device";
import { forgetLink } from "./join-cache";
import { WORD_BROKER_HASH, WORD_DROPPED, WORD_FLAGS, WORD_SEQUENCE, WORD_WAKES } from "./layout";
import type { Outbox } from "./outbox";
import type { RestoreResult, RetainedState } from "./retained-state";
import { clearAllBackoffs } from "./topic-backoff";

/**
 * Makes what earlier wakes have retained fit the present settings: reports of other sensors are discarded,
 * and what was learnt of another broker is forgotten. Counts the wake.
 * @param restored how the retained state was found
 * @param brokerHash of the settings that concern the broker
 */
export function adoptRetained(
	device: Device,
	retained: RetainedState,
	outbox: Outbox,
	restored: RestoreResult,
	brokerHash: number,
): void {
	const { words } = retained;
	if (restored === "changed") outbox.discard();
	else outbox.recover();
	if (words[WORD_BROKER_HASH] !== brokerHash) {
		words[WORD_BROKER_HASH] = brokerHash;
		forgetLink(retained);
		words[WORD_FLAGS] = 0;
		clearAllBackoffs(retained);
		outbox.releaseOversized();
	}
	// Other settings, such as a shorter topic, may have made reports smaller.
	if (device.sleep.reason !== "deep-sleep") outbox.releaseOversized();
	words[WORD_WAKES]++;
	const dropped =
		words[WORD_DROPPED] + words[WORD_DROPPED + 1] + words[WORD_DROPPED + 2] + words[WORD_DROPPED + 3];
	device.event?.("wake", outbox.waitingCount, words[WORD_SEQUENCE], dropped);
}
