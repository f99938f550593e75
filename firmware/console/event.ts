import Time from "time";
import type { DeviceEventName } from "../../src/device-events";

/**
 * `platform/event` of an image with a console: prints each event on a line for `firefly monitor`, with the ms
 * since the chip started. Allocates, so that it is in no other image.
 */
export default function event(name: DeviceEventName, a?: unknown, b?: unknown, c?: unknown): void {
	let line = `firefly> ${Time.ticks} ${name}`;
	if (a !== undefined) line += ` ${a}`;
	if (b !== undefined) line += ` ${b}`;
	if (c !== undefined) line += ` ${c}`;
	trace(line, "\n");
}
