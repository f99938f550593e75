import { connectFields, connectSize } from "../../src/client/connect-fields";
import { publishSize } from "../../src/client/limits";
import { readSettings, type Settings } from "../../src/config/settings";
import { MQTTError } from "../../src/mqtt/error";
import { RETAINED_BYTES } from "../../src/retained-memory";
import { deriveSettings } from "../../src/sensor/derived-settings";
import { headerSize } from "../../src/sensor/layout";
import { RECORD_HEADER, VALUE_LIMIT } from "../../src/sensor/report-record";
import { fillTopic } from "../../src/sensor/topic";
import { chipProblems } from "./chip-limits";
import type { ManifestView } from "./json";
import { memoryShortage } from "./memory";
import type { Overrides } from "./overrides";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";

/** Number of wakes whose samples an outbox should hold. */
const minimumWakes = 4;

const root: Path = ["config", "firefly"];
/** Longest identity of a device. */
const longestIdentity = { mac: "0".repeat(12), chip: "esp32c61" };

/**
 * Reports what does not fit its memory: everything in the arena of the chip, posts in the message queue,
 * packets in the send buffer, samples in the outbox, the outbox in retained memory. The firmware's own code
 * computes the sizes; values that the schema rejects have their defaults, as on the device.
 * @param onChip whether the memory is that of a chip
 */
export function sizeProblems(document: ManifestView, overrides: Overrides, onChip: boolean): Problem[] {
	const settings = deviceSettings(document, overrides);
	const arena = onChip ? [...arenaProblems(document, settings), ...chipProblems(document, settings)] : [];
	if (settings.role === "broker") return arena;
	return [...arena, ...packetProblems(document, settings), ...outboxProblems(document, settings)];
}

/** The settings of a device with the longest identity; values that the schema rejects have their defaults. */
export function deviceSettings(document: ManifestView, overrides: Overrides): Settings {
	const config = valueAt(document.value, ["config"]);
	return readSettings({ ...Object(config), ...overrides }, longestIdentity, () => {});
}

/** Bytes of the arena and slots of the stack, where the manifest has them. */
export function creationSizes(document: ManifestView): { readonly arena?: number; readonly stack?: number } {
	const arena = numberAt(document, ["creation", "static"]);
	const stack = numberAt(document, ["creation", "stack"]);
	return { ...(arena === undefined ? {} : { arena }), ...(stack === undefined ? {} : { stack }) };
}

function arenaProblems(document: ManifestView, settings: Settings): Problem[] {
	const { arena, stack } = creationSizes(document);
	const shortage = memoryShortage(settings, arena, stack);
	if (shortage === undefined) return [];
	const listen = [...root, "listen"];
	const place = shortage.key === undefined ? listen : [...listen, shortage.key];
	return [document.at(valueAt(document.value, listen) === undefined ? root : place, shortage.message)];
}

function numberAt(document: ManifestView, path: Path): number | undefined {
	const value = valueAt(document.value, path);
	return typeof value === "number" ? value : undefined;
}

function packetProblems(document: ManifestView, settings: Settings): Problem[] {
	const problems: Problem[] = [];
	const { sendBuffer } = settings.broker;
	const written = valueAt(document.value, [...root, "broker", "sendBuffer"]) !== undefined;
	const place = [...root, "broker", ...(written ? ["sendBuffer"] : [])];
	const refuse = (what: string, size: number, shorten: string): void => {
		if (size <= sendBuffer) return;
		const least = written ? `raise it to ${size}` : `set it to ${size}`;
		problems.push(
			document.at(
				place,
				`${what} takes up to ${size} bytes, but broker.sendBuffer is ${sendBuffer}; ${least} or more, or shorten ${shorten}`,
			),
		);
	};
	refuse("a report", reportSize(settings), "topic or the names of sensors");
	refuse("a message of diagnostics", diagnosticsSize(settings), "diagnostics.topic");
	try {
		refuse(
			"CONNECT",
			connectSize(connectFields(settings.broker), settings.broker.version),
			"clientId, username, password or will",
		);
	} catch (error) {
		if (!(error instanceof MQTTError)) throw error;
		problems.push(document.at([...root, "broker"], `no CONNECT can be made of this: ${error.message}`));
	}
	return problems;
}

/** Bytes of the longest packets of a node; CONNECT is absent if none can be made. */
export function largestPackets(settings: Settings): { readonly report: number; readonly connect?: number } {
	const report = reportSize(settings);
	try {
		return { report, connect: connectSize(connectFields(settings.broker), settings.broker.version) };
	} catch (error) {
		if (!(error instanceof MQTTError)) throw error;
		return { report };
	}
}

/** Bytes of the longest PUBLISH; 0 without sensors. */
function reportSize(settings: Settings): number {
	const { size, topics } = deriveSettings(settings);
	const mac = new Uint8Array(longestIdentity.mac.length);
	const chip = new Uint8Array(longestIdentity.chip.length);
	return Math.max(
		0,
		...topics.map((topic) =>
			publishSize(settings.broker.version, fillTopic(topic, mac, chip).length, size, 1, 0),
		),
	);
}

/** Bytes of a message of diagnostics that names no failed sensors; 0 without diagnostics. */
function diagnosticsSize(settings: Settings): number {
	const { diagnostics } = deriveSettings(settings);
	if (diagnostics === undefined) return 0;
	const mac = new Uint8Array(longestIdentity.mac.length);
	const chip = new Uint8Array(longestIdentity.chip.length);
	const topic = fillTopic(diagnostics.topic, mac, chip);
	return publishSize(settings.broker.version, topic.length, diagnostics.leastSize, 0, 0);
}

/** Reports an outbox that a few wakes without network fill, or that does not fit retained memory. */
function outboxProblems(document: ManifestView, settings: Settings): Problem[] {
	const { sensors, outbox, payload, topic } = settings;
	const problems: Problem[] = [];
	const path = [...root, "outbox", "size"];
	const together = payload === "json" && !topic.includes("{sensor}");
	const wake = together
		? RECORD_HEADER + VALUE_LIMIT * sensors.length
		: (RECORD_HEADER + VALUE_LIMIT) * sensors.length;
	if (outbox.size < minimumWakes * wake)
		problems.push(
			document.at(
				path,
				`${outbox.size} bytes hold the samples of fewer than ${minimumWakes} wakes; ${minimumWakes * wake} are needed`,
			),
		);
	const room =
		(numberAt(document, ["defines", "firefly", "retained"]) ?? RETAINED_BYTES) -
		headerSize(sensors.length, deriveSettings(settings).extension.size);
	if (outbox.size > room)
		problems.push(
			document.at(
				path,
				`${outbox.size} bytes are more than retained memory has beside the state of ${sensors.length} sensors, ${room}`,
			),
		);
	return problems;
}
