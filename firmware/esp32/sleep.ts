import Modules from "modules";
import type { ImageSlots, Pull, Sleep, WakeReason } from "../../src/device";

/** @param ms 1 … 2^31 − 1 */
function deepSleep(this: void, ms: number): void {
	native("xs_firefly_deep_sleep").call(this, ms);
}

/** @throws if the chip cannot be woken by the pin */
function setWakePin(this: void, pin: number, level: number, pull: number): void {
	native("xs_firefly_wake_on").call(this, pin, level, pull);
}

/** @returns −1: no pin has ended the sleep */
function takeWakePin(this: void): number {
	return native("xs_firefly_wake_pin").call(this) as number;
}

function resetReason(this: void): number {
	return native("xs_firefly_reset_reason").call(this) as number;
}

/** Of firmware/update/manifest.json, if it is included. */
const SLOTS_MODULE = "firmware/update/image-slots";

/** After any other reset that software asks for, the bootloader has returned to the image before. */
function startsNewImage(): boolean {
	return Modules.has(SLOTS_MODULE) && (Modules.importNow(SLOTS_MODULE) as ImageSlots).isOnTrial;
}

/** Maps `esp_reset_reason_t` (ESP-IDF, esp_system.h) to the reason of this start. */
function wakeReason(code: number): WakeReason {
	switch (code) {
		case 3: // software: XS restarts the chip after an uncaught error, or an update does
			return startsNewImage() ? "reset" : "crash";
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

/** Numbers as in sleep.c. */
const PULLS: readonly Pull[] = Object.freeze(["none", "up", "down"]);

/** Of firmware/light-sleep/manifest.json, if it is included. */
const LIGHT_SLEEP_MODULE = "firmware/light-sleep/light-sleep";

class ChipSleep implements Sleep {
	readonly reason = wakeReason(resetReason());
	declare readonly wakePin?: number;

	constructor() {
		const pin = takeWakePin();
		if (pin >= 0) this.wakePin = pin;
	}

	wakeOn(pin: number, level: number, pull: Pull): void {
		setWakePin(pin, level, PULLS.indexOf(pull));
	}

	light(): void {
		if (!Modules.has(LIGHT_SLEEP_MODULE))
			throw new Error("the image lacks firmware/light-sleep/manifest.json");
		(Modules.importNow(LIGHT_SLEEP_MODULE) as () => void)();
	}

	deep(ms: number): void {
		deepSleep(ms);
	}
}

/** Call once: the pins that were to wake the chip become ordinary inputs again. */
export function sleep(): Sleep {
	return new ChipSleep();
}
