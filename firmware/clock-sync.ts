import type { Device } from "../src/device";

/**
 * Wait, in ms, after a request that a time server did not answer; it doubles up to {@link RETRY_MAXIMUM_MS}.
 */
const RETRY_MINIMUM_MS = 60_000;
const RETRY_MAXIMUM_MS = 3_600_000;
/**
 * Time, in ms, from an answer to the next request: the oscillator of a chip that stays awake drifts by a
 * second or two a day.
 */
const SYNC_INTERVAL_MS = 86_400_000;

/** Sets the clock of a device that is on a network, and keeps it synchronised. */
export function keepClockSynchronised(device: Device, server: string): void {
	const { timer } = device;
	let retryMs = RETRY_MINIMUM_MS;
	const onAnswer = (set: boolean): void => {
		if (set) {
			retryMs = RETRY_MINIMUM_MS;
			return;
		}
		timer.schedule(id, retryMs, SYNC_INTERVAL_MS);
		retryMs = Math.min(2 * retryMs, RETRY_MAXIMUM_MS);
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
