import { connectFields, connectSize } from "../../src/client/connect-fields";
import { publishSize } from "../../src/client/limits";
import { DEFERRED_ANSWERS } from "../../src/client/streamed-publish";
import { readSettings, type Settings } from "../../src/config/settings";
import { MQTTError } from "../../src/mqtt/error";
import { RETAINED_BYTES, TLS_SESSION_BYTES } from "../../src/retained-memory";
import { ANSWER_PAYLOAD_LIMIT } from "../../src/sensor/commands/answer-area";
import { COMMAND_BYTES } from "../../src/sensor/commands/command-memory";
import { NOTHING_ANNOUNCED } from "../../src/sensor/discovery/announced-names";
import { ANNOUNCED_SIZE } from "../../src/sensor/discovery/announced-record";
import type { Announcement } from "../../src/sensor/discovery/announcement";
import { announcementAt } from "../../src/sensor/discovery/announcement-plan";
import { keepsSession } from "../../src/sensor/network/session-memory";
import { RECORD_HEADER, VALUE_LIMIT } from "../../src/sensor/outbox/report-record";
import { headerSize } from "../../src/sensor/retained/layout";
import { deriveSettings } from "../../src/sensor/settings/derived-settings";
import { type TopicTemplate, topicLength } from "../../src/sensor/settings/topic";
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
	const { topic } = largestAnnouncement(settings);
	if (topic > 0) refuse("the topic of an announcement", topic, "id, discovery.prefix or discovery.domain");
	refuse("an answer to a command", answerSize(settings), "commands.answer");
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
export function largestPackets(settings: Settings): {
	readonly report: number;
	readonly connect?: number;
	readonly announcement?: number;
} {
	const { packet } = largestAnnouncement(settings);
	const sizes = { report: reportSize(settings), ...(packet === 0 ? {} : { announcement: packet }) };
	try {
		return { ...sizes, connect: connectSize(connectFields(settings.broker), settings.broker.version) };
	} catch (error) {
		if (!(error instanceof MQTTError)) throw error;
		return sizes;
	}
}

/** Bytes of the largest message of discovery, and what its topic needs of sendBuffer; 0: there is none. */
export function largestAnnouncement(settings: Settings): { readonly packet: number; readonly topic: number } {
	const largest = { packet: 0, topic: 0 };
	for (const message of announcements(settings)) {
		const topic = Buffer.byteLength(message.topic);
		let length = 0;
		for (let i = 0; i < message.partCount; i++) length += Buffer.byteLength(message.part(i));
		const packet = publishSize(settings.broker.version, topic, length, 1, 0);
		largest.packet = Math.max(largest.packet, packet);
		largest.topic = Math.max(largest.topic, packet - length + DEFERRED_ANSWERS + 1);
	}
	return largest;
}

/** What a device with the longest texts announces. */
export function* announcements(settings: Settings, device = longestIdentity): Generator<Announcement> {
	const { discovery, sleep } = settings;
	if (discovery === undefined) return;
	const staysConnected = sleep.mode !== "deep";
	const hash = 0xffff_ffff;
	for (let index = 0; ; index++) {
		const message = announcementAt(
			index,
			settings,
			discovery,
			device,
			NOTHING_ANNOUNCED,
			hash,
			staysConnected,
		);
		if (message === undefined) return;
		yield message;
	}
}

/** Bytes of the longest PUBLISH; 0 without sensors. */
function reportSize(settings: Settings): number {
	const { size, topics } = deriveSettings(settings);
	return Math.max(
		0,
		...topics.map((topic) => publishSize(settings.broker.version, longestTopic(topic), size, 1, 0)),
	);
}

/** Bytes of the longest answer on the topic of the configuration; 0 without commands. */
function answerSize(settings: Settings): number {
	const { answerTopic } = deriveSettings(settings);
	if (answerTopic === undefined) return 0;
	return publishSize(settings.broker.version, longestTopic(answerTopic), ANSWER_PAYLOAD_LIMIT, 1, 0);
}

/** Bytes of a message of diagnostics that names no failed sensors; 0 without diagnostics. */
function diagnosticsSize(settings: Settings): number {
	const { diagnostics } = deriveSettings(settings);
	if (diagnostics === undefined) return 0;
	const length = longestTopic(diagnostics.topic);
	return publishSize(settings.broker.version, length, diagnostics.leastSize, 0, 0);
}

/** Bytes of a topic on the device whose texts are the longest. */
function longestTopic(template: TopicTemplate): number {
	return topicLength(template, longestIdentity.mac.length, longestIdentity.chip.length);
}

/** Reports an outbox that a few wakes without network fill, or that does not fit retained memory. */
function outboxProblems(document: ManifestView, settings: Settings): Problem[] {
	const { sensors, outbox, payload, topic, discovery, commands } = settings;
	const problems: Problem[] = [];
	const path = [...root, "outbox", "size"];
	const together = payload !== "value" && !topic.includes("{sensor}");
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
		headerSize(sensors.length, deriveSettings(settings).extension.size) -
		(discovery === undefined ? 0 : ANNOUNCED_SIZE) -
		(commands === undefined ? 0 : COMMAND_BYTES) -
		(keepsSession(settings) ? TLS_SESSION_BYTES : 0);
	if (outbox.size > room)
		problems.push(
			document.at(
				path,
				`${outbox.size} bytes are more than retained memory has beside the state of ${sensors.length} sensors${commands === undefined ? "" : " and commands"}, ${room}`,
			),
		);
	return problems;
}
