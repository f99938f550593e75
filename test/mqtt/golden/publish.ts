import type { ReasonCode } from "../../../src/mqtt/constants";
import { bad, type GoldenRow, good, nonCanonical } from "./row";

const MALFORMED = 0x81;
const PROTOCOL = 0x82;
const c = "client";
const b = "broker";
const message = {
	type: "PUBLISH",
	flags: 0,
	topic: "a/b",
	packetId: 0,
	payload: "hi",
	properties: [],
} as const;

export const publish: readonly GoldenRow[] = [
	good(4, c, "3.1.1, QoS 0", "30 07 0003 'a/b' 'hi'", message),
	good(4, c, "3.1.1, QoS 1", "32 { s'a/b' 0001 'hi' }", { ...message, flags: 2, packetId: 1 }),
	good(4, b, "3.1.1, QoS 2, DUP, retain", "3d { s'a/b' ffff 'hi' }", {
		...message,
		flags: 13,
		packetId: 65535,
	}),
	good(4, c, "3.1.1, retained clear", "31 { s'a/b' }", { ...message, flags: 1, payload: "" }),
	good(4, c, "3.1.1, QoS 1, empty payload", "32 { s'a/b' 0100 }", {
		...message,
		flags: 2,
		packetId: 256,
		payload: "",
	}),
	good(4, b, "3.1.1, topic $SYS", "30 { s'$SYS/x' }", { ...message, topic: "$SYS/x", payload: "" }),
	good(4, b, "3.1.1, payload of any bytes", "30 { s'/' 00ff80c0 }", {
		...message,
		topic: "/",
		payload: "\x00\xff\x80\xc0",
	}),
	good(4, c, "3.1.1, topic with the BOM", "30 { 0004 efbbbf 'a' }", {
		...message,
		topic: "\xef\xbb\xbfa",
		payload: "",
	}),
	good(4, c, "3.1.1, topic with U+10FFFF and U+FFFF", "30 { 0007 f48fbfbf efbfbf }", {
		...message,
		topic: "\xf4\x8f\xbf\xbf\xef\xbf\xbf",
		payload: "",
	}),
	good(4, c, "3.1.1, 127 bytes", `30 7f 0001 't' '${"x".repeat(124)}'`, {
		...message,
		topic: "t",
		payload: "x".repeat(124),
	}),
	good(4, c, "3.1.1, 128 bytes", `30 8001 0001 't' '${"x".repeat(125)}'`, {
		...message,
		topic: "t",
		payload: "x".repeat(125),
	}),
	good(5, c, "5.0, QoS 0", "30 { s'a/b' 00 'hi' }", message),
	good(5, c, "5.0, QoS 1", "32 { s'a/b' 0001 00 'hi' }", { ...message, flags: 2, packetId: 1 }),
	good(5, b, "5.0, QoS 2, DUP", "3c { s'a/b' 0002 00 'hi' }", { ...message, flags: 12, packetId: 2 }),
	good(5, c, "5.0, retained clear", "31 { s'a/b' 00 }", { ...message, flags: 1, payload: "" }),
	good(5, c, "5.0, topic alias with topic", "30 { s'a/b' { 23 0001 } 'hi' }", {
		...message,
		properties: [[0x23, 1]],
	}),
	good(5, c, "5.0, topic alias for the topic", "30 { s'' { 23 ffff } 'hi' }", {
		...message,
		topic: "",
		properties: [[0x23, 65535]],
	}),
	good(
		5,
		b,
		"5.0, every property",
		"32 { s'a/b' 000a { 01 01 02 00000078 23 0005 08 s'r/t' 09 0002 0001 26 s'k' s'v' 26 s'k' s'w' 0b 01 0b 8001 0b ffffff7f 03 s'text/plain' } 'hi' }",
		{
			...message,
			flags: 2,
			packetId: 10,
			properties: [
				[0x01, 1],
				[0x02, 120],
				[0x23, 5],
				[0x08, "r/t"],
				[0x09, "\x00\x01"],
				[0x26, "k", "v"],
				[0x26, "k", "w"],
				[0x0b, 1],
				[0x0b, 128],
				[0x0b, 268435455],
				[0x03, "text/plain"],
			],
		},
	),

	bad(4, c, "3.1.1, QoS 3", "36 { s'a/b' 0001 }", MALFORMED),
	bad(5, c, "5.0, QoS 3", "3e { s'a/b' 0001 00 }", MALFORMED),
	bad(4, c, "3.1.1, DUP with QoS 0", "38 { s'a/b' }", PROTOCOL),
	bad(5, c, "5.0, DUP with QoS 0", "39 { s'a/b' 00 }", PROTOCOL),
	bad(4, c, "3.1.1, packet identifier 0", "32 { s'a/b' 0000 }", PROTOCOL),
	bad(5, b, "5.0, packet identifier 0", "34 { s'a/b' 0000 00 }", PROTOCOL),
	bad(4, c, "3.1.1, empty topic", "30 { s'' 'hi' }", PROTOCOL),
	bad(5, c, "5.0, neither topic nor alias", "30 { s'' 00 'hi' }", PROTOCOL),
	bad(5, c, "5.0, topic alias 0", "30 { s'a/b' { 23 0000 } }", 0x94),
	bad(4, c, "3.1.1, # in the topic", "30 { s'a/#' }", 0x90),
	bad(5, c, "5.0, + in the topic", "30 { s'+/b' 00 }", 0x90),
	bad(5, b, "5.0, + inside a level", "30 { s'a+b' 00 }", 0x90),
	bad(4, c, "3.1.1, topic with U+0000", "30 { 0002 6100 }", MALFORMED),
	bad(4, c, "topic with an overlong /", "30 { 0002 c0af }", MALFORMED),
	bad(4, c, "topic with an overlong U+0000", "30 { 0002 c080 }", MALFORMED),
	bad(4, c, "topic with an overlong three-byte form", "30 { 0003 e09fbf }", MALFORMED),
	bad(4, c, "topic with an overlong four-byte form", "30 { 0004 f08fbfbf }", MALFORMED),
	bad(5, c, "topic with a high surrogate", "30 { 0003 eda080 00 }", MALFORMED),
	bad(5, c, "topic with a low surrogate", "30 { 0003 edbfbf 00 }", MALFORMED),
	bad(5, c, "topic beyond U+10FFFF", "30 { 0004 f4908080 00 }", MALFORMED),
	bad(5, c, "topic with byte 0xf5", "30 { 0004 f5808080 00 }", MALFORMED),
	bad(5, c, "topic with a lone continuation byte", "30 { 0001 80 00 }", MALFORMED),
	bad(5, c, "topic ends within a character", "30 { 0002 e282 00 }", MALFORMED),
	bad(5, c, "topic with a character of ASCII in a sequence", "30 { 0003 e22882 00 }", MALFORMED),
	bad(4, c, "empty packet", "30 00", MALFORMED),
	bad(4, c, "ends within the topic's length", "30 01 00", MALFORMED),
	bad(4, c, "topic runs past the end", "30 { 0005 'a/b' }", MALFORMED),
	bad(4, c, "ends before the packet identifier", "32 { s'a/b' }", MALFORMED),
	bad(4, c, "ends within the packet identifier", "32 { s'a/b' 00 }", MALFORMED),
	bad(5, c, "5.0, property length missing", "30 { s'a/b' }", MALFORMED),
	bad(5, c, "5.0, property length cut short", "30 { s'a/b' 80 }", MALFORMED),
	bad(5, c, "5.0, property length longer than it needs", "30 { s'a/b' 8000 }", MALFORMED),
	bad(5, c, "5.0, properties run past the end", "30 { s'a/b' 03 23 00 }", MALFORMED),
	bad(5, c, "5.0, property runs past the properties", "30 { s'a/b' 02 23 00 01 }", MALFORMED),
	bad(5, c, "5.0, payload format indicator 2", "30 { s'a/b' { 01 02 } }", PROTOCOL),
	bad(5, c, "5.0, payload format indicator twice", "30 { s'a/b' { 01 01 01 01 } }", PROTOCOL),
	bad(5, c, "5.0, message expiry interval twice", "30 { s'a/b' { 02 00000001 02 00000001 } }", PROTOCOL),
	bad(5, c, "5.0, topic alias twice", "30 { s'a/b' { 23 0001 23 0001 } }", PROTOCOL),
	bad(5, c, "5.0, response topic twice", "30 { s'a/b' { 08 s'r' 08 s'r' } }", PROTOCOL),
	bad(5, c, "5.0, correlation data twice", "30 { s'a/b' { 09 s'r' 09 s'r' } }", PROTOCOL),
	bad(5, c, "5.0, content type twice", "30 { s'a/b' { 03 s'r' 03 s'r' } }", PROTOCOL),
	bad(5, c, "5.0, response topic with a wildcard", "30 { s'a/b' { 08 s'r/+' } }", PROTOCOL),
	bad(5, c, "5.0, empty response topic", "30 { s'a/b' { 08 s'' } }", PROTOCOL),
	bad(5, c, "5.0, response topic is not UTF-8", "30 { s'a/b' { 08 0001 ff } }", MALFORMED),
	bad(5, c, "5.0, content type is not UTF-8", "30 { s'a/b' { 03 0001 00 } }", MALFORMED),
	bad(5, c, "5.0, subscription identifier from a client", "30 { s'a/b' { 0b 01 } }", PROTOCOL),
	bad(5, b, "5.0, subscription identifier 0", "30 { s'a/b' { 0b 00 } }", PROTOCOL),
	bad(5, b, "5.0, subscription identifier longer than it needs", "30 { s'a/b' { 0b 8100 } }", MALFORMED),
	bad(5, b, "5.0, subscription identifier of five bytes", "30 { s'a/b' { 0b 8080808001 } }", MALFORMED),
	bad(5, b, "5.0, subscription identifier cut short", "30 { s'a/b' { 0b 80 } }", MALFORMED),
	bad(5, c, "5.0, reason string", "30 { s'a/b' { 1f s'r' } }", MALFORMED),
	bad(5, c, "5.0, will delay interval", "30 { s'a/b' { 18 00000001 } }", MALFORMED),
	bad(4, c, "larger than the maximum packet size", "30 { s'a/b' 'hello' }", 0x95, { maximumPacketSize: 11 }),
	bad(4, c, "header larger than the buffer", "30 { s'a234567890123456789' }", 0x95, { size: 16 }),
	bad(5, c, "properties larger than the buffer", "30 { s'a' { 26 s'key' s'value12345' } }", 0x95, {
		size: 16,
	}),
];

const ack = { packetId: 1, reasonCode: 0, properties: [] } as const;

function acknowledgements(
	type: "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP",
	first: string,
	other: string,
	wrong: string,
	error: number,
): GoldenRow[] {
	return [
		good(4, c, `${type} 3.1.1`, `${first} 02 0001`, { ...ack, type }),
		good(4, b, `${type} 3.1.1, from a broker`, `${first} 02 ffff`, { ...ack, type, packetId: 65535 }),
		good(5, c, `${type} 5.0, success`, `${first} 02 0001`, { ...ack, type }),
		nonCanonical(5, c, `${type} 5.0, success spelt out`, `${first} 03 0001 00`, { ...ack, type }),
		nonCanonical(5, c, `${type} 5.0, no properties spelt out`, `${first} 04 0001 00 00`, { ...ack, type }),
		good(5, b, `${type} 5.0, reason code`, `${first} 03 0001 ${other}`, {
			...ack,
			type,
			reasonCode: Number.parseInt(other, 16) as ReasonCode,
		}),
		good(5, b, `${type} 5.0, properties`, `${first} { 0001 ${other} { 1f s'why' 26 s'k' s'v' } }`, {
			...ack,
			type,
			reasonCode: Number.parseInt(other, 16) as ReasonCode,
			properties: [
				[0x1f, "why"],
				[0x26, "k", "v"],
			],
		}),
		bad(4, c, `${type}, reserved flags`, `${wrong} 02 0001`, MALFORMED),
		bad(4, c, `${type} 3.1.1, too short`, `${first} 01 00`, MALFORMED),
		bad(5, c, `${type} 5.0, empty`, `${first} 00`, MALFORMED),
		bad(4, c, `${type} 3.1.1, too long`, `${first} 03 0001 00`, MALFORMED),
		bad(4, c, `${type} 3.1.1, packet identifier 0`, `${first} 02 0000`, PROTOCOL),
		bad(5, c, `${type} 5.0, packet identifier 0`, `${first} 03 0000 00`, PROTOCOL),
		bad(
			5,
			c,
			`${type} 5.0, reason code of another packet`,
			`${first} 03 0001 ${error.toString(16)}`,
			PROTOCOL,
		),
		bad(5, c, `${type} 5.0, bytes after the properties`, `${first} 05 0001 00 00 00`, MALFORMED),
		bad(5, c, `${type} 5.0, reason string twice`, `${first} { 0001 00 { 1f s'' 1f s'' } }`, PROTOCOL),
		bad(5, c, `${type} 5.0, topic alias`, `${first} { 0001 00 { 23 0001 } }`, MALFORMED),
		bad(5, c, `${type} 5.0, property length missing its end`, `${first} 04 0001 00 80`, MALFORMED),
	];
}

export const acknowledge: readonly GoldenRow[] = [
	...acknowledgements("PUBACK", "40", "10", "41", 0x92),
	...acknowledgements("PUBREC", "50", "97", "52", 0x92),
	...acknowledgements("PUBREL", "62", "92", "60", 0x80),
	...acknowledgements("PUBCOMP", "70", "92", "72", 0x10),
];
