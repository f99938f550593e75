import type { Storage, StorageModule } from "../../src/device";

const MEDIUM_ERROR = "ESP_ERR_FLASH_OP_FAIL";

/** Storage of a board, whose reads and writes can fail. */
export class FaultyStorage implements StorageModule {
	/** Every write and deletion throws, and changes nothing. */
	failing = false;
	/** Every read throws: nothing is known of what is there, and it is not changed. */
	unreadable = false;
	/** There is no room: every write throws. */
	full = false;
	/** Decides what the next write leaves of a value, and takes the power; it is called once. */
	tear: ((length: number) => TornValue) | undefined;
	readonly #storage: StorageModule;

	/** @param storage what keeps the values */
	constructor(storage: StorageModule) {
		this.#storage = storage;
	}

	open(options: { readonly path: string }): Storage {
		const storage = this.#storage.open(options);
		return {
			read: (key, buffer) => {
				if (this.unreadable) throw new Error(MEDIUM_ERROR);
				return storage.read(key, buffer);
			},
			write: (key, value) => {
				if (this.full) throw new Error("ESP_ERR_NVS_NOT_ENOUGH_SPACE");
				this.#checkMedium();
				const torn = this.#takeTear(value.length);
				if (torn === undefined) storage.write(key, value);
				else if (torn === "none") storage.delete(key);
				else if (torn !== "old") storage.write(key, value.subarray(0, torn));
				if (torn !== undefined) throw new Error("the power failed during a write");
			},
			delete: (key) => {
				this.#checkMedium();
				storage.delete(key);
			},
			sync: () => storage.sync?.(),
			close: () => storage.close(),
		};
	}

	#takeTear(length: number): TornValue | undefined {
		const { tear } = this;
		this.tear = undefined;
		return tear?.(length);
	}

	#checkMedium(): void {
		if (this.failing) throw new Error(MEDIUM_ERROR);
	}
}

/**
 * What a write that the power failed during leaves: the old value, none, or that many bytes of the new one.
 */
export type TornValue = "old" | "none" | number;
