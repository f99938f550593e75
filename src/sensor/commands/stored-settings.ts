import type { Storage } from "../../device";
import { readUint32, writeUint32 } from "../../mqtt/bytes";
import { readValue } from "../../stored-value";
import { crc32 } from "../../text/crc32";

/** Name of the storage, and its keys: of the settings, and of the last generation that a report confirmed. */
export const SETTINGS_PATH = "firefly-set";
const SLOT_KEYS = Object.freeze(["a", "b", "c"]);
const CONFIRMED_KEY = "confirmed";

/** Longest text of settings, bytes. */
export const SETTINGS_TEXT_LIMIT = 512;

// A record: generation, text, CRC-32 of both
const AT_GENERATION = 0;
const AT_TEXT = 4;
const CRC_SIZE = 4;

/** Settings as they are stored. */
export interface StoredRecord {
	/** 1 … 2^32 − 1; 0: there are none. */
	readonly generation: number;
	/** UTF-8. */
	readonly text: Uint8Array;
	/** The last generation with which a report was acknowledged; 0: none that is still stored. */
	readonly confirmed: number;
}

/**
 * Settings of the command `set`, in key-value storage: the newest valid record is in force. There are places
 * for three, those in force, the last confirmed ones, and the next ones, so that loss of power at any write
 * leaves the settings before or after it. What was written in part has a wrong CRC.
 */
export class StoredSettings {
	private readonly storage: Storage;
	private readonly buffer: Uint8Array = new Uint8Array(AT_TEXT + SETTINGS_TEXT_LIMIT + CRC_SIZE);

	constructor(storage: Storage) {
		this.storage = storage;
	}

	/** @throws errors of the storage */
	read(): StoredRecord {
		const confirmed = this.readConfirmed();
		let generation = 0;
		let isKnown = false;
		for (let slot = 0; slot < SLOT_KEYS.length; slot++) {
			const found = this.generationOf(slot);
			if (found > generation) generation = found;
			if (found === confirmed) isKnown = true;
		}
		const slot = this.slotOf(generation);
		const length = slot < 0 ? 0 : this.readSlot(slot);
		const { buffer } = this;
		return {
			generation,
			text: length === 0 ? new Uint8Array(0) : buffer.slice(AT_TEXT, length - CRC_SIZE),
			confirmed: isKnown ? confirmed : 0,
		};
	}

	/**
	 * Writes settings beside those in force and the last confirmed ones.
	 * @param present what {@link read} found
	 * @returns their generation
	 * @throws errors of the storage; then those in force may be the old or the new ones
	 */
	write(present: StoredRecord, text: Uint8Array): number {
		const inForce = this.slotOf(present.generation);
		const fallback = this.slotOf(present.confirmed);
		let slot = 0;
		while (slot === inForce || slot === fallback) slot++;
		const generation = present.generation + 1;
		const { buffer, storage } = this;
		writeUint32(buffer, AT_GENERATION, generation);
		buffer.set(text, AT_TEXT);
		const end = AT_TEXT + text.length;
		writeUint32(buffer, end, crc32(buffer, 0, end));
		storage.write(SLOT_KEYS[slot], buffer.slice(0, end + CRC_SIZE));
		storage.sync?.();
		return generation;
	}

	/** A report was acknowledged with the settings in force. @throws errors of the storage */
	confirm(generation: number): void {
		const record = new Uint8Array(4 + CRC_SIZE);
		writeUint32(record, 0, generation);
		writeUint32(record, 4, crc32(record, 0, 4));
		this.storage.write(CONFIRMED_KEY, record);
		this.storage.sync?.();
	}

	/**
	 * Gives up all settings after the last confirmed ones, the newest last, so that loss of power leaves those
	 * or the newest.
	 * @throws errors of the storage
	 */
	restore({ generation, confirmed }: StoredRecord): void {
		for (const isNewest of [false, true])
			for (let slot = 0; slot < SLOT_KEYS.length; slot++) {
				const found = this.generationOf(slot);
				if (found <= confirmed || (found === generation) !== isNewest) continue;
				this.storage.delete(SLOT_KEYS[slot]);
				this.storage.sync?.();
			}
	}

	close(): void {
		this.storage.close();
	}

	/** The slot of a generation; −1: none. */
	private slotOf(generation: number): number {
		if (generation > 0)
			for (let slot = 0; slot < SLOT_KEYS.length; slot++)
				if (this.generationOf(slot) === generation) return slot;
		return -1;
	}

	/** 0: there is no valid record. */
	private generationOf(slot: number): number {
		return this.readSlot(slot) === 0 ? 0 : readUint32(this.buffer, AT_GENERATION);
	}

	/** Reads a record into the buffer. @returns its length; 0: there is no valid one */
	private readSlot(slot: number): number {
		const { buffer } = this;
		const length = this.readKey(SLOT_KEYS[slot], buffer);
		if (length < AT_TEXT + CRC_SIZE) return 0;
		const end = length - CRC_SIZE;
		return readUint32(buffer, end) === crc32(buffer, 0, end) ? length : 0;
	}

	private readConfirmed(): number {
		const { buffer } = this;
		if (this.readKey(CONFIRMED_KEY, buffer) !== 4 + CRC_SIZE) return 0;
		return readUint32(buffer, 4) === crc32(buffer, 0, 4) ? readUint32(buffer, 0) : 0;
	}

	/** A value longer than the buffer is none of these. */
	private readKey(key: string, buffer: Uint8Array): number {
		try {
			return readValue(this.storage, key, buffer);
		} catch (error) {
			if (error instanceof RangeError) return 0;
			throw error;
		}
	}
}
