import type { Device } from "../src/device";

/** Wait, ms, before a time server that did not answer is asked again; it doubles up to {@link LONGEST_PAUSE}. */
const PAUSE = 60_000;
const LONGEST_PAUSE = 3_600_000;
/** Time, ms, from one answer to the next question: the oscillator of a chip that stays awake is off by a second or two a day. */
const INTERVAL = 86_400_000;

/** Sets the clock of a device that is on a network, and keeps it right. */
export function keepTime(device: Device, server: string): void {
	const { timer } = device;
	let pause = PAUSE;
	const answered = (set: boolean): void => {
		if (set) {
			pause = PAUSE;
			return;
		}
		timer.schedule(id, pause, INTERVAL);
		pause = Math.min(2 * pause, LONGEST_PAUSE);
	};
	const id = timer.set(
		() => {
			try {
				device.setClock?.(server, answered);
			} catch (error) {
				device.trace(`firefly: time server: ${error}`);
				answered(false);
			}
		},
		0,
		INTERVAL,
	);
}
