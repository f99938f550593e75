import { SHA256, SHA256_SIZE } from "../../crypto/sha256";
import type { ImageSlots, ImageWriter } from "../../device";
import { hexDigit } from "../../text/ascii";
import { IMAGE_HEADER_SIZE, imageProblem } from "./image-header";

/**
 * Takes an image block by block into the other slot, and computes its SHA-256 meanwhile. Nothing is erased
 * before size and header were found to fit; nothing is activated here.
 */
export class ImageReceiver {
	private readonly slots: ImageSlots;
	private readonly chip: string;
	private writer: ImageWriter | undefined;
	/** Undefined: the writer computes it. */
	private digest: SHA256 | undefined;

	/** @param chip name of this chip */
	constructor(slots: ImageSlots, chip: string) {
		this.slots = slots;
		this.chip = chip;
	}

	/** @param length of the image, bytes @returns why it cannot be taken */
	begin(length: number): string | undefined {
		const { size } = this.slots;
		if (length < IMAGE_HEADER_SIZE) return `what is there has only ${length} bytes`;
		if (length > size) return `the image has ${length} bytes; the slot has ${size}`;
		return undefined;
	}

	/**
	 * @param block the next bytes; the first block holds the header
	 * @returns why the image cannot be taken
	 * @throws errors of the slot
	 */
	write(block: Uint8Array): string | undefined {
		if (this.writer === undefined) {
			const problem = imageProblem(block, this.chip);
			if (problem !== undefined) return problem;
			this.writer = this.slots.open();
			if (this.writer.digest === undefined) this.digest = new SHA256();
		}
		this.digest?.update(block, 0, block.length);
		this.writer.write(block);
		return undefined;
	}

	/** SHA-256 of all blocks, in hexadecimal digits. Call once. @throws errors of the slot */
	takeDigest(): string {
		const bytes = new Uint8Array(SHA256_SIZE);
		if (this.digest !== undefined) this.digest.digest(bytes, 0);
		else this.writer?.digest?.(bytes);
		let text = "";
		for (const byte of bytes) text += String.fromCharCode(hexDigit(byte >> 4), hexDigit(byte & 15));
		return text;
	}

	/** @throws errors of the slot */
	activate(): void {
		this.writer?.activate();
	}

	/** Gives up what was not activated. Called by the host's callbacks, which no exception may leave. */
	close(): void {
		const { writer } = this;
		this.writer = undefined;
		try {
			writer?.close();
		} catch {
			// The next try opens the slot anew, and says so if that fails.
		}
	}
}
