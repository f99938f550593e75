import { Directory, File } from "file";
import type { Storage, StorageModule } from "../../src/device";

/**
 * Stores each key in a file of its own, in one folder. A write replaces the whole file: a power loss in
 * between leaves the old value.
 */
class FolderStorage implements Storage {
	readonly #folder: string;

	constructor(folder: string) {
		this.#folder = folder;
		Directory.create(folder);
	}

	read(key: string, buffer: Uint8Array): number | undefined {
		const path = this.#folder + key;
		if (!File.exists(path)) return undefined;
		const file = new File(path, false);
		try {
			const { length } = file;
			if (length > buffer.length) throw new RangeError("buffer too small");
			if (length > 0) buffer.set(new Uint8Array(file.read(ArrayBuffer)));
			return length;
		} finally {
			file.close();
		}
	}

	write(key: string, value: Uint8Array): void {
		const path = `${this.#folder}${key}.new`;
		// An existing file would keep the bytes beyond the new value.
		File.delete(path);
		const file = new File(path, true);
		try {
			file.write(value.slice().buffer);
		} finally {
			file.close();
		}
		if (!File.rename(path, key)) throw new Error(`cannot replace ${key}`);
	}

	delete(key: string): void {
		File.delete(this.#folder + key);
	}

	close(): void {}
}

/**
 * Key-value storage in a board's folder; the SDK has none on desktop computers.
 * @param folder ends with a separator
 */
export function folderStorage(folder: string): StorageModule {
	return Object.freeze({
		open: ({ path }: { readonly path: string }): Storage => new FolderStorage(`${folder}${path}/`),
	});
}
