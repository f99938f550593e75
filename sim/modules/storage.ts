import type { Storage as KeyValueStorage } from "../../src/device";
import type { Native } from "./native";

/** ECMA-419's key-value storage, "buffer" format. */

class Storage implements KeyValueStorage {
	#id: number;

	constructor(path: string) {
		this.#id = (native("sim_storage_open") as Native).call(undefined, path) as number;
	}

	read(key: string, buffer: Uint8Array): number | undefined {
		const length = (native("sim_storage_read") as Native).call(undefined, this.#id, key, buffer) as number;
		if (length > buffer.length) throw new RangeError("buffer too small");
		return length < 0 ? undefined : length;
	}

	write(key: string, value: Uint8Array): void {
		(native("sim_storage_write") as Native).call(undefined, this.#id, key, value);
	}

	delete(key: string): void {
		(native("sim_storage_delete") as Native).call(undefined, this.#id, key);
	}

	/** Not in NVS, where each write is durable by itself. */
	sync(): void {
		(native("sim_storage_sync") as Native).call(undefined, this.#id);
	}

	close(): void {
		const id = this.#id;
		if (id < 0) return;
		this.#id = -1;
		(native("sim_storage_close") as Native).call(undefined, id);
	}
}

export default Object.freeze({
	open: ({ path }: { readonly path: string }): KeyValueStorage => new Storage(path),
});
