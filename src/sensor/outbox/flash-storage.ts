import type { Device, Storage } from "../../device";
import { readValue } from "../../stored-value";

/** Name of the outbox's key-value storage. */
export const OUTBOX_PATH = "outbox";

/**
 * Result of a read that failed: nothing is known of the value, which may be there, and intact. A value that
 * flash has damaged is none: ESP-IDF's NVS deletes it as it is read, see {@link readValue}. What is left are
 * failures of the moment, as of the flash chip (ESP_ERR_FLASH_OP_FAIL) or of memory (ESP_ERR_NO_MEM), and of
 * a page until the next reset (ESP_ERR_NVS_INVALID_STATE). The SDK's `read` may throw a RangeError or a
 * TypeError in their place, as it goes on with a length and a type that it has not got.
 */
export const UNREADABLE = -1;

/** The outbox's key-value storage, whose errors it takes: it says so once a run. */
export class FlashStorage {
	readonly device: Pick<Device, "event" | "storage" | "trace">;
	private storage: Storage | undefined;
	private failed = false;

	constructor(device: Pick<Device, "event" | "storage" | "trace">) {
		this.device = device;
	}

	/** Opens the storage. Without it the first read or write does, which takes the deepest stack of a wake. */
	prepare(): void {
		try {
			this.open();
		} catch (error) {
			this.fail(error);
		}
	}

	/** @returns bytes of the value; 0: there is none; or {@link UNREADABLE} */
	protected readKey(key: string, bytes: Uint8Array): number {
		try {
			const storage = this.open();
			return storage === undefined ? 0 : readValue(storage, key, bytes);
		} catch (error) {
			this.fail(error);
			return UNREADABLE;
		}
	}

	protected writeKey(key: string, bytes: Uint8Array): void {
		try {
			this.open()?.write(key, bytes);
		} catch (error) {
			this.fail(error);
		}
	}

	/** @returns whether there is no value any more */
	protected deleteKey(key: string): boolean {
		try {
			this.open()?.delete(key);
			return true;
		} catch (error) {
			this.fail(error);
			return false;
		}
	}

	private open(): Storage | undefined {
		if (this.storage === undefined) {
			this.storage = this.device.storage?.open({ path: OUTBOX_PATH, format: "buffer" });
			if (this.storage === undefined) this.fail(new Error("the host has none"));
		}
		return this.storage;
	}

	private fail(error: unknown): void {
		if (this.failed) return;
		this.failed = true;
		this.device.trace(`storage: ${error}; until it works, a loss of power loses reports`);
	}
}
