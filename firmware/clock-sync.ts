import { type Backoff, backoffDelay, NO_JITTER } from "../src/backoff";
import type { Device } from "../src/device";

/** For requests that a time server did not answer. */
const SYNC_BACKOFF: Backoff = Object.freeze({ minimum: 60_000, maximum: 3_600_000 });
/**
 * Time, in ms, from an answer to the next request: the oscillator of a chip that stays awake drifts by a
 * second or two a day.
 */
const SYNC_INTERVAL_MS = 86_400_000;

/** Sets the clock of a device that is on a network, and keeps it synchronised. */
export function keepClockSynchronised(device: Device, server: string): void {
	const { timer } = device;
	let failures = 0;
	const onAnswer = (set: boolean): void => {
		if (set) {
			failures = 0;
			return;
		}
		timer.schedule(id, backoffDelay(SYNC_BACKOFF, ++failures, NO_JITTER), SYNC_INTERVAL_MS);
	};
	const id = timer.set(
		() => {
			try {
				device.setClock?.(server, onAnswer);
			} catch (error) {
				device.trace(`firefly: time server: ${error}`);
				onAnswer(false);
			}
		},
		0,
		SYNC_INTERVAL_MS,
	);
}
