import { createHash } from "node:crypto";
import type { ImageWriter } from "../../src/device";
import { imageFault } from "./esp-image";

/** Bytes of a slot of firmware/update/partitions.csv. */
export const SLOT_SIZE = 0x1f0000;
/** Bytes that flash erases at once. */
export const SECTOR_SIZE = 4096;

type EntryState = "new" | "pending" | "valid" | "invalid" | "aborted";

/** One of the two sectors of otadata. */
interface Entry {
	/** The slot is that modulo 2, less one. */
	readonly sequence: number;
	readonly state: EntryState;
}

/**
 * Two slots for images in a chip's flash, and the bootloader's choice between them, by the rules of ESP-IDF
 * 6.0 with rollback enabled (esp_ota_ops.c, bootloader_utility.c). Every erasure and every write is a step of
 * its own: `onStep` may throw before any of them, which is where a loss of power leaves it.
 */
export class ImageFlash {
	/** Called before flash changes. */
	onStep: () => void = () => {};
	/** Steps so far. */
	steps = 0;
	readonly size: number;
	#running = 0;
	readonly #slots: (Uint8Array | undefined)[] = [undefined, undefined];
	readonly #entries: (Entry | undefined)[] = [{ sequence: 1, state: "valid" }, undefined];

	/** @param size of a slot, bytes; 0: the flash has one place for an image only */
	constructor(size = SLOT_SIZE) {
		this.size = size;
	}

	/** Number of the slot that runs. */
	get running(): number {
		return this.#running;
	}

	/** Content of the slot that runs; undefined: what was flashed by cable. */
	get runningImage(): Uint8Array | undefined {
		return this.#slots[this.#running];
	}

	get isOnTrial(): boolean {
		return this.#entryOf(this.#running)?.state === "pending";
	}

	get wasRejected(): boolean {
		const state = this.#entryOf(1 - this.#running)?.state;
		return state === "aborted" || state === "invalid";
	}

	/**
	 * The bootloader chooses what starts.
	 * @param wakes from deep sleep: what ran before starts again, and nothing is checked
	 */
	boot(wakes: boolean): void {
		if (wakes) return;
		for (const [index, entry] of this.#entries.entries())
			if (entry?.state === "pending") this.#rewrite(index, { ...entry, state: "aborted" });
		const active = this.#active();
		const entry = this.#entries[active];
		if (entry?.state === "new") this.#rewrite(active, { ...entry, state: "pending" });
		this.#running = entry === undefined ? 0 : (entry.sequence - 1) % 2;
	}

	open(): ImageWriter {
		if (this.size === 0) throw new Error("no second slot for an image");
		if (this.isOnTrial) throw new Error("begin of an image: error 0x1505");
		const inactive = 1 - this.#active();
		if (this.#entries[inactive] !== undefined) this.#step(() => this.#set(inactive, undefined));
		const target = 1 - this.#running;
		this.#slots[target] ??= new Uint8Array(this.size).fill(0xff);
		const slot = this.#slots[target];
		let length = 0;
		let isOpen = true;
		return {
			write: (bytes) => {
				if (!isOpen) throw new Error("flash: error 0x102");
				if (length === 0 && bytes[0] !== 0xe9) throw new Error("flash: error 0x1503");
				if (length + bytes.length > slot.length) throw new Error("flash: error 0x104");
				for (let at = Math.ceil(length / SECTOR_SIZE); at * SECTOR_SIZE < length + bytes.length; at++)
					this.#step(() => slot.fill(0xff, at * SECTOR_SIZE, (at + 1) * SECTOR_SIZE));
				// What is not erased can only lose bits
				this.#step(() => {
					for (let i = 0; i < bytes.length; i++) slot[length + i]! &= bytes[i]!;
				});
				length += bytes.length;
			},
			digest: (target) => {
				target.set(createHash("sha256").update(slot.subarray(0, length)).digest());
			},
			activate: () => {
				if (!isOpen || length === 0) throw new Error("image: error 0x102");
				isOpen = false;
				if (imageFault(slot) !== undefined) throw new Error("image: error 0x1503");
				const active = this.#active();
				const sequence = this.#entries[active]!.sequence + 1;
				this.#rewrite(1 - active, { sequence, state: "new" });
			},
			close: () => {
				isOpen = false;
			},
		};
	}

	confirm(): void {
		const active = this.#active();
		const entry = this.#entries[active];
		if (entry !== undefined && entry.state !== "valid") this.#rewrite(active, { ...entry, state: "valid" });
	}

	/** Before the reset that returns to the image before. @throws {Error} if there is none */
	rejectRunning(): void {
		const active = this.#active();
		const other = this.#entries[1 - active];
		if (other === undefined || !isBootable(other)) throw new Error("otadata: error 0x1505");
		this.#rewrite(active, { ...this.#entries[active]!, state: "invalid" });
	}

	/** Index of the entry that decides. */
	#active(): number {
		const [first, second] = this.#entries.map((entry) =>
			entry !== undefined && isBootable(entry) ? entry.sequence : 0,
		);
		return second! > first! ? 1 : 0;
	}

	#entryOf(slot: number): Entry | undefined {
		return this.#entries.find((entry) => entry !== undefined && (entry.sequence - 1) % 2 === slot);
	}

	/** A sector is erased, then written. */
	#rewrite(index: number, entry: Entry): void {
		this.#step(() => this.#set(index, undefined));
		this.#step(() => this.#set(index, entry));
	}

	#set(index: number, entry: Entry | undefined): void {
		this.#entries[index] = entry;
	}

	#step(change: () => void): void {
		this.steps++;
		this.onStep();
		change();
	}
}

function isBootable({ state }: Entry): boolean {
	return state !== "invalid" && state !== "aborted";
}
