import type { Storage, StorageModule } from "../../src/device";

/**
 * Storage in which flash has damaged values, as ESP-IDF 6.0's NVS has it: it deletes such a value in two
 * reads, both of which fail, and has none from then on.
 */
export class DamagedValues implements StorageModule {
	/** Keys whose values are damaged, and how often each was read since. */
	readonly reads = new Map<string, number>();
	readonly #storage: StorageModule;

	constructor(storage: StorageModule, keys: Iterable<string>) {
		this.#storage = storage;
		for (const key of keys) this.reads.set(key, 0);
	}

	open(options: { readonly path: string }): Storage {
		const storage = this.#storage.open(options);
		return {
			read: (key, buffer) => {
				const reads = this.reads.get(key);
				if (reads === undefined || storage.read(key, new Uint8Array(65_536)) === undefined)
					return storage.read(key, buffer);
				this.reads.set(key, reads + 1);
				if (reads === 0) throw new Error("ESP_ERR_NVS_NOT_FOUND");
				this.reads.delete(key);
				storage.delete(key);
				throw new Error("ESP_FAIL");
			},
			write: (key, value) => {
				this.reads.delete(key);
				storage.write(key, value);
			},
			delete: (key) => {
				this.reads.delete(key);
				storage.delete(key);
			},
			close: () => storage.close(),
			sync: () => storage.sync?.(),
		};
	}
}
