import type { Storage, StorageModule } from "../../src/device";
import { Handles } from "./handles";
import type { Natives, Peripheral } from "./peripheral";

/** Bytes of a name in ESP-IDF's NVS (NVS_KEY_NAME_MAX_SIZE − 1). */
const MAX_NAME_LENGTH = 15;
/** Returned if there is no value. */
const MISSING = -1;

/** Key-value storage by number, with the limits of ESP-IDF's NVS on names. */
export class KeyValue implements Peripheral {
	readonly natives: Natives;
	readonly #storages = new Handles<Storage>();

	/** @param storageModule storage of the values */
	constructor(storageModule: StorageModule) {
		this.natives = {
			sim_storage_open: (path: string) => this.#storages.add(storageModule.open({ path: checkName(path) })),
			sim_storage_read: (id: number, key: string, buffer: Uint8Array) =>
				readValue(this.#storages.get(id), checkName(key), buffer),
			sim_storage_write: (id: number, key: string, value: Uint8Array) =>
				this.#storages.get(id).write(checkName(key), value),
			sim_storage_delete: (id: number, key: string) => this.#storages.get(id).delete(checkName(key)),
			sim_storage_sync: (id: number) => this.#storages.get(id).sync?.(),
			sim_storage_close: (id: number) => this.#storages.remove(id)?.close(),
		};
	}

	reset(): void {
		for (const storage of this.#storages.removeAll()) storage.close();
	}
}

function readValue(storage: Storage, key: string, buffer: Uint8Array): number {
	try {
		return storage.read(key, buffer) ?? MISSING;
	} catch (error) {
		// A RangeError thrown here would reach the firmware as a plain Error.
		if (error instanceof RangeError) return buffer.length + 1;
		throw error;
	}
}

function checkName(name: string): string {
	if (name === "") throw new Error("ESP_ERR_NVS_INVALID_NAME");
	if (Buffer.byteLength(name) > MAX_NAME_LENGTH) throw new Error("ESP_ERR_NVS_KEY_TOO_LONG");
	return name;
}
