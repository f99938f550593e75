import type { Storage, StorageModule } from "../../src/device";

/** Size of an entry of ESP-IDF's NVS, bytes. */
const ENTRY_SIZE = 32;
/**
 * Entries of the SDK's NVS partition of 24 KB: six pages of 126, of which one stays free for garbage
 * collection, less about a page for the radio's calibration and settings.
 */
export const DEFAULT_ENTRIES = 4 * 126;

/** The flash of a board as a key-value store. It keeps values while the power is off. */
export class Flash implements StorageModule {
	readonly #entries: number;
	readonly #values = new Map<string, Uint8Array>();
	#used = 0;

	/** @param capacity, entries */
	constructor(entries = DEFAULT_ENTRIES) {
		this.#entries = entries;
	}

	/** Entries in use. */
	get used(): number {
		return this.#used;
	}

	open({ path }: { readonly path: string }): Storage {
		const name = (key: string): string => `${path}/${key}`;
		return {
			read: (key, buffer) => this.#read(name(key), buffer),
			write: (key, value) => this.#write(name(key), value),
			delete: (key) => this.#delete(name(key)),
			close() {},
		};
	}

	#read(key: string, buffer: Uint8Array): number | undefined {
		const value = this.#values.get(key);
		if (value === undefined) return undefined;
		if (value.length > buffer.length) throw new RangeError("buffer too small");
		buffer.set(value);
		return value.length;
	}

	/** The old value is freed only after the new one has been written. */
	#write(key: string, value: Uint8Array): void {
		if (this.#used + entriesNeeded(value) > this.#entries) throw new Error("ESP_ERR_NVS_NOT_ENOUGH_SPACE");
		this.#delete(key);
		this.#values.set(key, value.slice());
		this.#used += entriesNeeded(value);
	}

	#delete(key: string): void {
		const value = this.#values.get(key);
		if (value === undefined) return;
		this.#values.delete(key);
		this.#used -= entriesNeeded(value);
	}
}

/** Two for the key: one before the bytes, and one for their position. */
function entriesNeeded(value: Uint8Array): number {
	return 2 + Math.ceil(value.length / ENTRY_SIZE);
}
