import { bad, type GoldenRow, good, nonCanonical } from "./row";

const MALFORMED = 0x81;
const PROTOCOL = 0x82;
const c = "client";
const b = "broker";
const end = { type: "DISCONNECT", reasonCode: 0, properties: [] } as const;

export const session: readonly GoldenRow[] = [
	good(4, c, "PINGREQ 3.1.1", "c0 00", { type: "PINGREQ" }),
	good(5, c, "PINGREQ 5.0", "c0 00", { type: "PINGREQ" }),
	good(4, b, "PINGRESP 3.1.1", "d0 00", { type: "PINGRESP" }),
	good(5, b, "PINGRESP 5.0", "d0 00", { type: "PINGRESP" }),
	bad(4, c, "PINGREQ, reserved flags", "c1 00", MALFORMED),
	bad(4, c, "PINGREQ, too long", "c0 01 00", MALFORMED),
	bad(4, b, "PINGREQ from a broker", "c0 00", PROTOCOL),
	bad(5, b, "PINGRESP, reserved flags", "d8 00", MALFORMED),
	bad(5, b, "PINGRESP, too long", "d0 02 0000", MALFORMED),
	bad(5, c, "PINGRESP from a client", "d0 00", PROTOCOL),

	good(4, c, "DISCONNECT 3.1.1", "e0 00", end),
	good(5, c, "DISCONNECT 5.0, normal", "e0 00", end),
	good(5, b, "DISCONNECT 5.0, normal, from a broker", "e0 00", end),
	nonCanonical(5, c, "DISCONNECT 5.0, normal, spelt out", "e0 01 00", end),
	nonCanonical(5, c, "DISCONNECT 5.0, no properties spelt out", "e0 02 00 00", end),
	good(5, c, "DISCONNECT 5.0, with will message", "e0 01 04", { ...end, reasonCode: 4 }),
	good(5, c, "DISCONNECT 5.0, session expiry interval", "e0 { 00 { 11 0000003c } }", {
		...end,
		properties: [[0x11, 60]],
	}),
	good(5, b, "DISCONNECT 5.0, server moved", "e0 { 9d { 1c s'h:1883' 1f s'r' 26 s'k' s'v' } }", {
		...end,
		reasonCode: 0x9d,
		properties: [
			[0x1c, "h:1883"],
			[0x1f, "r"],
			[0x26, "k", "v"],
		],
	}),
	good(5, b, "DISCONNECT 5.0, session taken over", "e0 01 8e", { ...end, reasonCode: 0x8e }),
	good(5, c, "DISCONNECT 5.0, packet too large", "e0 01 95", { ...end, reasonCode: 0x95 }),
	bad(4, c, "DISCONNECT, reserved flags", "e1 00", MALFORMED),
	bad(4, c, "DISCONNECT 3.1.1, too long", "e0 01 00", MALFORMED),
	bad(4, b, "DISCONNECT 3.1.1 from a broker", "e0 00", PROTOCOL),
	bad(5, c, "DISCONNECT 5.0, unknown reason code", "e0 01 03", PROTOCOL),
	bad(5, c, "DISCONNECT 5.0, reason code of CONNACK", "e0 01 85", PROTOCOL),
	bad(5, c, "DISCONNECT 5.0, a broker's reason code from a client", "e0 01 8e", PROTOCOL),
	bad(5, b, "DISCONNECT 5.0, a client's reason code from a broker", "e0 01 04", PROTOCOL),
	bad(5, b, "DISCONNECT 5.0, session expiry interval from a broker", "e0 { 00 { 11 0000003c } }", PROTOCOL),
	bad(
		5,
		c,
		"DISCONNECT 5.0, session expiry interval twice",
		"e0 { 00 { 11 00000000 11 00000000 } }",
		PROTOCOL,
	),
	bad(5, c, "DISCONNECT 5.0, receive maximum", "e0 { 00 { 21 0001 } }", MALFORMED),
	bad(5, c, "DISCONNECT 5.0, bytes after the properties", "e0 03 00 00 00", MALFORMED),

	good(5, c, "AUTH, continue", "f0 { 18 { 15 s'm' 16 0002 00ff } }", {
		type: "AUTH",
		reasonCode: 0x18,
		properties: [
			[0x15, "m"],
			[0x16, "\x00\xff"],
		],
	}),
	good(5, c, "AUTH, re-authenticate", "f0 { 19 { 15 s'm' } }", {
		type: "AUTH",
		reasonCode: 0x19,
		properties: [[0x15, "m"]],
	}),
	good(5, b, "AUTH, success", "f0 { 00 { 15 s'm' 1f s'r' 26 s'k' s'v' } }", {
		type: "AUTH",
		reasonCode: 0,
		properties: [
			[0x15, "m"],
			[0x1f, "r"],
			[0x26, "k", "v"],
		],
	}),
	nonCanonical(5, b, "AUTH, success without properties", "f0 00", {
		type: "AUTH",
		reasonCode: 0,
		properties: [],
	}),
	bad(5, c, "AUTH, reserved flags", "f2 { 18 { 15 s'm' } }", MALFORMED),
	bad(4, c, "AUTH in 3.1.1", "f0 00", MALFORMED),
	bad(4, b, "AUTH in 3.1.1 from a broker", "f0 00", MALFORMED),
	bad(5, c, "AUTH, success from a client", "f0 { 00 { 15 s'm' } }", PROTOCOL),
	bad(5, c, "AUTH, empty from a client", "f0 00", PROTOCOL),
	bad(5, b, "AUTH, re-authenticate from a broker", "f0 { 19 { 15 s'm' } }", PROTOCOL),
	bad(5, b, "AUTH, unknown reason code", "f0 { 01 { 15 s'm' } }", PROTOCOL),
	bad(5, c, "AUTH without method", "f0 { 18 { 16 s'd' } }", PROTOCOL),
	bad(5, c, "AUTH without properties", "f0 01 18", PROTOCOL),
	bad(5, c, "AUTH, method twice", "f0 { 18 { 15 s'm' 15 s'm' } }", PROTOCOL),
	bad(5, c, "AUTH, server reference", "f0 { 18 { 15 s'm' 1c s'x' } }", MALFORMED),

	bad(5, c, "packet type 0", "00 00", MALFORMED),
	bad(4, b, "packet type 0 from a broker", "0f 00", MALFORMED),
	bad(4, c, "remaining length longer than it needs", "c0 8000", MALFORMED),
	bad(4, c, "remaining length of four bytes, longer than it needs", "30 83808000 0001 'a'", MALFORMED),
	bad(4, c, "remaining length of five bytes", "30 ffffffff01", MALFORMED),
	bad(4, c, "remaining length of four bytes without an end", "c0 80808080", MALFORMED),
	bad(4, c, "PUBACK larger than the maximum packet size", "40 02 0001", 0x95, { maximumPacketSize: 3 }),
	bad(5, c, "remaining length larger than the maximum packet size", "30 ffffff7f", 0x95, {
		maximumPacketSize: 1024,
	}),
	bad(5, c, "SUBSCRIBE larger than any buffer", "82 ffffff7f", 0x95),
];
