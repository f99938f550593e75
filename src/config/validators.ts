import { formatDuration, parseDuration } from "./duration";
import { limits, type Range } from "./limits";
import { parsePasswordHash } from "./password-hash";
import { expand, unknownPlaceholder } from "./template";
import { utf8Length, validHomieId, validName } from "./text";
import { parseBrokerURL, validHost } from "./url";

/**
 * Returns the problem of a value, as the rest of a sentence that begins with the value; undefined if it is
 * valid.
 */
export type Validator = (text: string) => string | undefined;

/** Placeholders allowed in texts that belong to the device. */
const devicePlaceholders: readonly string[] = Object.freeze(["mac", "chip", "id"]);
/** Placeholders allowed in the report topic. */
const sensorPlaceholders: readonly string[] = Object.freeze(["mac", "chip", "id", "sensor"]);

export function durationProblem(text: string, rangeMs: Range): string | undefined {
	const durationMs = parseDuration(text);
	if (durationMs === undefined) return "is not a duration";
	if (durationMs >= rangeMs.minimum && durationMs <= rangeMs.maximum) return undefined;
	return `is not between ${formatDuration(rangeMs.minimum)} and ${formatDuration(rangeMs.maximum)}`;
}

/** For durations that MQTT counts in seconds. */
export function secondsProblem(text: string, rangeSeconds: Range): string | undefined {
	const problem = durationProblem(text, {
		minimum: rangeSeconds.minimum * 1000,
		maximum: rangeSeconds.maximum * 1000,
	});
	if (problem !== undefined) return problem;
	return (parseDuration(text) ?? 0) % 1000 === 0 ? undefined : "is not in whole seconds";
}

export function idProblem(text: string): string | undefined {
	const problem = placeholderProblem(text, ["mac", "chip"]);
	if (problem !== undefined) return problem;
	return validName(expand(text, { mac: "m", chip: "c" }), limits.idLength) && text.length <= limits.idLength
		? undefined
		: `is not 1 to ${limits.idLength} letters, digits, - _ . and placeholders`;
}

export function nameProblem(text: string): string | undefined {
	return validName(text, limits.nameLength)
		? undefined
		: `is not 1 to ${limits.nameLength} letters, digits, - _ .`;
}

export function propertyProblem(text: string): string | undefined {
	for (const part of text.split(".")) if (part === "") return "is not names joined by dots";
	return controlProblem(text) ?? lengthProblem(text, 1, limits.propertyLength);
}

export function unitProblem(text: string): string | undefined {
	return lengthProblem(text, 0, limits.nameLength);
}

export function iconProblem(text: string): string | undefined {
	const parts = text.split(":");
	return parts.length === 2 && parts.every((part) => validHomieId(part))
		? lengthProblem(text, 1, limits.propertyLength)
		: 'is not an icon such as "mdi:sprout"';
}

/** Topic level of the Homie convention 5, "Topic IDs". */
export function homieIdProblem(text: string): string | undefined {
	return validHomieId(text)
		? lengthProblem(text, 1, limits.nameLength)
		: "is not lower-case letters, digits and -, as the Homie convention wants it";
}

/** First levels of a topic. */
export function prefixProblem(text: string): string | undefined {
	if (text.startsWith("/") || text.endsWith("/")) return "begins or ends with /";
	return topicProblem(text, []) ?? lengthProblem(text, 1, limits.discoveryLength);
}

/** A text about the device for people. */
export function deviceTextProblem(text: string): string | undefined {
	return (
		placeholderProblem(text, devicePlaceholders) ??
		controlProblem(text) ??
		lengthProblem(text, 1, limits.discoveryLength)
	);
}

export function reportTopicProblem(text: string): string | undefined {
	return topicProblem(text, sensorPlaceholders);
}

export function deviceTopicProblem(text: string): string | undefined {
	return topicProblem(text, devicePlaceholders);
}

function topicProblem(template: string, known: readonly string[]): string | undefined {
	if (template === "") return "is empty";
	// [MQTT-3.3.2-2]
	if (template.includes("#") || template.includes("+"))
		return "holds a wildcard, which only subscriptions may";
	// [MQTT-4.7.2-1]
	if (template.startsWith("$")) return "begins with $, which is kept for the broker";
	return (
		controlProblem(template) ??
		placeholderProblem(template, known) ??
		lengthProblem(template, 1, limits.topicLength)
	);
}

/** IEEE 802.11 §9.4.2.2: at most 32 octets. */
export function ssidProblem(text: string): string | undefined {
	// ESP-IDF takes it as far as the first U+0000.
	return text.includes("\0") ? "holds U+0000" : lengthProblem(text, 1, 32);
}

/** 8 to 63 characters are a passphrase, 64 hexadecimal digits a key (IEEE 802.11 §J.4). */
export function passphraseProblem(text: string): string | undefined {
	if (text.includes("\0")) return "holds U+0000";
	return text.length === 64 && !isHexadecimal(text)
		? "has 64 characters, which is a key of hexadecimal digits; a passphrase has 63 at most"
		: lengthProblem(text, 8, 64);
}

export function urlProblem(text: string): string | undefined {
	const address = parseBrokerURL(text);
	return typeof address === "string" ? address : undefined;
}

/** SHA-256 in hexadecimal digits, with or without colons between the bytes. */
export function fingerprintProblem(text: string): string | undefined {
	const digits = text.includes(":") ? text.replaceAll(":", "") : text;
	return digits.length === 64 && (digits === text || text.length === 95) && isHexadecimal(digits)
		? undefined
		: "is not a SHA-256 of 64 hexadecimal digits";
}

function isHexadecimal(text: string): boolean {
	for (const digit of text)
		if (!((digit >= "0" && digit <= "9") || (digit >= "a" && digit <= "f") || (digit >= "A" && digit <= "F")))
			return false;
	return true;
}

export function hostProblem(text: string): string | undefined {
	return validHost(text, "-_:") ? undefined : "is not a host name or an address";
}

/** The first label of a host's name (RFC 1123 §2.1), with room for a number behind it. */
export function hostLabelProblem(text: string): string | undefined {
	return validHomieId(text) &&
		text.length <= limits.nameLength &&
		!text.startsWith("-") &&
		!text.endsWith("-")
		? undefined
		: `is not 1 to ${limits.nameLength} lower-case letters, digits and -, without a - at an end`;
}

/** A name of this host as a browser sends it, without port. */
export function hostNameProblem(text: string): string | undefined {
	return validHost(text, "-_") ? undefined : "is not a host name, which goes without scheme and port";
}

/** An origin (RFC 6454 §6.2) as a browser sends it; `*` for all, `null` for files. */
export function originProblem(text: string): string | undefined {
	if (text === "*" || text === "null") return undefined;
	const scheme = text.indexOf("://");
	const known = scheme > 0 && validHost(text.slice(0, scheme), "+-") && !text.endsWith("/");
	return known && typeof parseBrokerURL(`mqtt${text.slice(scheme)}`) !== "string"
		? undefined
		: 'is not an origin such as "https://panel.example" or "http://192.168.1.5:3000"';
}

/** Client identifier and user name: an MQTT string, optionally with placeholders. */
export function textProblem(text: string): string | undefined {
	return placeholderProblem(text, devicePlaceholders) ?? secretProblem(text);
}

export function secretProblem(text: string): string | undefined {
	return nullProblem(text) ?? lengthProblem(text, 1, limits.textLength);
}

/** Name of a broker's user: it replaces `{user}` in topics, so that it must not add a level or a wildcard. */
export function userProblem(text: string): string | undefined {
	return controlProblem(text) ?? levelProblem(text) ?? lengthProblem(text, 1, limits.userLength);
}

export function clientProblem(text: string): string | undefined {
	return controlProblem(text) ?? lengthProblem(text, 1, limits.clientLength);
}

export function hashProblem(text: string): string | undefined {
	if (parsePasswordHash(text) === undefined) return "is not a password hash; firefly passwd makes one";
	return undefined;
}

/** A topic filter (§4.7.1) with placeholders. */
export function aclTopicProblem(text: string): string | undefined {
	if (text.startsWith("$share/")) return "begins with $share/, which a rule leaves away";
	const levels = text.split("/");
	for (let i = 0; i < levels.length; i++) {
		const level = levels[i];
		// [MQTT-4.7.1-1] [MQTT-4.7.1-2]
		if (level.includes("#") && (level !== "#" || i < levels.length - 1))
			return "holds a # that is not its last level";
		if (level.includes("+") && level !== "+") return "holds a + that is not a level of its own";
	}
	return (
		controlProblem(text) ??
		placeholderProblem(text, ["user", "id"]) ??
		lengthProblem(text, 1, limits.topicLength)
	);
}

/** A topic filter of a bridge, without prefix. */
export function bridgeFilterProblem(text: string): string | undefined {
	return placeholderProblem(text, []) ?? aclTopicProblem(text);
}

/** What a bridge puts before topics. */
export function bridgePrefixProblem(text: string): string | undefined {
	if (text.includes("+") || text.includes("#")) return "holds a wildcard, which belongs into the filter";
	return (
		placeholderProblem(text, devicePlaceholders) ??
		controlProblem(text) ??
		lengthProblem(text, 0, limits.topicLength)
	);
}

function levelProblem(text: string): string | undefined {
	if (text.startsWith("$")) return "begins with $";
	for (const character of text)
		if (character === "/" || character === "+" || character === "#")
			return `holds ${character}, which has a meaning in topics`;
	return undefined;
}

export function payloadProblem(text: string): string | undefined {
	return nullProblem(text) ?? lengthProblem(text, 0, limits.textLength);
}

/** Client texts are sent as MQTT strings, which must not contain U+0000. [MQTT-1.5.4-2] */
function nullProblem(text: string): string | undefined {
	return text.includes("\0") ? "holds the character U+0000" : undefined;
}

function controlProblem(text: string): string | undefined {
	for (const character of text) {
		const code = character.codePointAt(0) ?? 0;
		if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return "holds a control character";
	}
	return undefined;
}

function placeholderProblem(text: string, known: readonly string[]): string | undefined {
	const unknown = unknownPlaceholder(text, known);
	if (unknown === undefined) return undefined;
	if (unknown.length === 1) return "holds a brace that belongs to no placeholder";
	return `holds the unknown placeholder ${unknown}; there are {${known.join("}, {")}}`;
}

function lengthProblem(text: string, minimum: number, maximum: number): string | undefined {
	const length = utf8Length(text);
	if (length < 0) return "holds half of a surrogate pair";
	if (length === 0 && minimum > 0) return "is empty";
	if (length > maximum) return `is ${length} bytes long; at most ${maximum} are allowed`;
	return length < minimum ? `is ${length} bytes long; at least ${minimum} are needed` : undefined;
}

export function presenceProblem(text: string): string | undefined {
	return text === "" ? "is empty" : undefined;
}
