import type { Storage, StorageModule } from "../../src/device";

/** What ESP-IDF's NVS counts in, bytes. */
const ENTRY_SIZE = 32;
/**
 * Entries of the SDK's NVS partition of 24 KB: six pages of 126, of which one stays free for moving house,
 * less about a page that the radio's calibration and settings take.
 */
export const DEFAULT_ENTRIES = 4 * 126;

/** The flash of a board as a store of values by key. It keeps them while the power is off. */
export class Flash implements StorageModule {
	readonly #entries: number;
	readonly #values = new Map<string, Uint8Array>();
	#used = 0;

	/** @param entries that it has room for */
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

	/** The old value makes room only when the new one is there. */
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

/** Two for the key: one before the bytes, one that tells where they are. */
function entriesNeeded(value: Uint8Array): number {
	return 2 + Math.ceil(value.length / ENTRY_SIZE);
}
