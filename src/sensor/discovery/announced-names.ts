import { isBinary } from "../../config/binary-value";
import type { SensorSettings } from "../../config/types";
import type { Device, Storage } from "../../device";
import { decodeUTF8, utf8 } from "../../mqtt/utf8";

/** Key-value storage of the node, and the key of what it has announced. */
const PATH = "firefly-node";
const KEY = "announced";
/** Bytes: two topics, and the names of all sensors; and of what a few sensors need, which is tried first. */
const MAXIMUM_SIZE = 1024;
const USUAL_SIZE = 128;
const LINE_FEED = 0x0a;

/** Follows the name of a sensor that was announced as on or off: Home Assistant removes it as such. */
const BINARY_MARK = "?";

/** What a node has announced, so that it can be taken back; empty topics: not in this form. */
export interface Announced {
	readonly homeAssistantTopic: string;
	readonly homieBase: string;
	/** Of Homie's description, and the hash that it had it for; 0: not known. */
	readonly homieVersion: number;
	readonly homieHash: number;
	/** Of the sensors, each as {@link announcedName} has it. */
	readonly names: readonly string[];
}

/** Name and kind of a sensor, as they are stored. */
export function announcedName(sensor: SensorSettings): string {
	return isBinary(sensor) ? sensor.name + BINARY_MARK : sensor.name;
}

/** The sensor's name in what {@link announcedName} makes. */
export function nameOf(announced: string): string {
	return wasBinary(announced) ? announced.slice(0, -BINARY_MARK.length) : announced;
}

/** Whether a sensor was announced as on or off. */
export function wasBinary(announced: string): boolean {
	return announced.endsWith(BINARY_MARK);
}

export const NOTHING_ANNOUNCED: Announced = Object.freeze({
	homeAssistantTopic: "",
	homieBase: "",
	homieVersion: 0,
	homieHash: 0,
	names: Object.freeze([]),
});

/** Reads what was announced before, from memory that survives loss of power. */
export function readAnnounced({ storage, trace }: Pick<Device, "storage" | "trace">): Announced {
	if (storage === undefined) return NOTHING_ANNOUNCED;
	let opened: Storage | undefined;
	try {
		opened = storage.open({ path: PATH, format: "buffer" });
		const lines = readLines(opened);
		if (lines.length < 2) return NOTHING_ANNOUNCED;
		// Earlier firmware has stored no version.
		const [homieBase, version = "0", hash = "0"] = lines[1].split(" ");
		const [homieVersion, homieHash] = [Number(version), Number(hash)];
		return { homeAssistantTopic: lines[0], homieBase, homieVersion, homieHash, names: lines.slice(2) };
	} catch (error) {
		trace(`what was announced before is not known: ${error}`);
		return NOTHING_ANNOUNCED;
	} finally {
		opened?.close();
	}
}

function readLines(storage: Storage): string[] {
	let bytes = new Uint8Array(USUAL_SIZE);
	let length = -1;
	while (length < 0)
		try {
			length = storage.read(KEY, bytes) ?? 0;
		} catch (error) {
			// Longer than that, or not readable at all
			if (bytes.length === MAXIMUM_SIZE) throw error;
			bytes = new Uint8Array(bytes.length * 2);
		}
	const lines: string[] = [];
	for (let start = 0, end = 0; end < length; end++) {
		if (bytes[end] !== LINE_FEED) continue;
		lines.push(decodeUTF8(bytes, start, end));
		start = end + 1;
	}
	return lines;
}

/**
 * Stores what is announced now, if that is something else: flash wears.
 * @param text see {@link announcedText}
 */
export function writeAnnounced(
	device: Pick<Device, "storage" | "trace">,
	before: Announced,
	text: string,
): void {
	const { storage } = device;
	if (storage === undefined) return;
	if (text === announcedText(before.homeAssistantTopic, homieLine(before), before.names)) return;
	write(device, storage, utf8(text));
}

function write(
	device: Pick<Device, "trace">,
	storage: NonNullable<Device["storage"]>,
	lines: Uint8Array,
): void {
	let opened: Storage | undefined;
	try {
		opened = storage.open({ path: PATH, format: "buffer" });
		if (lines[0] === LINE_FEED && lines[1] === LINE_FEED) opened.delete(KEY);
		else opened.write(KEY, lines);
		opened.sync?.();
	} catch (error) {
		device.trace(`what was announced is not stored: ${error}`);
	} finally {
		opened?.close();
	}
}

type HomieRecord = Pick<Announced, "homieBase" | "homieVersion" | "homieHash">;

/** What is stored of Homie: its base topic, version and hash. */
export function homieLine({ homieBase, homieVersion, homieHash }: HomieRecord): string {
	return homieBase === "" ? "" : `${homieBase} ${homieVersion} ${homieHash}`;
}

/**
 * What is stored: a line for each topic, which may be empty, and each sensor.
 * @param homie see {@link homieLine}
 */
export function announcedText(
	homeAssistantTopic: string,
	homie: string,
	names: readonly (string | SensorSettings)[],
): string {
	let text = `${homeAssistantTopic}\n${homie}\n`;
	for (let i = 0; i < names.length; i++) {
		const name = names[i];
		text += typeof name === "string" ? name : announcedName(name);
		text += "\n";
	}
	return text;
}
