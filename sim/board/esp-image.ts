import { createHash } from "node:crypto";

/*
 * Images of applications as ESP-IDF's bootloader has them (esp_app_format.h, esp_image_format.c): a header of
 * 24 bytes, segments of a header and data each, zeros and a checksum up to a multiple of 16, and the SHA-256
 * of all of that.
 */

const HEADER_SIZE = 24;
const SEGMENT_HEADER_SIZE = 8;
const MAGIC = 0xe9;
const CHECKSUM_START = 0xef;
const MOST_SEGMENTS = 16;
const HASH_SIZE = 32;
/** Of the description of the application, in the first segment: its size, and its version in it. */
const DESCRIPTION_MAGIC = 0xabcd5432;
const DESCRIPTION_SIZE = 256;
const AT_VERSION = 16;
const VERSION_SIZE = 32;
/** Where the drom segment of a C3 begins. */
const LOAD_ADDRESS = 0x3c000020;

/** Why the bootloader would not start an image; undefined: it would. @param bytes the slot from its start */
export function imageFault(bytes: Uint8Array): string | undefined {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const count = bytes[1] ?? 0;
	if (bytes[0] !== MAGIC) return "magic byte";
	if (count > MOST_SEGMENTS) return "number of segments";
	let at = HEADER_SIZE;
	let checksum = CHECKSUM_START;
	for (let i = 0; i < count; i++) {
		if (at + SEGMENT_HEADER_SIZE > bytes.length) return "length";
		const length = view.getUint32(at + 4, true);
		at += SEGMENT_HEADER_SIZE;
		if (length > bytes.length - at) return "length";
		for (const end = at + length; at < end; at++) checksum ^= bytes[at]!;
	}
	const end = (at + 1 + 15) & ~15;
	if (bytes[end - 1] !== checksum) return "checksum";
	if (bytes[HEADER_SIZE - 1] !== 1) return undefined;
	const hash = createHash("sha256").update(bytes.subarray(0, end)).digest();
	return hash.equals(bytes.subarray(end, end + HASH_SIZE)) ? undefined : "SHA-256";
}

/** The version that an image says to be of; empty: it has no description. */
export function imageVersion(bytes: Uint8Array): string {
	const at = HEADER_SIZE + SEGMENT_HEADER_SIZE;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	if (bytes.length < at + DESCRIPTION_SIZE || view.getUint32(at, true) !== DESCRIPTION_MAGIC) return "";
	const text = Buffer.from(bytes.subarray(at + AT_VERSION, at + AT_VERSION + VERSION_SIZE));
	return text.subarray(0, Math.max(text.indexOf(0), 0)).toString("latin1");
}

/**
 * An image that a bootloader would start, filled with noise.
 * @param chip `esp_chip_id_t`
 * @param size of the first segment's data, bytes
 */
export function makeImage(version: string, size: number, chip = 0): Uint8Array<ArrayBuffer> {
	const end = (HEADER_SIZE + SEGMENT_HEADER_SIZE + size + 1 + 15) & ~15;
	const image = new Uint8Array(end + HASH_SIZE);
	const view = new DataView(image.buffer);
	image[0] = MAGIC;
	image[1] = 1;
	view.setUint16(12, chip, true);
	image[HEADER_SIZE - 1] = 1;
	view.setUint32(HEADER_SIZE, LOAD_ADDRESS, true);
	view.setUint32(HEADER_SIZE + 4, size, true);
	const at = HEADER_SIZE + SEGMENT_HEADER_SIZE;
	let noise = 1;
	for (let i = DESCRIPTION_SIZE; i < size; i++) {
		noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0;
		image[at + i] = noise >>> 24;
	}
	view.setUint32(at, DESCRIPTION_MAGIC, true);
	Buffer.from(image.buffer).write(version, at + AT_VERSION, VERSION_SIZE - 1, "latin1");
	let checksum = CHECKSUM_START;
	for (let i = 0; i < size; i++) checksum ^= image[at + i]!;
	image[end - 1] = checksum;
	image.set(createHash("sha256").update(image.subarray(0, end)).digest(), end);
	return image;
}
