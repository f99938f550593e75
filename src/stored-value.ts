import type { Storage } from "./device";

/**
 * Reads after which a value counts as one that cannot be read. ESP-IDF's NVS tells by a CRC what flash has
 * damaged, and deletes it: the first read deletes its bytes, and fails with ESP_ERR_NVS_NOT_FOUND; the second
 * one deletes its index, and fails with ESP_FAIL; the third one finds nothing. Each is an error of the SDK's
 * `read`, which has found the key before.
 */
const READS = 3;

/**
 * Reads a value, once more where that fails: what flash has damaged is then no value.
 * @returns bytes of the value; 0: there is none
 * @throws RangeError for a value that is longer than the buffer; errors of the storage that do not pass
 */
export function readValue(storage: Storage, key: string, buffer: Uint8Array): number {
	for (let reads = 1; ; reads++)
		try {
			return storage.read(key, buffer) ?? 0;
		} catch (error) {
			if (reads === READS) throw error;
		}
}
