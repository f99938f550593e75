import { readFileSync } from "node:fs";
import { readErrorText } from "./file";

/** A line of a partition table of ESP-IDF. */
export interface Partition {
	readonly name: string;
	readonly type: string;
	readonly subtype: string;
	/** As written: `0x6000`, `24K`. */
	readonly size: string;
	/** Bytes; undefined: it cannot be read. */
	readonly bytes: number | undefined;
}

/** The partitions of a table, in its order. */
export function parsePartitions(text: string): readonly Partition[] {
	return text
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line !== "" && !line.startsWith("#"))
		.map((line) => {
			const [name = "", type = "", subtype = "", , size = ""] = line.split(",").map((part) => part.trim());
			return { name, type, subtype, size, bytes: parseSize(size) };
		});
}

/** The smallest partition for an image of the firmware; undefined: the table has none whose size is known. */
export function imagePartition(text: string): { readonly name: string; readonly bytes: number } | undefined {
	const images = parsePartitions(text).flatMap(({ name, type, bytes }) =>
		(type === "app" || type === "0") && bytes !== undefined ? [{ name, bytes }] : [],
	);
	return images.sort((a, b) => a.bytes - b.bytes)[0];
}

/**
 * Whether a partition table has two slots for images over the network, and what says which of them runs; or
 * why it is not known.
 */
export function hasImageSlots(path: string): boolean | string {
	let text: string;
	try {
		text = readFileSync(path, "utf8");
	} catch (error) {
		return readErrorText(error);
	}
	const subtypes = parsePartitions(text).map(({ subtype }) => subtype);
	return ["ota", "ota_0", "ota_1"].every((subtype) => subtypes.includes(subtype));
}

/** Size of the partition `nvs` in a partition table of ESP-IDF, in bytes; or why it is not known. */
export function readNVSSize(path: string): number | string {
	let text: string;
	try {
		text = readFileSync(path, "utf8");
	} catch (error) {
		return readErrorText(error);
	}
	// NVS is opened by this name.
	const nvs = parsePartitions(text).find(
		({ name, type, subtype }) => name === "nvs" && type === "data" && subtype === "nvs",
	);
	if (nvs === undefined) return "has no partition nvs";
	return nvs.bytes ?? `has a partition nvs whose size is ${JSON.stringify(nvs.size)}`;
}

/** `0x6000`, `24K`, `1M` or a number of bytes. */
function parseSize(text: string): number | undefined {
	const match = /^(0x[0-9a-f]+|\d+)([KM]?)$/i.exec(text);
	if (match === null) return undefined;
	const unit = match[2]?.toUpperCase();
	return Number(match[1]) * (unit === "K" ? 1024 : unit === "M" ? 1_048_576 : 1);
}
