import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { didYouMean, nearest } from "../config/suggest";
import { Failure } from "../failure";

/** A board or development kit that the SDK can build for. */
export interface Target {
	/** `esp32c3`, `nodemcu`. */
	readonly name: string;
	/** mcconfig's platform: `esp32`, `esp32/nodemcu`. */
	readonly platform: string;
	/** The chip, as ESP-IDF and esptool call it: `esp32`, `esp32c3`. */
	readonly chip: string;
}

/** Development kits, one a chip; the SDK has boards besides. */
const KITS = ["esp32", "esp32s3", "esp32c3", "esp32c6"];
/** Platforms of the SDK on which Firefly does not run. */
const FOREIGN = ["esp", "esp8266", "pico", "nrf52", "gecko", "pebble", "qca4020", "zephyr", "wasm"];
const DESKTOP = ["lin", "mac", "win", "sim", "simulator", "x-lin", "x-mac", "x-win"];
const WITHOUT_WIFI = /^esp32(h2|h4|p4)/;

/**
 * The target that a person means: `esp32c3`, `esp32/esp32c3`, `nodemcu`.
 * @param root folder of the SDK; undefined: it was not found, and only the kits are known
 * @throws {Failure} that says what there is
 */
export function findTarget(text: string, root: string | undefined): Target {
	const name = text.toLowerCase().replace(/^esp32\/+/, "");
	const [platform = name] = name.split("/");
	if (DESKTOP.includes(platform)) throw new Failure(`${text} is mcsim on a computer: npx firefly mcsim`);
	if (FOREIGN.includes(platform))
		throw new Failure(`Firefly does not run on ${text}: it needs an ESP32 with Wi-Fi, ${KITS.join(", ")}`);
	if (WITHOUT_WIFI.test(name)) throw withoutWiFi(name);
	if (name === "esp32") return { name, platform: "esp32", chip: "esp32" };
	if (root === undefined) {
		if (KITS.includes(name)) return { name, platform: `esp32/${name}`, chip: name };
		throw new Failure(unknownTarget(text, name, KITS));
	}
	const folder = join(root, "build", "devices", "esp32", "targets");
	const known = targetNames(folder);
	if (!known.includes(name)) {
		const boards = known.filter((target) => chipOf(folder, target) === name);
		if (boards.length === 0) throw new Failure(unknownTarget(text, name, [...KITS, ...known]));
		throw new Failure(`the SDK has no target ${text}; its boards with that chip: ${boards.join(", ")}`);
	}
	const chip = chipOf(folder, name);
	if (WITHOUT_WIFI.test(chip)) throw withoutWiFi(chip);
	return { name, platform: `esp32/${name}`, chip };
}

function withoutWiFi(chip: string): Failure {
	return new Failure(
		`${chip} has no Wi-Fi, which Firefly needs: take another ESP32, such as ${KITS.join(", ")}`,
	);
}

function unknownTarget(text: string, name: string, known: readonly string[]): string {
	const suggestion = nearest(name.replaceAll(/[^a-z0-9]/g, ""), known) ?? nearest(name, known);
	if (suggestion !== undefined) return `there is no target ${text}${didYouMean(suggestion)}`;
	return `there is no target ${text}: development kits are ${KITS.join(", ")}, and boards have a folder in the SDK's build/devices/esp32/targets`;
}

function targetNames(folder: string): string[] {
	if (!existsSync(folder)) return [];
	return readdirSync(folder).filter((name) => existsSync(join(folder, name, "manifest.json")));
}

/** The SDK's manifests may have comments: this is no JSON. */
function chipOf(folder: string, name: string): string {
	const text = readFileSync(join(folder, name, "manifest.json"), "utf8");
	return /"ESP32_SUBCLASS"\s*:\s*"(\w+)"/.exec(text)?.[1] ?? "esp32";
}
