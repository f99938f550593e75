import type { Sleep, WakeReason } from "../../src/device";

/** @param ms 1 … 2^31 − 1 */
function deepSleep(this: void, ms: number): void {
	native("xs_firefly_deep_sleep").call(this, ms);
}

function resetReason(this: void): number {
	return native("xs_firefly_reset_reason").call(this) as number;
}

/** Maps `esp_reset_reason_t` (ESP-IDF, esp_system.h) to the reason of this start. */
function wakeReason(code: number): WakeReason {
	switch (code) {
		case 3: // software: XS restarts the chip after an uncaught error
		case 4: // panic
		case 15: // CPU lock-up
			return "crash";
		case 5: // interrupt watchdog
		case 6: // task watchdog
		case 7: // other watchdog
			return "watchdog";
		case 8:
			return "deep-sleep";
		case 2: // external pin
		case 10: // SDIO
		case 11: // USB
		case 12: // JTAG
			return "reset";
		case 9: // brown-out
		case 14: // power glitch
			return "brown-out";
		default:
			return "power-on";
	}
}

export function sleep(): Sleep {
	return { reason: wakeReason(resetReason()), deep: deepSleep };
}
