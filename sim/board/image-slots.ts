import type { ImageWriter } from "../../src/device";
import type { ImageFlash } from "./image-flash";
import type { Natives, Peripheral } from "./peripheral";

/** The functions of firmware/update/image-slots.c, over a simulated flash. */
export class ImageSlots implements Peripheral {
	readonly natives: Natives;
	#writer: ImageWriter | undefined;

	/** @param restart resets the chip, after what the firmware has sent */
	constructor(flash: ImageFlash, restart: (reason: "reset" | "crash") => void) {
		const writer = (): ImageWriter => {
			if (this.#writer === undefined) throw new Error("no image is open");
			return this.#writer;
		};
		this.natives = {
			xs_firefly_image_size: () => flash.size,
			xs_firefly_image_running: () => flash.running,
			xs_firefly_image_on_trial: () => flash.isOnTrial,
			xs_firefly_image_rejected: () => flash.wasRejected,
			xs_firefly_image_open: () => {
				this.#writer = flash.open();
			},
			xs_firefly_image_write: (bytes: Uint8Array) => writer().write(bytes),
			xs_firefly_image_digest: (target: Uint8Array) => writer().digest?.(target),
			xs_firefly_image_activate: () => writer().activate(),
			xs_firefly_image_close: () => this.#writer?.close(),
			xs_firefly_image_confirm: () => flash.confirm(),
			xs_firefly_image_restart: () => restart("reset"),
			xs_firefly_image_roll_back: () => {
				flash.rejectRunning();
				// For the firmware it is one: ESP-IDF says only that software has asked for it
				restart("crash");
			},
		};
	}

	reset(): void {
		this.#writer = undefined;
	}
}
