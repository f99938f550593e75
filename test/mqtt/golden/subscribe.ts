import { bad, type GoldenRow, good } from "./row";

const MALFORMED = 0x81;
const PROTOCOL = 0x82;
const c = "client";
const b = "broker";
const one = {
	type: "SUBSCRIBE",
	packetId: 1,
	subscriptions: [{ filter: "a/b", options: 0 }],
	properties: [],
} as const;

export const subscribe: readonly GoldenRow[] = [
	good(4, c, "3.1.1, one filter", "82 08 0001 0003 'a/b' 00", one),
	good(4, c, "3.1.1, three filters", "82 { ffff s'#' 02 s'+/x/#' 01 s'$share/g/t' 00 }", {
		...one,
		packetId: 65535,
		subscriptions: [
			{ filter: "#", options: 2 },
			{ filter: "+/x/#", options: 1 },
			{ filter: "$share/g/t", options: 0 },
		],
	}),
	good(5, c, "5.0, one filter", "82 { 0001 00 s'a/b' 00 }", one),
	good(5, c, "5.0, every option", "82 { 0001 00 s'+' 2e s'a' 1d s'/' 02 }", {
		...one,
		subscriptions: [
			{ filter: "+", options: 0x2e },
			{ filter: "a", options: 0x1d },
			{ filter: "/", options: 2 },
		],
	}),
	good(
		5,
		c,
		"5.0, subscription identifier and user property",
		"82 { 0001 { 0b ffffff7f 26 s'k' s'v' } s'a/b' 00 }",
		{
			...one,
			properties: [
				[0x0b, 268435455],
				[0x26, "k", "v"],
			],
		},
	),
	good(5, c, "5.0, shared subscription", "82 { 0001 00 s'$share/g/+/t/#' 01 }", {
		...one,
		subscriptions: [{ filter: "$share/g/+/t/#", options: 1 }],
	}),
	good(5, c, "5.0, $shared is no shared subscription", "82 { 0001 00 s'$shared/+' 04 }", {
		...one,
		subscriptions: [{ filter: "$shared/+", options: 4 }],
	}),

	bad(4, c, "reserved flags 0", "80 { 0001 s'a/b' 00 }", MALFORMED),
	bad(5, c, "reserved flags 3", "83 { 0001 00 s'a/b' 00 }", MALFORMED),
	bad(4, c, "3.1.1, packet identifier 0", "82 { 0000 s'a/b' 00 }", PROTOCOL),
	bad(5, c, "5.0, packet identifier 0", "82 { 0000 00 s'a/b' 00 }", PROTOCOL),
	bad(4, c, "3.1.1, no filter", "82 02 0001", PROTOCOL),
	bad(5, c, "5.0, no filter", "82 03 0001 00", PROTOCOL),
	bad(4, c, "empty packet", "82 00", MALFORMED),
	bad(4, c, "filter without QoS", "82 { 0001 s'a/b' }", MALFORMED),
	bad(4, c, "filter runs past the end", "82 { 0001 0009 'a/b' 00 }", MALFORMED),
	bad(4, c, "a byte after the last filter", "82 { 0001 s'a/b' 00 00 }", MALFORMED),
	bad(4, c, "filter is not UTF-8", "82 { 0001 0001 ff 00 }", MALFORMED),
	bad(4, c, "filter with U+0000", "82 { 0001 0001 00 00 }", MALFORMED),
	bad(4, c, "empty filter", "82 { 0001 s'' 00 }", MALFORMED),
	bad(4, c, "# not at the end", "82 { 0001 s'#/a' 00 }", MALFORMED),
	bad(4, c, "# not a whole level", "82 { 0001 s'a#' 00 }", MALFORMED),
	bad(5, c, "+ after a character", "82 { 0001 00 s'a+' 00 }", MALFORMED),
	bad(5, c, "+ before a character", "82 { 0001 00 s'a/+b' 00 }", MALFORMED),
	bad(5, c, "second filter invalid", "82 { 0001 00 s'a' 00 s'##' 00 }", MALFORMED),
	bad(4, c, "3.1.1, QoS 3", "82 { 0001 s'a/b' 03 }", MALFORMED),
	bad(4, c, "3.1.1, reserved bits", "82 { 0001 s'a/b' 04 }", MALFORMED),
	bad(5, c, "5.0, QoS 3", "82 { 0001 00 s'a/b' 03 }", PROTOCOL),
	bad(5, c, "5.0, retain handling 3", "82 { 0001 00 s'a/b' 30 }", PROTOCOL),
	bad(5, c, "5.0, reserved bit 6", "82 { 0001 00 s'a/b' 40 }", MALFORMED),
	bad(5, c, "5.0, reserved bit 7", "82 { 0001 00 s'a/b' 80 }", MALFORMED),
	bad(5, c, "5.0, no local on a shared subscription", "82 { 0001 00 s'$share/g/t' 04 }", PROTOCOL),
	bad(5, c, "5.0, share without name", "82 { 0001 00 s'$share//t' 00 }", MALFORMED),
	bad(5, c, "5.0, share without filter", "82 { 0001 00 s'$share/g' 00 }", MALFORMED),
	bad(5, c, "5.0, share with an empty filter", "82 { 0001 00 s'$share/g/' 00 }", MALFORMED),
	bad(5, c, "5.0, share with a wildcard in its name", "82 { 0001 00 s'$share/+/t' 00 }", MALFORMED),
	bad(5, c, "5.0, share alone", "82 { 0001 00 s'$share/' 00 }", MALFORMED),
	bad(5, c, "5.0, subscription identifier 0", "82 { 0001 { 0b 00 } s'a/b' 00 }", PROTOCOL),
	bad(5, c, "5.0, subscription identifier twice", "82 { 0001 { 0b 01 0b 02 } s'a/b' 00 }", PROTOCOL),
	bad(5, c, "5.0, reason string", "82 { 0001 { 1f s'' } s'a/b' 00 }", MALFORMED),
	bad(5, b, "SUBSCRIBE from a broker", "82 { 0001 00 s'a/b' 00 }", PROTOCOL),
	bad(4, c, "larger than the buffer", "82 { 0001 s'a/b/c/d/e/f/g/h' 00 }", 0x95, { size: 16 }),
];

const codes = { type: "SUBACK", packetId: 1, codes: [0], properties: [] } as const;

export const suback: readonly GoldenRow[] = [
	good(4, b, "SUBACK 3.1.1", "90 03 0001 00", codes),
	good(4, b, "SUBACK 3.1.1, every code", "90 06 0001 00 01 02 80", { ...codes, codes: [0, 1, 2, 0x80] }),
	good(5, b, "SUBACK 5.0", "90 04 0001 00 01", { ...codes, codes: [1] }),
	good(5, b, "SUBACK 5.0, every code", "90 { 0001 00 00 01 02 80 83 87 8f 91 97 9e a1 a2 }", {
		...codes,
		codes: [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
	}),
	good(5, b, "SUBACK 5.0, properties", "90 { 0001 { 1f s'r' 26 s'k' s'v' } 97 }", {
		...codes,
		codes: [0x97],
		properties: [
			[0x1f, "r"],
			[0x26, "k", "v"],
		],
	}),
	bad(4, b, "SUBACK, reserved flags", "92 03 0001 00", MALFORMED),
	bad(4, b, "SUBACK 3.1.1, code 3", "90 03 0001 03", PROTOCOL),
	bad(4, b, "SUBACK 3.1.1, a code of 5.0", "90 03 0001 87", PROTOCOL),
	bad(5, b, "SUBACK 5.0, code 3", "90 04 0001 00 03", PROTOCOL),
	bad(5, b, "SUBACK 5.0, code of UNSUBACK", "90 04 0001 00 11", PROTOCOL),
	bad(4, b, "SUBACK 3.1.1, no code", "90 02 0001", PROTOCOL),
	bad(5, b, "SUBACK 5.0, no code", "90 03 0001 00", PROTOCOL),
	bad(4, b, "SUBACK, packet identifier 0", "90 03 0000 00", PROTOCOL),
	bad(4, b, "SUBACK, too short", "90 01 00", MALFORMED),
	bad(5, b, "SUBACK 5.0, property length missing", "90 02 0001", MALFORMED),
	bad(5, b, "SUBACK 5.0, subscription identifier", "90 { 0001 { 0b 01 } 00 }", MALFORMED),
	bad(4, c, "SUBACK from a client", "90 03 0001 00", PROTOCOL),
];

const gone = { type: "UNSUBSCRIBE", packetId: 1, filters: ["a/b"], properties: [] } as const;

export const unsubscribe: readonly GoldenRow[] = [
	good(4, c, "UNSUBSCRIBE 3.1.1", "a2 07 0001 0003 'a/b'", gone),
	good(4, c, "UNSUBSCRIBE 3.1.1, two filters", "a2 { 0001 s'#' s'a/+' }", { ...gone, filters: ["#", "a/+"] }),
	good(5, c, "UNSUBSCRIBE 5.0", "a2 { 0001 00 s'a/b' }", gone),
	good(5, c, "UNSUBSCRIBE 5.0, user property", "a2 { 0001 { 26 s'k' s'v' } s'a/b' s'$share/g/t' }", {
		...gone,
		filters: ["a/b", "$share/g/t"],
		properties: [[0x26, "k", "v"]],
	}),
	bad(4, c, "UNSUBSCRIBE, reserved flags", "a0 { 0001 s'a/b' }", MALFORMED),
	bad(4, c, "UNSUBSCRIBE 3.1.1, no filter", "a2 02 0001", PROTOCOL),
	bad(5, c, "UNSUBSCRIBE 5.0, no filter", "a2 03 0001 00", PROTOCOL),
	bad(4, c, "UNSUBSCRIBE, packet identifier 0", "a2 { 0000 s'a/b' }", PROTOCOL),
	bad(4, c, "UNSUBSCRIBE, too short", "a2 01 00", MALFORMED),
	bad(4, c, "UNSUBSCRIBE, filter runs past the end", "a2 { 0001 0004 'a/b' }", MALFORMED),
	bad(4, c, "UNSUBSCRIBE, half a length", "a2 { 0001 s'a/b' 00 }", MALFORMED),
	bad(4, c, "UNSUBSCRIBE, empty filter", "a2 { 0001 s'' }", MALFORMED),
	bad(5, c, "UNSUBSCRIBE, invalid filter", "a2 { 0001 00 s'a/#/b' }", MALFORMED),
	bad(5, c, "UNSUBSCRIBE 5.0, subscription identifier", "a2 { 0001 { 0b 01 } s'a/b' }", MALFORMED),
	bad(5, b, "UNSUBSCRIBE from a broker", "a2 { 0001 00 s'a/b' }", PROTOCOL),
	good(4, b, "UNSUBACK 3.1.1", "b0 02 0001", { type: "UNSUBACK", packetId: 1, codes: [], properties: [] }),
	good(5, b, "UNSUBACK 5.0, every code", "b0 { 0001 00 00 11 80 83 87 8f 91 }", {
		type: "UNSUBACK",
		packetId: 1,
		codes: [0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
		properties: [],
	}),
	good(5, b, "UNSUBACK 5.0, properties", "b0 { 0001 { 1f s'r' } 00 }", {
		type: "UNSUBACK",
		packetId: 1,
		codes: [0],
		properties: [[0x1f, "r"]],
	}),
	bad(4, b, "UNSUBACK, reserved flags", "b2 02 0001", MALFORMED),
	bad(4, b, "UNSUBACK 3.1.1, too long", "b0 03 0001 00", MALFORMED),
	bad(4, b, "UNSUBACK, packet identifier 0", "b0 02 0000", PROTOCOL),
	bad(5, b, "UNSUBACK 5.0, no code", "b0 03 0001 00", PROTOCOL),
	bad(5, b, "UNSUBACK 5.0, code of SUBACK", "b0 04 0001 00 01", PROTOCOL),
	bad(5, c, "UNSUBACK from a client", "b0 04 0001 00 00", PROTOCOL),
];
