/*
 * The start of an image, as ESP-IDF's bootloader has it (esp_app_format.h, esp_app_desc.h): header of 24
 * bytes, header of the first segment, and in that segment the description of the application.
 */

/** Bytes that {@link imageProblem} reads. */
export const IMAGE_HEADER_SIZE = 36;

const AT_MAGIC = 0;
const MAGIC = 0xe9;
const AT_CHIP = 12;
const AT_HASH_APPENDED = 23;
const AT_DESCRIPTION = 32;
/** 0xabcd5432, little endian. */
const DESCRIPTION_MAGIC: Uint8Array = new Uint8Array([0x32, 0x54, 0xcd, 0xab]);

/** The number of a chip in a header, `esp_chip_id_t`; undefined: not known. */
function chipNumber(chip: string): number | undefined {
	switch (chip) {
		case "esp32":
			return 0;
		case "esp32s2":
			return 2;
		case "esp32c3":
			return 5;
		case "esp32s3":
			return 9;
		case "esp32c6":
			return 13;
		default:
			return undefined;
	}
}

/**
 * What is wrong with an image, as far as its start tells.
 * @param bytes its first bytes, {@link IMAGE_HEADER_SIZE} or more
 * @param chip name of the chip that is to run it
 */
export function imageProblem(bytes: Uint8Array, chip: string): string | undefined {
	if (bytes[AT_MAGIC] !== MAGIC) return "what is there is no image of an ESP32: it does not begin with 0xe9";
	const number = bytes[AT_CHIP] | (bytes[AT_CHIP + 1] << 8);
	if (number !== chipNumber(chip)) return `the image is for another chip, number ${number}, not for ${chip}`;
	for (let i = 0; i < DESCRIPTION_MAGIC.length; i++)
		if (bytes[AT_DESCRIPTION + i] !== DESCRIPTION_MAGIC[i])
			return "what is there is no application: a bootloader, or the file for the whole flash";
	if (bytes[AT_HASH_APPENDED] !== 1) return "the image has no checksum of its own";
	return undefined;
}
