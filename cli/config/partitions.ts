import { readFileSync } from "node:fs";
import { readErrorText } from "./file";

/** Size of the partition `nvs` in a partition table of ESP-IDF, in bytes; or why it is not known. */
export function readNVSSize(path: string): number | string {
	let text: string;
	try {
		text = readFileSync(path, "utf8");
	} catch (error) {
		return readErrorText(error);
	}
	for (const line of text.split("\n")) {
		const [name, type, subtype, , size] = line.split(",").map((part) => part.trim());
		// NVS is opened by this name.
		if (name !== "nvs" || type !== "data" || subtype !== "nvs") continue;
		return parseSize(size ?? "") ?? `has a partition nvs whose size is ${JSON.stringify(size ?? "")}`;
	}
	return "has no partition nvs";
}

/** `0x6000`, `24K`, `1M` or a number of bytes. */
function parseSize(text: string): number | undefined {
	const match = /^(0x[0-9a-f]+|\d+)([KM]?)$/i.exec(text);
	if (match === null) return undefined;
	const unit = match[2]?.toUpperCase();
	return Number(match[1]) * (unit === "K" ? 1024 : unit === "M" ? 1_048_576 : 1);
}
