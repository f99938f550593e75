import { hasWildcard } from "../../mqtt/topics";
import { utf8 } from "../../mqtt/utf8";

/** Bytes of text that leave room in a topic name for what the device puts in. */
const TOPIC_LIMIT = 65_000;

/** A topic in UTF-8, split where only the device knows the text between: its `{mac}` or `{chip}`. */
export type TopicTemplate = readonly (Uint8Array | "mac" | "chip")[];

/** For start-up: allocates. @throws RangeError if the topic is not a valid MQTT string */
export function topicTemplate(topic: string): TopicTemplate {
	const pieces: (Uint8Array | "mac" | "chip")[] = [];
	for (const text of topic.split(/(\{mac\}|\{chip\})/)) {
		if (text === "{mac}") pieces.push("mac");
		else if (text === "{chip}") pieces.push("chip");
		else if (text !== "") pieces.push(utf8(text));
	}
	return pieces;
}

/**
 * Whether the topic of any device is a topic name (§4.7): `{mac}` and `{chip}` stand for letters and digits.
 * False also if this cannot be told without them.
 */
export function isTopicName(template: TopicTemplate): boolean {
	let length = 0;
	for (const piece of template) {
		if (typeof piece === "string") continue;
		if (hasWildcard(piece, 0, piece.length)) return false; // [MQTT-3.3.2-2]
		length += piece.length;
	}
	return length > 0 && length < TOPIC_LIMIT;
}

/**
 * Returns the topic of a device. Allocates the topic and the device's texts that are in it, and nothing if
 * the template is a single piece of text.
 */
export function fillTopic(template: TopicTemplate, device: { mac: string; chip: string }): Uint8Array {
	if (template.length === 1 && typeof template[0] !== "string") return template[0];
	const mac = template.includes("mac") ? utf8(device.mac) : undefined;
	const chip = template.includes("chip") ? utf8(device.chip) : undefined;
	let length = 0;
	for (let i = 0; i < template.length; i++) length += pieceBytes(template[i], mac, chip).length;
	const topic = new Uint8Array(length);
	let at = 0;
	for (let i = 0; i < template.length; i++) {
		const bytes = pieceBytes(template[i], mac, chip);
		topic.set(bytes, at);
		at += bytes.length;
	}
	return topic;
}

function pieceBytes(
	piece: TopicTemplate[number],
	mac: Uint8Array | undefined,
	chip: Uint8Array | undefined,
): Uint8Array {
	return piece === "mac" ? mac! : piece === "chip" ? chip! : piece;
}

/** Bytes of the topic of a device. */
export function topicLength(template: TopicTemplate, macLength: number, chipLength: number): number {
	let length = 0;
	for (let i = 0; i < template.length; i++) {
		const piece = template[i];
		length += piece === "mac" ? macLength : piece === "chip" ? chipLength : piece.length;
	}
	return length;
}

/**
 * Writes the topic of a device to the start of a buffer that has the device's texts at its end: `{mac}` from
 * `macAt` to `chipAt`, then `{chip}`. Allocates nothing. @returns where it ends
 */
export function writeTopic(
	template: TopicTemplate,
	bytes: Uint8Array,
	macAt: number,
	chipAt: number,
): number {
	let at = 0;
	for (let i = 0; i < template.length; i++) {
		const piece = template[i];
		if (piece === "mac") {
			bytes.copyWithin(at, macAt, chipAt);
			at += chipAt - macAt;
		} else if (piece === "chip") {
			bytes.copyWithin(at, chipAt);
			at += bytes.length - chipAt;
		} else {
			bytes.set(piece, at);
			at += piece.length;
		}
	}
	return at;
}
