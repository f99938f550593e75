import { type ReasonCode, reasonName } from "../../src/mqtt/constants";
import type {
	TracedConnect,
	TracedFilter,
	TracedMessage,
	TracedPacket,
	TracedProperties,
} from "./traced-packet";

/**
 * The line of a packet.
 * @param client address and port of a client that has no name; its client identifier is added
 */
export function tracedLine(client: string | undefined, packet: TracedPacket): string {
	if (client === undefined) return packetText(packet);
	return `${client}${packet.clientId === undefined ? "" : ` ${name(packet.clientId)}`}  ${packetText(packet)}`;
}

/**
 * Formats a packet, → to the broker and ← to the client: `→ PUBLISH q1 r id 7 home/room/temperature "21.4"`.
 */
export function packetText(packet: TracedPacket): string {
	const { packetId, reasonCode, reasonCodes, connect, message, filters, properties, text, bytes } = packet;
	const words = [packet.sender === "client" ? "→" : "←", packet.packet];
	if (message) words.push(...flags(message, packet.dup === true));
	if (packetId !== undefined) words.push(`id ${packetId}`);
	if (message) words.push(...topicAndPayload(message));
	if (connect) words.push(...connectWords(connect));
	if (packet.sessionPresent) words.push("session present");
	if (reasonCode) words.push(reasonText(reasonCode));
	if (filters) words.push(filters.map(filterText).join(", "));
	if (reasonCodes)
		words.push(reasonCodes.map(packet.packet === "SUBACK" ? grantText : reasonText).join(", "));
	if (text !== undefined) words.push(bytes === undefined ? escapeText(text) : `(${text})`);
	if (bytes !== undefined)
		words.push(`${packet.size} bytes`, `${bytes}${hexSize(bytes) < packet.size ? "…" : ""}`);
	if (properties) words.push(propertiesText(properties));
	return joined(words);
}

function flags({ qos, retain }: TracedMessage, dup: boolean): string[] {
	return [`q${qos}`, retain ? "r" : "", dup ? "dup" : ""];
}

function topicAndPayload({ topic, payload, payloadHex, payloadSize }: TracedMessage): string[] {
	const shownSize = payloadHex === undefined ? Buffer.byteLength(payload ?? "") : hexSize(payloadHex);
	return [
		topic === "" ? "" : name(topic),
		payloadHex ?? quoted(payload ?? ""),
		shownSize < payloadSize ? `… ${payloadSize} bytes` : "",
	];
}

function messageWords(message: TracedMessage): string[] {
	const { properties } = message;
	return [
		...flags(message, false),
		...topicAndPayload(message),
		properties ? propertiesText(properties) : "",
	];
}

function joined(words: readonly string[]): string {
	return words.filter((word) => word !== "").join(" ");
}

/** Bytes in hexadecimal text after `0x`. */
function hexSize(hex: string): number {
	return hex.length / 2 - 1;
}

function connectWords({ version, clientId, cleanStart, keepAlive, ...rest }: TracedConnect): string[] {
	const { username, passwordSize, will } = rest;
	const words = [
		`client ${name(clientId)}`,
		cleanStart ? "clean start" : "",
		`keep alive ${keepAlive} s`,
		username === undefined ? "" : `user ${name(username)}`,
		passwordSize === undefined ? "" : `password: ${passwordSize} bytes`,
		will ? joined(["will", ...messageWords(will)]) : "",
	];
	return [version, words.filter((word) => word !== "").join(", ")];
}

function filterText({ filter, qos, noLocal, retainAsPublished, retainHandling }: TracedFilter): string {
	const words = [name(filter)];
	if (qos !== undefined) words.push(`q${qos}`);
	if (noLocal) words.push("no local");
	if (retainAsPublished) words.push("retain as published");
	if (retainHandling !== undefined) words.push(`retain handling ${retainHandling}`);
	return words.join(" ");
}

/** `0x86 Bad User Name or Password` */
export function reasonText(code: ReasonCode): string {
	return `0x${code.toString(16).padStart(2, "0")} ${reasonName(code)}`;
}

function grantText(code: ReasonCode): string {
	return code <= 2 ? `q${code}` : reasonText(code);
}

/** `{receive maximum 8, user property "a=b"}` */
function propertiesText(properties: TracedProperties): string {
	const words = Object.entries(properties).flatMap(([key, values]) => {
		const label = key.replace(/QoS|[A-Z]/g, (word) => ` ${word === "QoS" ? word : word.toLowerCase()}`);
		return [values].flat().map((value) => `${label} ${typeof value === "number" ? value : quoted(value)}`);
	});
	return `{${words.join(", ")}}`;
}

/** A topic or identifier, in quotation marks if it would not read as one word. */
function name(text: string): string {
	const escaped = escapeText(text);
	return text === "" || escaped !== text || /[\s",]/.test(text) ? `"${escaped}"` : text;
}

/** In double quotes, with control characters escaped. */
export function quoted(text: string): string {
	return `"${escapeText(text)}"`;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
	"\n": "\\n",
	"\r": "\\r",
	"\t": "\\t",
	'"': '\\"',
	"\\": "\\\\",
};

/** Escapes what could end the line, move the cursor or reverse the text of a terminal. */
/** Without quotes and control characters, which could move the cursor of a terminal. */
export function escapeText(text: string): string {
	return text.replace(
		/["\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
		(character) => SHORT_ESCAPES[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`,
	);
}
