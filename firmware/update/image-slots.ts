import type { ImageSlots, ImageWriter } from "../../src/device";

/**
 * The two slots of ESP-IDF for images over the network; the functions are in image-slots.c beside this file.
 */
class ChipSlots implements ImageSlots {
	get size(): number {
		return native("xs_firefly_image_size").call(this) as number;
	}

	get running(): number {
		return native("xs_firefly_image_running").call(this) as number;
	}

	get isOnTrial(): boolean {
		return native("xs_firefly_image_on_trial").call(this) as boolean;
	}

	get wasRejected(): boolean {
		return native("xs_firefly_image_rejected").call(this) as boolean;
	}

	open(): ImageWriter {
		native("xs_firefly_image_open").call(this);
		return new ChipWriter();
	}

	confirm(): void {
		native("xs_firefly_image_confirm").call(this);
	}

	restart(): void {
		native("xs_firefly_image_restart").call(this);
	}

	rollBack(): void {
		native("xs_firefly_image_roll_back").call(this);
	}
}

/** There is one at a time. */
class ChipWriter implements ImageWriter {
	write(bytes: Uint8Array): void {
		native("xs_firefly_image_write").call(this, bytes);
	}

	digest(target: Uint8Array): void {
		native("xs_firefly_image_digest").call(this, target);
	}

	activate(): void {
		native("xs_firefly_image_activate").call(this);
	}

	close(): void {
		native("xs_firefly_image_close").call(this);
	}
}

export default Object.freeze(new ChipSlots());
