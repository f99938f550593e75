import type { Storage } from "../../device";
import { readUint32, writeUint32 } from "../../mqtt/bytes";
import { decodeUTF8, utf8 } from "../../mqtt/utf8";
import { readValue } from "../../stored-value";
import { crc32 } from "../../text/crc32";

/** Name of the storage, and its keys. */
export const UPDATE_PATH = "firefly-update";
const KEYS = Object.freeze(["a", "b"]);

// A record: generation, text, CRC-32 of both
const AT_TEXT = 4;
const CRC_SIZE = 4;
/** Longest text: URL, identifier and digest with their names, each character escaped at most once. */
const TEXT_LIMIT = 1024;

/** An update between the command and its outcome. Firmware of another version may have stored it. */
export interface UpdateState {
	/**
	 * "requested": the image is to be fetched; "trial": it was, and is in the slot; "returned": the chip is to
	 * run the other slot again; "confirmed": it runs and has reported; "failed": it was given up, which is kept
	 * so that a retained command is not another try.
	 */
	readonly phase: "requested" | "trial" | "returned" | "confirmed" | "failed";
	readonly url: string;
	/** In lower-case hexadecimal digits. */
	readonly sha256: string;
	/** Of the command, as the answers repeat it, in JSON. */
	readonly id?: string | undefined;
	/** Requested: fetches that began. Trial: failures to report. */
	readonly tries: number;
	/** Trial: fetches that began; absent: older firmware has stored it. */
	readonly fetches?: number;
	/** Number of the slot with the new image. */
	readonly slot: number;
	/** Failed: why. */
	readonly error?: string;
	/** Confirmed or failed: the broker has not acknowledged the answer that says so; absent: it has. */
	readonly isOwed?: true | undefined;
}

/**
 * The state of an update, in key-value storage: loss of power at a write leaves the state before or after it.
 */
export class StoredUpdate {
	private readonly storage: Storage;
	private readonly buffer: Uint8Array = new Uint8Array(AT_TEXT + TEXT_LIMIT + CRC_SIZE);

	constructor(storage: Storage) {
		this.storage = storage;
	}

	/** @returns undefined: there is none @throws errors of the storage */
	read(): UpdateState | undefined {
		const { buffer } = this;
		const index = this.newest();
		if (index < 0) return undefined;
		const end = this.readKey(KEYS[index]) - CRC_SIZE;
		const state = JSON.parse(decodeUTF8(buffer, AT_TEXT, end)) as UpdateState | null;
		return state ?? undefined;
	}

	/** @param state undefined: there is none any more @throws errors of the storage */
	write(state: UpdateState | undefined): void {
		const { buffer, storage } = this;
		const newest = this.newest();
		const generation = newest < 0 ? 1 : (this.generationOf(newest) + 1) >>> 0;
		const text = utf8(JSON.stringify(state ?? null));
		writeUint32(buffer, 0, generation);
		buffer.set(text, AT_TEXT);
		const end = AT_TEXT + text.length;
		writeUint32(buffer, end, crc32(buffer, 0, end));
		storage.write(KEYS[newest === 0 ? 1 : 0], buffer.slice(0, end + CRC_SIZE));
		storage.sync?.();
	}

	close(): void {
		this.storage.close();
	}

	/** Index of the newest valid record; −1: there is none. Generations wrap around. */
	private newest(): number {
		const first = this.generationOf(0);
		const second = this.generationOf(1);
		if (first < 0 || second < 0) return first >= 0 ? 0 : second >= 0 ? 1 : -1;
		return ((second - first) | 0) > 0 ? 1 : 0;
	}

	/** −1: there is no valid record. */
	private generationOf(index: number): number {
		return this.readKey(KEYS[index]) === 0 ? -1 : readUint32(this.buffer, 0);
	}

	/** Reads a record into the buffer. @returns its length; 0: there is no valid one */
	private readKey(key: string): number {
		const { buffer } = this;
		let length: number;
		try {
			length = readValue(this.storage, key, buffer);
		} catch (error) {
			if (error instanceof RangeError) return 0;
			throw error;
		}
		if (length < AT_TEXT + CRC_SIZE) return 0;
		const end = length - CRC_SIZE;
		return readUint32(buffer, end) === crc32(buffer, 0, end) ? length : 0;
	}
}
