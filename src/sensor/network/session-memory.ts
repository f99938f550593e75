import type { Settings } from "../../config/types";
import type { Device } from "../../device";
import { TLS_SESSION_BYTES } from "../../retained-memory";

/**
 * Whether a node's TLS session outlives its wake: without it each wake needs public-key cryptography, which
 * takes longest of all on a chip.
 */
export function keepsSession(settings: Settings): boolean {
	const transport = settings.broker.transport;
	return (
		(transport === "mqtts" || transport === "wss") &&
		settings.role === "sensor" &&
		settings.sleep.mode === "deep"
	);
}

/**
 * The end of retained memory, where the session is kept. After a reset it is empty: another image may check
 * the broker in another way.
 * @returns undefined if retained memory is too small for it: the session ends with the wake
 */
export function sessionMemory({
	retained,
	sleep,
}: Pick<Device, "retained" | "sleep">): Uint8Array | undefined {
	if (retained.length < TLS_SESSION_BYTES) return undefined;
	const memory = retained.subarray(retained.length - TLS_SESSION_BYTES);
	if (sleep.reason !== "deep-sleep") memory.fill(0);
	return memory;
}

/** The device as everything else has it: without the end of its retained memory. */
export function deviceWithout(device: Device, { length }: Uint8Array): Device {
	const { retained } = device;
	return Object.create(device, { retained: { value: retained.subarray(0, retained.length - length) } });
}
