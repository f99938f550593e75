import type { JSONObject } from "../../sim/manifest/manifest-reader";
import type { Storage, StorageModule } from "../../src/device";

/** Where a node keeps what `set` has changed: the storage, and the keys of the records. */
const SETTINGS_PATH = "firefly-set";
const RECORD_KEYS = ["a", "b", "c"];
// A record: generation, JSON, checksum
const AT_JSON = 4;
const CHECKSUM_SIZE = 4;

/** From a time on, the settings that are stored. */
export interface StoredSettings {
	/** ms since 1970 */
	readonly time: number;
	/** Overrides of the configuration, as the command had them; absent: there are none. */
	readonly settings?: JSONObject;
}

/** Storage of a board, and when which settings were in it. */
export class SettingsLog implements StorageModule {
	readonly changes: StoredSettings[] = [];
	readonly #storage: StorageModule;
	readonly #now: () => number;
	readonly #records = new Map<string, { readonly generation: number; readonly settings: JSONObject }>();

	/** @param storage whose writes may fail @param now ms since 1970 */
	constructor(storage: StorageModule, now: () => number) {
		this.#storage = storage;
		this.#now = now;
	}

	open(options: { readonly path: string }): Storage {
		const storage = this.#storage.open(options);
		if (options.path !== SETTINGS_PATH) return storage;
		return {
			read: (key, buffer) => storage.read(key, buffer),
			write: (key, value) => {
				// Lost if the power fails now. If the write fails, what stays is too old to be in force again.
				this.#records.delete(key);
				storage.write(key, value);
				if (!RECORD_KEYS.includes(key)) return;
				const bytes = Buffer.from(value);
				const text = bytes.toString("utf8", AT_JSON, value.length - CHECKSUM_SIZE);
				this.#records.set(key, {
					generation: bytes.readUInt32BE(0),
					settings: text === "" ? {} : (JSON.parse(text) as JSONObject),
				});
				this.#note();
			},
			delete: (key) => {
				storage.delete(key);
				if (this.#records.delete(key)) this.#note();
			},
			sync: () => storage.sync?.(),
			close: () => storage.close(),
		};
	}

	/** The newest record is in force. */
	#note(): void {
		let newest = 0;
		let settings: JSONObject | undefined;
		for (const record of this.#records.values()) {
			if (record.generation <= newest) continue;
			newest = record.generation;
			({ settings } = record);
		}
		this.changes.push({ time: this.#now(), ...(settings === undefined ? {} : { settings }) });
	}
}
